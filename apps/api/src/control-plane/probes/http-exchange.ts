/**
 * One GET whose answer is JSON, for probes. No redirects, no compression, at most 1 MiB, no kept connection; the host is looked up
 * once and the connection goes to what was checked. Its time limit is the caller's signal, over the whole exchange.
 */
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { bareHost, pinnedTo, resolveOnce } from './address.ts';
import { ProbeFailure } from './failure.ts';

const MAX_BODY_BYTES = 1024 * 1024;

export interface JsonAnswer {
  readonly status: number;
  /** Undefined when the body is no JSON. */
  readonly document: unknown;
}

/** Errors: {@link ProbeFailure}, or whatever the network says. */
export async function getJson(url: URL, signal: AbortSignal): Promise<JsonAnswer> {
  const addresses = await resolveOnce(url.hostname, signal);
  signal.throwIfAborted();
  const answer = await exchange(url, pinnedTo(addresses), signal);
  const status = answer.statusCode ?? 0;
  if (status >= 300 && status < 400) {
    answer.destroy();
    throw new ProbeFailure(`the answer is a redirect (${status}): redirects are not followed`);
  }
  const encoding = answer.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    answer.destroy();
    throw new ProbeFailure('the answer is compressed although that was not asked for');
  }
  return { status, document: parsed(await bodyOf(answer)) };
}

function exchange(url: URL, lookup: LookupFunction, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = (url.protocol === 'https:' ? requestHttps : requestHttp)({
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
      accept: 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'spillway-probe',
    },
    agent: false,
    lookup,
    signal,
  });
  request.on('response', resolve);
  // Stays on after the response has begun: an abort must reject nobody's promise twice and crash nothing.
  request.on('error', reject);
  request.end();
  return promise;
}

async function bodyOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Leaving the loop destroys the answer, and with it the connection.
    if (bytes > MAX_BODY_BYTES) throw new ProbeFailure('the answer is longer than 1 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
