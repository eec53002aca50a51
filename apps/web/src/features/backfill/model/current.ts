import type { Backfill } from '@spillway/shared/api/backfill';
import { activeStates } from '@spillway/shared/backfill/state-machine';
import { newer } from './newer.ts';

interface Page {
  readonly items: readonly Backfill[];
  readonly total: number;
}

/**
 * What is at work and what is not, read at the same time, as one list in the order of the queue: the oldest first, so that what runs stands above
 * what waits, and what is new comes below and moves no row. One that changed from one to the other meanwhile is in both, and counts once.
 */
export function currentOf(
  atWork: Page,
  rest: Page,
): { readonly items: Backfill[]; readonly leftOut: number } {
  const found = new Map<string, Backfill>();
  for (const backfill of [...atWork.items, ...rest.items])
    found.set(backfill.id, newer(found.get(backfill.id), backfill));
  return {
    items: [...found.values()].sort(
      (a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt) || (a.id < b.id ? -1 : 1),
    ),
    leftOut: [atWork, rest].reduce((sum, { items, total }) => sum + Math.max(0, total - items.length), 0),
  };
}

const idleShown = 8;

/**
 * What Now lists: all that is at work, and of the others those that failed, which need somebody, before the first that wait: a queue of fifty
 * would push everything below it out of sight. In the order given.
 */
export function shownOnNow(backfills: readonly Backfill[]): readonly Backfill[] {
  const among = (wanted: (backfill: Backfill) => boolean) => backfills.filter(wanted);
  const atWork = among(({ state }) => activeStates.includes(state));
  const failed = among(({ state }) => state === 'failed');
  const waiting = among((each) => !atWork.includes(each) && !failed.includes(each));
  const shown = new Set([...atWork, ...[...failed, ...waiting].slice(0, idleShown)]);
  return among((each) => shown.has(each));
}
