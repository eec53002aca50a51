/**
 * Requests that read, each tried again while it may pass: after a growing, random pause, so that many that were told to slow down do not come back
 * together. Connections are kept and counted: who finds none free waits.
 */
import {
  Agent as HttpAgent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as requestHttp,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { AwsV4Signer } from 'aws4fetch';
import { pause } from '../../data-plane/pause.ts';
import { SourceError } from '../../data-plane/ports.ts';
import { changedMeanwhile } from '../source-objects/objects.ts';
import type { S3Address } from './address.ts';
import { finalFailure, mayPass, type Refusal, refused } from './failures.ts';

const PATIENCE_MS = 20_000;
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 5_000;
/** Nothing comes for this long. */
const SILENCE_MS = 10_000;
/** From its first byte out to its last byte in, waiting for a connection included. */
const ATTEMPT_MS = 60_000;
const REFUSAL_BYTES_MAX = 64 << 10;

export interface S3Request {
  /** Null: of the bucket itself. */
  readonly key: string | null;
  /** Of the object, for messages. */
  readonly path: string | null;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes of the answer. */
  readonly bytesMax: number;
  /** The answer has as many as `bytesMax`; fewer are a truncated one. */
  readonly exact: boolean;
}

export interface S3Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Memory of its own. */
  readonly body: Buffer;
}

export interface RequestLimits {
  readonly connectionsMax: number;
  /** How long is tried again, ms. Default 20,000. */
  readonly patienceMs?: number | undefined;
}

export class S3Requests {
  readonly #address: S3Address;
  readonly #patienceMs: number;
  readonly #agents: { readonly http: HttpAgent; readonly https: HttpsAgent };
  readonly #closing = new AbortController();
  /** Of the day's signing key. */
  readonly #keys = new Map<string, ArrayBuffer>();

  constructor(address: S3Address, { connectionsMax, patienceMs = PATIENCE_MS }: RequestLimits) {
    this.#address = address;
    this.#patienceMs = patienceMs;
    const options = { keepAlive: true, maxSockets: connectionsMax, timeout: SILENCE_MS };
    this.#agents = { http: new HttpAgent(options), https: new HttpsAgent(options) };
  }

  /** Errors: {@link refused}; `source_unavailable` when no try has helped, or it is closed. */
  async get(request: S3Request): Promise<S3Answer> {
    const untilMs = performance.now() + this.#patienceMs;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LAST_PAUSE_MS)) {
      if (this.#closing.signal.aborted) throw closed();
      const outcome = await this.#attempt(request).catch((error: unknown) => this.#failureOf(error, request));
      if (!('mayPass' in outcome)) return outcome;
      if (!outcome.mayPass || performance.now() + pauseMs > untilMs) throw outcome.error;
      await pause(pauseMs * Math.random(), this.#closing.signal);
    }
  }

  close(): void {
    this.#closing.abort();
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  async #attempt(request: S3Request): Promise<S3Answer | Failure> {
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(ATTEMPT_MS)]);
    const answer = await this.#send(request, signal);
    const { statusCode: status = 0, headers } = answer;
    if (status < 200 || status >= 300) {
      const refusal = refusalIn(status, headers, await bodyOf(answer, REFUSAL_BYTES_MAX));
      return {
        mayPass: mayPass(refusal),
        error: refused(refusal, this.#address, request.path),
      };
    }
    // Not every store heeds If-Match; of another version nothing is read, least of all as if it were cut off.
    const wanted = request.headers?.['if-match'];
    if (wanted !== undefined && headers.etag !== undefined && headers.etag !== wanted) {
      answer.destroy();
      return { mayPass: false, error: changedMeanwhile(request.path ?? this.#address.shown) };
    }
    const body = await bodyOf(answer, request.bytesMax);
    if (request.exact && body.length < request.bytesMax) throw new Error('the answer ends too early');
    return { status, headers, body };
  }

  async #send({ key, query, headers }: S3Request, signal: AbortSignal): Promise<IncomingMessage> {
    const url = this.#address.url(key, query);
    const secure = url.protocol === 'https:';
    const options = {
      headers: { ...(await this.#signed(url, headers)), 'accept-encoding': 'identity' },
      agent: secure ? this.#agents.https : this.#agents.http,
      signal,
    };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const sent = secure ? requestHttps(url, options) : requestHttp(url, options);
    sent.on('response', resolve);
    // Stays on after the answer has begun: it is told to whoever reads that.
    sent.on('error', reject);
    sent.on('timeout', () => sent.destroy(new Error(`nothing came for ${SILENCE_MS} ms`)));
    sent.end();
    return promise;
  }

  async #signed(
    url: URL,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Readonly<Record<string, string>>> {
    const { credentials, region } = this.#address;
    if (credentials === null) return headers;
    const signer = new AwsV4Signer({
      method: 'GET',
      url: url.href,
      headers: { ...headers },
      ...credentials,
      service: 's3',
      region,
      cache: this.#keys,
    });
    return Object.fromEntries((await signer.sign()).headers);
  }

  #failureOf(error: unknown, { path }: S3Request): Failure {
    if (this.#closing.signal.aborted) return { mayPass: false, error: closed() };
    const final = finalFailure(error, this.#address);
    if (final !== null) return { mayPass: false, error: final };
    const { code, message } = error as NodeJS.ErrnoException;
    const detail = `${path ?? this.#address.shown} cannot be read: ${code ?? message}`;
    return { mayPass: true, error: new SourceError('source_unavailable', detail, null, { cause: error }) };
  }
}

interface Failure {
  readonly mayPass: boolean;
  readonly error: SourceError;
}

/** At most `bytesMax`: what is longer is cut off, and its connection with it. */
async function bodyOf(answer: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const announced = Number(answer.headers['content-length'] ?? Number.NaN);
  let body = Buffer.allocUnsafeSlow(
    Math.min(bytesMax, Number.isSafeInteger(announced) ? announced : 64 << 10),
  );
  let filled = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    const taken = chunk.subarray(0, bytesMax - filled);
    if (filled + taken.length > body.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(bytesMax, 2 * (filled + taken.length)));
      body.copy(larger, 0, 0, filled);
      body = larger;
    }
    taken.copy(body, filled);
    filled += taken.length;
    if (taken.length < chunk.length) break;
  }
  if (filled === body.length) return body;
  const exact = Buffer.allocUnsafeSlow(filled);
  body.copy(exact, 0, 0, filled);
  return exact;
}

function refusalIn(status: number, headers: IncomingHttpHeaders, body: Buffer): Refusal {
  const region = `${headers['x-amz-bucket-region'] ?? ''}`;
  return {
    status,
    code: /<Code>([A-Za-z0-9.]{1,64})<\/Code>/.exec(body.toString('latin1'))?.[1] ?? null,
    region: /^[a-z0-9-]{1,64}$/.test(region) ? region : null,
  };
}

function closed(): SourceError {
  return new SourceError('source_unavailable', 'the source is closed');
}
