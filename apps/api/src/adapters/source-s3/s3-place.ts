/** Objects below a prefix of a bucket. An object's version is its ETag: each read asks for that one and is answered with it, or fails. */
import { SourceError } from '../../data-plane/ports.ts';
import {
  isOfKind,
  type ObjectKind,
  type ObjectPlace,
  type OpenObject,
  type StoredObject,
} from '../source-objects/objects.ts';
import type { S3Address } from './address.ts';
import { listObjects } from './listing.ts';
import { type RequestLimits, type S3Answer, S3Requests } from './requests.ts';

export interface S3PlaceOptions extends RequestLimits {
  /** Default 30,000: a listing is a request for each thousand objects. */
  readonly lookMs?: number | undefined;
}

const LOOK_MS = 30_000;

export class S3Place implements ObjectPlace {
  readonly reach: ObjectPlace['reach'];
  readonly shown: string;
  readonly pieceBytes = { first: 256 << 10, most: 4 << 20 };
  readonly paysByRead = true;
  readonly lookMs: number;
  readonly #address: S3Address;
  readonly #prefix: string;
  readonly #kind: ObjectKind;
  readonly #requests: S3Requests;

  constructor(address: S3Address, prefix: string, kind: ObjectKind, options: S3PlaceOptions) {
    this.reach = address.reach;
    this.shown = `${address.shown}${prefix === '' ? '' : `, below ${prefix}`}`;
    this.lookMs = options.lookMs ?? LOOK_MS;
    this.#address = address;
    this.#prefix = prefix;
    this.#kind = kind;
    this.#requests = new S3Requests(address, options);
  }

  async list(): Promise<readonly StoredObject[]> {
    const listed = await listObjects(this.#requests, this.#address, this.#prefix);
    // A prefix may be the whole of a key; what only begins with it is another object then.
    const only = listed.find(({ key }) => key === this.#prefix && !key.endsWith('/'));
    const folder = this.#prefix.slice(0, this.#prefix.lastIndexOf('/') + 1);
    const wanted = (only === undefined ? listed : [only])
      .map(({ etag, ...object }) => ({ ...object, name: object.key.slice(folder.length), version: etag }))
      .filter(({ name }) => only !== undefined || isOfKind(name, this.#kind));
    refuseUnnamed(wanted);
    const objects = wanted
      .map(({ key, isText: _, ...object }) => ({ ...object, path: `s3://${this.#address.bucket}/${key}` }))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
    if (objects.length > 0) return objects;
    throw new SourceError('source_missing', `${this.shown} holds no ${this.#kind} objects`);
  }

  /** Nothing is held open. */
  async open(object: StoredObject): Promise<OpenObject> {
    return {
      read: (from, to) => (from === to ? Promise.resolve(Buffer.alloc(0)) : this.#read(object, from, to)),
      close: async () => undefined,
    };
  }

  async fingerprint({ version, bytes }: StoredObject): Promise<string> {
    return `${version} ${bytes}`;
  }

  async close(): Promise<void> {
    this.#requests.close();
  }

  async #read({ path, version, bytes }: StoredObject, from: number, to: number): Promise<Buffer> {
    if (from < 0 || to < from || to > bytes) throw new RangeError(`${path} has no bytes ${from} to ${to}`);
    const answer = await this.#requests.get({
      key: path.slice(`s3://${this.#address.bucket}/`.length),
      path,
      headers: { range: `bytes=${from}-${to - 1}`, 'if-match': version },
      bytesMax: to - from,
      exact: true,
    });
    if (!isRange(answer, from, to, bytes))
      throw new SourceError(
        'source_schema',
        `${path}: ${this.#address.shown} does not serve ranges of objects`,
      );
    return answer.body;
  }
}

/** A key that is no history harms nobody. */
function refuseUnnamed(wanted: readonly { readonly key: string; readonly isText: boolean }[]): void {
  const unnamed = wanted.find(({ isText }) => !isText);
  if (unnamed === undefined) return;
  const { key } = unnamed;
  throw new SourceError(
    'source_schema',
    `the key ${key} is not in UTF-8: name a longer prefix, or rename the object`,
    key,
  );
}

function isRange({ status, headers }: S3Answer, from: number, to: number, bytes: number): boolean {
  return status === 206
    ? (headers['content-range'] ?? '').startsWith(`bytes ${from}-${to - 1}/`)
    : from === 0 && to === bytes;
}
