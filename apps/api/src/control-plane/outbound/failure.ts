/** Why a request of ours failed, in a sentence that anyone who may see its outcome may read: it never quotes the url, nor an answer. */
export class OutboundFailure extends Error {
  constructor(sentence: string, options?: ErrorOptions) {
    super(sentence, options);
    this.name = new.target.name;
  }
}

const sentences: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the host refused the connection',
  ECONNRESET: 'the connection was closed before the answer',
  EPIPE: 'the connection was closed before the answer',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be looked up',
  EAI_NODATA: 'the host name has no address',
  ETIMEDOUT: 'the host did not answer',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the host cannot be reached',
  ENOENT: 'nothing listens there',
  EACCES: 'the connection is not permitted',
  HPE_HEADER_OVERFLOW: 'the headers of the answer are too large',
};

/** Messages of drivers and of the network like to quote where they went, so only codes are believed. `otherwise`: when nothing better is known. */
export function sentenceOf(error: unknown, otherwise = 'it could not be read'): string {
  if (error instanceof OutboundFailure) return error.message;
  const code = codeOf(error);
  if (code === null) return otherwise;
  return sentences[code] ?? `${otherwise} (${code})`;
}

function codeOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  // Several addresses of one host were tried: the first says as much as all.
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  const code = 'code' in error ? error.code : null;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,40}$/.test(code) ? code : null;
}
