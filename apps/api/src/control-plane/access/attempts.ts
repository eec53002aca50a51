import type { Clock } from '../context.ts';

const burst = 10;
const oneMoreEveryMs = 6_000;
const maxAddresses = 10_000;

/**
 * Counts failed sign-ins per address: ten in a row, then one every six seconds. An address that has failed too often waits;
 * others, and whoever is signed in already, notice nothing.
 */
export interface Attempts {
  /** 0: may try. Otherwise the ms until it may. */
  waitMs(address: string): number;
  failed(address: string): void;
  succeeded(address: string): void;
}

export function createAttempts(clock: Clock): Attempts {
  // The moment at which the address has its whole burst again; a failure moves it by one interval.
  const wholeAgainAt = new Map<string, number>();
  const debtMs = (address: string) => Math.max(0, (wholeAgainAt.get(address) ?? 0) - clock.monotonic());
  return {
    waitMs: (address) => Math.max(0, Math.ceil(debtMs(address) - (burst - 1) * oneMoreEveryMs)),
    failed(address) {
      const debt = debtMs(address) + oneMoreEveryMs;
      wholeAgainAt.delete(address);
      // The oldest goes when the table is full: memory stays bounded whatever comes in.
      if (wholeAgainAt.size >= maxAddresses) wholeAgainAt.delete(wholeAgainAt.keys().next().value as string);
      wholeAgainAt.set(address, clock.monotonic() + debt);
    },
    succeeded: (address) => void wholeAgainAt.delete(address),
  };
}
