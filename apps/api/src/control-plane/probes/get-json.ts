import { bodyOf, exchange, redirectSentence } from '../outbound/exchange.ts';
import { ProbeFailure } from './failure.ts';
import { probeGuard } from './guard.ts';

export interface JsonAnswer {
  readonly status: number;
  /** Undefined when the body is no JSON. */
  readonly document: unknown;
}

/** Errors: `OutboundFailure`, or whatever the network says. */
export async function getJson(url: URL, signal: AbortSignal): Promise<JsonAnswer> {
  const headers = { accept: 'application/json', 'user-agent': 'spillway-probe' };
  const answer = await exchange({ method: 'GET', url, headers, guard: probeGuard }, signal);
  const status = answer.statusCode ?? 0;
  const redirect = redirectSentence(status);
  if (redirect !== null) {
    answer.destroy();
    throw new ProbeFailure(redirect);
  }
  return { status, document: parsed(await bodyOf(answer)) };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
