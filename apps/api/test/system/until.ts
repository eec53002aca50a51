/** Waiting for what really happens: no test sleeps for a guess. */
import { setTimeout as delay } from 'node:timers/promises';

/** The longer it takes, the seldomer it is looked for: a look is often a request, and who is waited for needs the core. */
const LOOK_EVERY_MS = { first: 50, last: 250, partOfWaited: 0.05 } as const;
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
  const startedMs = performance.now();
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    const waitedMs = performance.now() - startedMs;
    if (waitedMs > patienceMs) {
      const hint = lastSeen === undefined ? '' : `; seen last: ${JSON.stringify(lastSeen())}`;
      throw new Error(`waited ${Math.round(patienceMs / 1000)} s in vain for ${what}${hint}`);
    }
    await delay(
      Math.min(LOOK_EVERY_MS.last, Math.max(LOOK_EVERY_MS.first, waitedMs * LOOK_EVERY_MS.partOfWaited)),
    );
  }
}
