/** Where a bucket is, and how its objects are asked for. */
import type { S3History } from '@spillway/shared/api/source';
import { isLoopback } from '../../config.ts';
import { type Reach, SourceError } from '../../data-plane/ports.ts';

const REGION = 'us-east-1';

export type S3Credentials = NonNullable<S3History['credentials']>;

export interface S3Address {
  readonly bucket: string;
  readonly region: string;
  /** Null: requests are not signed. */
  readonly credentials: S3Credentials | null;
  readonly reach: Reach;
  /** `s3://bucket`, for messages; with the host where it is not that of AWS. */
  readonly shown: string;
  /** Of an object, or of the bucket itself. */
  url(key: string | null, query?: Readonly<Record<string, string>>): URL;
}

/** Errors: `source_schema` for an endpoint that is no URL. */
export function addressOf(
  history: Pick<S3History, 'bucket' | 'region' | 'endpoint' | 'pathStyle' | 'credentials'>,
): S3Address {
  const { bucket, region = REGION, endpoint, credentials = null } = history;
  const base = URL.parse(endpoint ?? `https://s3.${region}.amazonaws.com`);
  if (base === null) throw new SourceError('source_schema', 'the endpoint is not a URL');
  const pathStyle = history.pathStyle ?? endpoint !== undefined;
  const host = pathStyle ? base.host : `${bucket}.${base.host}`;
  const begin = `${base.protocol}//${host}${pathStyle ? `/${bucket}` : ''}`;
  return {
    bucket,
    region,
    credentials,
    reach: isLoopback(base.hostname.replace(/^\[|\]$/g, '')) ? 'local' : 'network',
    shown: endpoint === undefined ? `s3://${bucket}` : `s3://${bucket} at ${base.host}`,
    url(key, query = {}) {
      // A bucket in the path has no slash behind it: what is signed is what is sent, and not every store forgives one.
      const path = key === null ? (pathStyle ? '' : '/') : `/${key.split('/').map(encoded).join('/')}`;
      const url = new URL(`${begin}${path}`);
      // Signed as it is sent: every character but the unreserved, a space included.
      url.search = Object.entries(query)
        .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
        .join('&');
      return url;
    },
  };
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
