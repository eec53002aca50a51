/**
 * One HTTP exchange with a host that a user has named. No redirects, no kept connection; the host is looked up once
 * and the connection goes to what was checked. Its time limit is the caller's signal, over the whole exchange.
 */
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { bareHost, type OutboundGuard, pinnedTo, resolveOnce } from './address.ts';
import { OutboundFailure } from './failure.ts';

const MAX_BODY_BYTES = 1024 * 1024;

interface OutboundRequest {
  readonly method: 'GET' | 'POST';
  /** http or https; its user and password are sent. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly guard: OutboundGuard;
}

/** The head of the answer, redirects included: none is followed. The body is the caller's to read or to destroy. Errors: {@link OutboundFailure}, or whatever the network says. */
export async function exchange(request: OutboundRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const addresses = await resolveOnce(request.url.hostname, request.guard, signal);
  signal.throwIfAborted();
  return send(request, pinnedTo(addresses), signal);
}

/** Why the answer with this status is of no use: where it points has not been checked. Null: it is no redirect. */
export function redirectSentence(status: number): string | null {
  return status >= 300 && status < 400
    ? `the answer is a redirect (${status}): redirects are not followed`
    : null;
}

function send(
  { method, url, headers, body }: OutboundRequest,
  lookup: LookupFunction,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = (url.protocol === 'https:' ? requestHttps : requestHttp)({
    method,
    protocol: url.protocol,
    hostname: bareHost(url.hostname),
    port: url.port,
    path: `${url.pathname}${url.search}`,
    // The user and password of the url; absent when it has none.
    ...(url.username === '' && url.password === ''
      ? {}
      : { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` }),
    headers: {
      host: url.host,
      'accept-encoding': 'identity',
      ...headers,
      ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
    },
    agent: false,
    lookup,
    signal,
  });
  request.on('response', resolve);
  // Stays on after the response has begun: an abort must reject nobody's promise twice and crash nothing.
  request.on('error', reject);
  // Another protocol was not asked for. Unheard, such an answer is neither a response nor an error, and an abort that comes after it is none.
  request.on('upgrade', (_answer, socket) => {
    socket.destroy();
    reject(new OutboundFailure('the answer is no answer: it changes to another protocol'));
  });
  request.end(body);
  return promise;
}

/** Errors: {@link OutboundFailure} for one that is compressed or longer than 1 MiB. */
export async function bodyOf(answer: IncomingMessage): Promise<string> {
  const encoding = answer.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    answer.destroy();
    throw new OutboundFailure('the answer is compressed although that was not asked for');
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Leaving the loop destroys the answer, and with it the connection.
    if (bytes > MAX_BODY_BYTES) throw new OutboundFailure('the answer is longer than 1 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
