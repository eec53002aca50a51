/** ListObjectsV2: all keys below a prefix, a thousand an answer. */
import { SourceError } from '../../data-plane/ports.ts';
import type { S3Address } from './address.ts';
import type { S3Requests } from './requests.ts';

/** Of one history: each is remembered. */
const OBJECTS_MAX = 200_000;
const ANSWER_BYTES_MAX = 16 << 20;

export interface ListedObject {
  /** With U+FFFD for bytes that are no text. */
  readonly key: string;
  /** S3's keys are UTF-8; other stores have taken other bytes, which no request from here could name. */
  readonly isText: boolean;
  /** With its quotes, as it is sent back. */
  readonly etag: string;
  readonly bytes: number;
}

/** Errors: those of {@link S3Requests.get}; `source_schema` for what is no listing, or too long a one. */
export async function listObjects(
  requests: S3Requests,
  { shown }: S3Address,
  prefix: string,
): Promise<readonly ListedObject[]> {
  const found: ListedObject[] = [];
  for (let token: string | null = ''; token !== null; ) {
    const query = {
      'list-type': '2',
      'encoding-type': 'url',
      prefix,
      ...(token === '' ? {} : { 'continuation-token': token }),
    };
    const { body } = await requests.get({
      key: null,
      path: null,
      query,
      bytesMax: ANSWER_BYTES_MAX,
      exact: false,
    });
    const page = pageIn(body.toString('utf8'));
    if (page === null || page.next === token)
      throw new SourceError('source_schema', `${shown} does not answer as an object store that speaks S3`);
    for (const object of page.objects) found.push(object);
    if (found.length > OBJECTS_MAX)
      throw new SourceError(
        'source_schema',
        `${shown} has more than ${OBJECTS_MAX} objects below ${prefix || 'its root'}: name a longer prefix`,
      );
    token = page.next;
  }
  return found;
}

interface Page {
  readonly objects: readonly ListedObject[];
  /** Null: it is the last. */
  readonly next: string | null;
}

/** An XML of one known shape, without attributes in what is wanted. Null: it is another. */
export function pageIn(xml: string): Page | null {
  if (!/<ListBucketResult[\s>]/.test(xml) || !xml.includes('</ListBucketResult>')) return null;
  const isEncoded = textIn(xml, 'EncodingType') === 'url';
  const objects: ListedObject[] = [];
  for (const [, contents = ''] of xml.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)) {
    const [key, etag, size] = [textIn(contents, 'Key'), textIn(contents, 'ETag'), textIn(contents, 'Size')];
    const bytes = Number(size ?? Number.NaN);
    if (key === null || etag === null || etag === '' || !Number.isSafeInteger(bytes)) return null;
    // What is sent as it is has lost its bytes where it was read as text.
    const text = isEncoded ? decoded(key) : { key, isText: !key.includes('\uFFFD') };
    objects.push({ ...text, etag, bytes });
  }
  const isTruncated = textIn(xml, 'IsTruncated') === 'true';
  const next = textIn(xml, 'NextContinuationToken');
  if (isTruncated && (next === null || next === '')) return null;
  return { objects, next: isTruncated ? next : null };
}

function decoded(key: string): Pick<ListedObject, 'key' | 'isText'> {
  const escaped = key.replaceAll('+', ' ');
  try {
    return { key: decodeURIComponent(escaped), isText: true };
  } catch {
    return { key: escaped.replace(/(%[0-9a-f]{2})+/gi, textOf), isText: false };
  }
}

function textOf(escapes: string): string {
  return Buffer.from(escapes.replaceAll('%', ''), 'hex').toString();
}

function textIn(xml: string, name: string): string | null {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return found === undefined ? null : unescaped(found);
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(#x?[0-9a-fA-F]{1,6}|lt|gt|amp|quot|apos);/g, (whole, entity: string) => {
    if (!entity.startsWith('#')) return entities[entity] ?? whole;
    const code = entity.startsWith('#x') ? Number.parseInt(entity.slice(2), 16) : Number(entity.slice(1));
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
