/**
 * Lets the rest of the process live. Reading from decoded row groups never waits for anything, so a hungry reader would
 * keep timers and sockets waiting for as long as it reads; all readers of a source share one turn.
 */
import { setImmediate } from 'node:timers/promises';

const turnMs = 4;

export class Turn {
  #startedAt = performance.now();

  async breathe(): Promise<void> {
    if (performance.now() - this.#startedAt < turnMs) return;
    await setImmediate();
    this.#startedAt = performance.now();
  }
}

/** `promise`, or the signal's reason as soon as it is aborted; what is under way goes on for whoever else waits for it. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) promise.catch(() => undefined);
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
