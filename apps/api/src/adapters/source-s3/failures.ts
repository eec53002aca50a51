/**
 * What the object store says, in the port's words. Of its answer only the code is repeated: its message may hold the key that was used, and what
 * was signed with it.
 */
import { SourceError } from '../../data-plane/ports.ts';
import { changedMeanwhile } from '../source-objects/objects.ts';
import type { S3Address } from './address.ts';

export interface Refusal {
  readonly status: number;
  /** As `SlowDown`; null: the answer has none. */
  readonly code: string | null;
  /** Where the bucket is, if the store says so. */
  readonly region: string | null;
}

/** Worth another try: the store is busy or broken for now. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504, 509]);
const PASSING_CODES = new Set(['RequestTimeout', 'SlowDown', 'Throttling', 'InternalError']);

export function mayPass({ status, code }: Pick<Refusal, 'status' | 'code'>): boolean {
  return PASSING.has(status) || (code !== null && PASSING_CODES.has(code));
}

const DENIED: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: 'does not know the access key',
  SignatureDoesNotMatch: 'refuses the secret of the access key',
  InvalidToken: 'refuses the session token',
  ExpiredToken: 'refuses the session token: it has expired',
  RequestTimeTooSkewed: "refuses what is signed by this machine's clock, which is wrong",
  InvalidObjectState: 'has archived it: it must be restored first',
};

const ELSEWHERE = new Set([
  'PermanentRedirect',
  'TemporaryRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
]);

/** `path`: of the object that was asked for; null: its bucket was to be listed. */
export function refused(
  { status, code, region }: Refusal,
  { bucket, shown, region: configured }: S3Address,
  path: string | null,
): SourceError {
  const said = code === null ? `${status}` : `${status} ${code}`;
  const of = path ?? shown;
  if (mayPass({ status, code }))
    return new SourceError('source_unavailable', `the store of ${of} answers ${said}`);
  if (status === 412 || status === 416 || (status === 404 && path !== null && code !== 'NoSuchBucket'))
    return changedMeanwhile(of);
  if (status === 404)
    return new SourceError('source_missing', `there is no bucket ${bucket} (${shown} answers ${said})`);
  if ((status >= 300 && status < 400) || ELSEWHERE.has(code ?? '')) {
    const where = region === null ? 'another region or at another endpoint' : `region ${region}`;
    return new SourceError('source_schema', `bucket ${bucket} is in ${where}, not ${configured} (${said})`);
  }
  const why = DENIED[code ?? ''];
  if (why !== undefined || status === 401 || status === 403) {
    const needed = 'does not let this key do what a source needs: s3:ListBucket and s3:GetObject';
    return new SourceError('source_denied', `the store of ${of} ${why ?? needed} (${said})`);
  }
  return new SourceError('source_schema', `the store of ${of} does not take the request (${said})`);
}

/** Of a connection, not of an answer. Null: another try may help. */
export function finalFailure(error: unknown, { shown }: S3Address): SourceError | null {
  const { code = '' } = error as NodeJS.ErrnoException;
  return /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ERR_TLS|ERR_SSL|EPROTO/.test(code)
    ? new SourceError('source_denied', `no secure connection to ${shown}: ${code}`, null, { cause: error })
    : null;
}
