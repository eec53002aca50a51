/**
 * How fast replay runs: one definition for the sentence, the tile, the rows and the pages.
 *
 * What counts is what the store has taken of a backfill, inserted or there already, as its applier tells it with each tick, over the last two seconds; of a
 * store that is not ours, which nobody here can look into, what was published. A pipeline's rate is the sum of those of its backfills, to the tenth.
 */
import type { ReplayRate } from '../api/pipeline.ts';

export const REPLAY_RATE_WINDOW_MS = 2_000;

export const unknownReplay = (of: ReplayRate['of']): ReplayRate => ({
  of,
  eventsPerSecond: null,
  backfills: [],
});

/** `atWork`: those that are told also when nothing of them comes. Of what has ended or is held the rest is applied; at rest it is left out. */
export function replayRate(
  of: ReplayRate['of'],
  rates: ReadonlyMap<string, number> | null,
  atWork: Iterable<string>,
): ReplayRate {
  if (rates === null) return unknownReplay(of);
  const all = new Map<string, number>([...atWork].map((id) => [id, 0]));
  for (const id of rates.keys()) if (all.has(id) || partOf(rates, id) > 0) all.set(id, partOf(rates, id));
  return sumOfReplay(of, all);
}

/** As it stands in the sum. */
export function partOf(rates: ReadonlyMap<string, number>, backfillId: string): number {
  return toTenth(rates.get(backfillId) ?? 0);
}

/** Of one backfill: what the pipeline's rate is the sum of. Null: unknown. */
export function replayRateOf(replay: ReplayRate, backfillId: string): number | null {
  if (replay.eventsPerSecond === null) return null;
  return replay.backfills.find((part) => part.backfillId === backfillId)?.eventsPerSecond ?? 0;
}

/** The mean of a longer step: of the seconds in which it was known, nothing of those in which a backfill was not at work. */
export function meanReplay(seconds: readonly (ReplayRate | null | undefined)[]): ReplayRate | null {
  const known = seconds.filter((second) => second != null && second.eventsPerSecond !== null);
  const [last] = known.slice(-1);
  if (last == null) return null;
  const alike = known.filter((second) => second?.of === last.of);
  const parts = new Map<string, number>();
  for (const second of alike)
    for (const { backfillId, eventsPerSecond } of second?.backfills ?? [])
      parts.set(backfillId, (parts.get(backfillId) ?? 0) + eventsPerSecond / alike.length);
  return sumOfReplay(last.of, new Map([...parts].map(([id, rate]) => [id, toTenth(rate)])));
}

/** By backfill. */
export function sumOfReplay(of: ReplayRate['of'], rates: ReadonlyMap<string, number>): ReplayRate {
  return {
    of,
    eventsPerSecond: toTenth([...rates.values()].reduce((sum, rate) => sum + rate, 0)),
    backfills: [...rates].map(([backfillId, eventsPerSecond]) => ({ backfillId, eventsPerSecond })),
  };
}

const toTenth = (rate: number) => Math.round(rate * 10) / 10;
