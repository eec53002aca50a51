/** Waiting for what really happens: no test sleeps for a guess. */
import { setTimeout as delay } from 'node:timers/promises';

const LOOK_EVERY_MS = 50;
/** For a machine that does other things too; a promise in seconds is asserted where it is made, not here. */
const PATIENCE_MS = 120_000;

/** Polls until `look` answers with something true, which it returns. The error says what was seen last. */
export async function until<T>(
  what: string,
  look: () => Promise<T | false | null | undefined> | T | false | null | undefined,
  {
    patienceMs = PATIENCE_MS,
    lastSeen,
  }: { readonly patienceMs?: number; readonly lastSeen?: () => unknown } = {},
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (performance.now() > deadline) {
      const hint = lastSeen === undefined ? '' : `; seen last: ${JSON.stringify(lastSeen())}`;
      throw new Error(`waited ${Math.round(patienceMs / 1000)} s in vain for ${what}${hint}`);
    }
    await delay(LOOK_EVERY_MS);
  }
}
