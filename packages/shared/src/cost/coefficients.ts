/**
 * What an event costs this pipeline, learned from its finished runs and refined by each: for every counter the use per event, and how far
 * off it was from run to run. Use that grows with time rather than with events (memory of the stream, duration) is learned as a ratio to what
 * the model of that run had said; for duration the model's own word counts as a run (spread.ts).
 *
 *     use per event = Σ use / Σ events over the last runs          unknown when no run has measured it
 *     ratio         = actual ÷ model, per run, geometric mean
 *
 * CPU goes with both: processes that wait use some of it. Where the runs had different rates, its two parts are told apart (two-parts.ts).
 */
import { likelyPause } from './longest-pause.ts';
import {
  CPU_SD,
  type Factors,
  FETCHED_SD,
  factorsFrom,
  factorsOfDuration,
  MEMORY_SD,
  PRIOR_SD,
} from './spread.ts';
import { factorsAt, type TwoParts, twoParts } from './two-parts.ts';
import { type Usage, type UsageCounter, usageCounters } from './usage.ts';

/** Older runs are of a pipeline that has changed since. */
export const RUNS_KEPT = 20;
/** A run of fewer events tells of its beginning and end only. */
export const RUN_EVENTS_MIN = 1_000;

/** A backfill that has completed. */
export interface FinishedRun {
  readonly events: number;
  readonly usage: Usage;
  /** From start to completion, holds left out, s. */
  readonly seconds: number;
  /** What the model says of its rate: s, and bytes × ms on the stream. */
  readonly modelled: { readonly seconds: number; readonly streamByteMs: number };
  /** The applier's, ms; null: its stream did not tell. */
  readonly longestPauseMs: number | null;
}

export interface Learned {
  /** Per event; for `streamByteMs` per modelled unit. */
  readonly use: number;
  /** On `use`. */
  readonly factors: Factors;
  readonly basis: 'learned' | 'assumed';
  /** Of which a part goes with time: what to reckon with instead, where seconds are known. Null: it has none, or runs do not tell them apart. */
  readonly parts: TwoParts | null;
  /** Per event, that it may come to where that is more than its range says; absent: its range says it. */
  readonly mostUse?: number;
}

export interface Coefficients {
  readonly runs: number;
  /** Absent: unknown, runs have not measured it. */
  readonly counters: Readonly<Partial<Record<UsageCounter, Learned>>>;
  /** actual ÷ modelled. */
  readonly duration: Factors;
  /** The applier's, ms. */
  readonly longestPauseMs: number;
}

/** Before the first run. Of the flights on a small machine, rounded; the range around them says how little they know. */
export const assumedPerEvent: Readonly<Record<UsageCounter, number>> = {
  events: 1,
  sourceRequests: 0.00002,
  sourceBytes: 16,
  streamOperations: 2,
  publishedBytes: 100,
  streamByteMs: 1,
  // The proof's: each event, and their buckets.
  storeReads: 1.15,
  rowsAttempted: 1,
  rowsInserted: 1,
  rowsNoop: 0,
  walBytes: 400,
  cpuMs: 0.03,
  egressBytes: 0,
};

/** Oldest first. */
export function learn(finished: readonly FinishedRun[]): Coefficients {
  const runs = finished.filter(({ events }) => events >= RUN_EVENTS_MIN).slice(-RUNS_KEPT);
  const counters: Partial<Record<UsageCounter, Learned>> = {};
  for (const counter of usageCounters) {
    const learned = runs.length === 0 ? assumed(counter) : learnedOf(counter, runs);
    if (learned !== null) counters[counter] = learned;
  }
  return {
    runs: runs.length,
    counters,
    duration: factorsOfDuration(
      runs.map(({ seconds, modelled }) => ({ seconds, modelled: modelled.seconds })),
    ),
    longestPauseMs: likelyPause(runs.flatMap(({ longestPauseMs }) => longestPauseMs ?? [])),
  };
}

/** What the store does, and the processes that write to it: of a store that is not ours nobody here can measure it, nor assume it. */
const ofStore = ['storeReads', 'rowsAttempted', 'rowsInserted', 'rowsNoop', 'walBytes'] as const;

export function withoutStore(known: Coefficients): Coefficients {
  const counters = { ...known.counters };
  for (const counter of ofStore) delete counters[counter];
  return { ...known, counters };
}

/** Of so many events in so many seconds, from start to completion. */
export function likelyUse(learned: Learned, events: number, seconds: number): number {
  const { use, factors, parts } = learned;
  if (parts === null) return use * factors.likely * events;
  return (parts.perEvent * events + parts.perSecond * seconds) * factorsOf(learned, events, seconds).likely;
}

/** How far off that may be. */
export function factorsOf({ factors, parts }: Learned, events: number, seconds: number): Factors {
  return parts === null ? factors : factorsAt(parts, events, seconds);
}

function assumed(counter: UsageCounter): Learned {
  return { use: assumedPerEvent[counter], factors: factorsFrom([]), basis: 'assumed', parts: null };
}

function learnedOf(counter: UsageCounter, runs: readonly FinishedRun[]): Learned | null {
  const seen = runs.flatMap((run) => {
    const use = run.usage[counter];
    const base = counter === 'streamByteMs' ? run.modelled.streamByteMs : run.events;
    return use === undefined || !(base > 0) ? [] : [{ use: Number(use), base }];
  });
  if (seen.length === 0) return null;
  const use = sumOf(seen.map((one) => one.use)) / sumOf(seen.map(({ base }) => base));
  // Runs that found all of it fetched tell nothing of one that does not, but that the next may find it so.
  if (use === 0 && fetched.has(counter)) {
    const { factors, ...rest } = assumed(counter);
    return { ...rest, factors: { ...factors, low: 0 } };
  }
  const ratios = seen.map((one) => one.use / one.base / use);
  // A counter that has always been zero stays zero: nothing scatters.
  const factors = use === 0 ? { low: 1, likely: 1, high: 1 } : factorsFrom(ratios, scatterOf(counter));
  // What an earlier run has had fetched is kept for a while: the next may need nothing of the source, and of what crosses a network that may be all.
  if (use > 0 && (fetched.has(counter) || counter === 'egressBytes'))
    return { use, factors: { ...factors, low: 0 }, basis: 'learned', parts: null };
  return { use, factors, basis: 'learned', parts: counter === 'cpuMs' ? partsOf(counter, runs) : null };
}

const fetched: ReadonlySet<UsageCounter> = new Set(['sourceRequests', 'sourceBytes']);

/** Of egress nobody knows whether it is rows that cross or what is fetched. */
function scatterOf(counter: UsageCounter): number {
  if (counter === 'cpuMs') return CPU_SD;
  if (counter === 'streamByteMs') return MEMORY_SD;
  return counter === 'egressBytes' || fetched.has(counter) ? FETCHED_SD : PRIOR_SD;
}

function partsOf(counter: UsageCounter, runs: readonly FinishedRun[]): TwoParts | null {
  return twoParts(
    runs.flatMap(({ usage, events, seconds }) => {
      const use = usage[counter];
      return use === undefined ? [] : [{ use: Number(use), events, seconds }];
    }),
  );
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
