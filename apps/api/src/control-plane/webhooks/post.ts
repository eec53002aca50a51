import { exchange, redirectSentence } from '../outbound/exchange.ts';
import { sentenceOf } from '../outbound/failure.ts';
import { guardOf } from './guard.ts';
import { signedHeaders } from './signature.ts';

/** Over the whole exchange, look-up included. */
const TIME_LIMIT_MS = 10_000;

export interface Posted {
  /** Null: there was no answer. */
  readonly status: number | null;
  /** Null: it was taken (2xx). Otherwise why not, in a sentence that quotes neither the url nor the answer. */
  readonly error: string | null;
}

/** One attempt. Never rejects; ends at its time limit, or when `end` aborts. */
export async function post(
  message: { readonly id: string; readonly body: string },
  to: { readonly url: string; readonly secret: string; readonly named: readonly string[] },
  nowMs: number,
  end: AbortSignal,
): Promise<Posted> {
  const url = URL.parse(to.url);
  if (url === null) return { status: null, error: 'the url cannot be read' };
  const late = AbortSignal.timeout(TIME_LIMIT_MS);
  try {
    const answer = await exchange(
      {
        method: 'POST',
        url,
        headers: {
          'content-type': 'application/cloudevents+json; charset=utf-8',
          'user-agent': 'spillway-webhook',
          ...signedHeaders(to.secret, message, nowMs),
        },
        body: message.body,
        guard: guardOf(url, to.named),
      },
      AbortSignal.any([late, end]),
    );
    // Its status is all that is asked of it.
    answer.destroy();
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return { status, error: null };
    return { status, error: redirectSentence(status) ?? `the receiver answered with status ${status}` };
  } catch (error) {
    if (late.aborted) return { status: null, error: `no answer within ${TIME_LIMIT_MS / 1_000} s` };
    return { status: null, error: sentenceOf(error, 'it could not be sent') };
  }
}
