import type { UsageCounter } from '../cost/usage.ts';
import type { Retention } from './stream-plan.ts';

/** What a quote rested on, and what of it has changed since: a start that names the quote is refused then (`quote_drifted`). */
export interface QuoteBasis {
  /** By source: its fingerprint, of one that is written to all the time its events of the window; null while it has not been counted. */
  readonly sources: Readonly<Record<string, string | null>>;
  /** As asked, canonical: pipeline, sources, window, subwindow, mode. */
  readonly request: string;
  readonly priceBookVersion: number | null;
  readonly route: 'separate' | 'shared';
  readonly highWaterMark: number;
  /** Parts of the capacity, 0..1: what is asked for by default, what is left to live, what replay has at least. */
  readonly replayShare: number;
  readonly headroom: number;
  readonly replayFloor: number;
  /** Null: unknown. */
  readonly capacityEventsPerSecond: number | null;
  /** Ids of unfinished backfills that overlap it. */
  readonly overlaps: readonly string[];
  /** Compared by what comes of it alone (outcome-drift.ts); absent: made before that was kept. */
  readonly moving?: Moving;
}

/** What a quote rested on that moves, as it was then. */
export interface Moving {
  /** Events/s; null: not known then. */
  readonly liveEventsPerSecond: number | null;
  /** Of live's p99, ms; null: none. */
  readonly freshnessTargetMs: number | null;
  readonly retention: Retention;
  /** Likely use per event, and time as a ratio to the model. */
  readonly learned: Readonly<Partial<Record<UsageCounter | 'duration', number>>>;
  /** The stream had room for it; null: unknown. */
  readonly fits: boolean | null;
}

/** A start that names the quote must ask for the same. */
export interface QuotedRequest {
  readonly pipelineId: string;
  /** All that were chosen, sorted. */
  readonly sourceIds: readonly string[];
  /** False: every source that the pipeline had. */
  readonly sourcesNamed: boolean;
  /** As asked, before clipping: epoch ms, half-open. */
  readonly window: { readonly from: number; readonly to: number };
  readonly subwindowMs: number;
}

export interface Drift {
  /** JSON pointer into the basis. */
  readonly pointer: string;
  readonly detail: string;
}

/** Capacity is refined all the time; a change within it is within the range of the quote. */
export const CAPACITY_DRIFT_PART = 0.2;

/** Empty: the quote holds. */
export function driftOf(quoted: QuoteBasis, now: QuoteBasis): Drift[] {
  const drifts: Drift[] = [];
  const compare = (pointer: string, before: unknown, after: unknown, what: string) => {
    if (before !== after) drifts.push({ pointer, detail: `${what}: ${changeOf(before, after)}` });
  };
  compare('/request', quoted.request, now.request, 'What is asked for');
  for (const id of new Set([...Object.keys(quoted.sources), ...Object.keys(now.sources)])) {
    const [before, after] = [fingerprintIn(quoted, id), fingerprintIn(now, id)];
    if (before !== after)
      drifts.push({ pointer: `/sources/${id}`, detail: `Source ${id}${sourceChange(before, after)}` });
  }
  compare('/priceBookVersion', quoted.priceBookVersion, now.priceBookVersion, 'Version of the price book');
  compare('/route', quoted.route, now.route, 'Route');
  compare('/highWaterMark', quoted.highWaterMark, now.highWaterMark, 'High-water mark');
  compare('/replayShare', quoted.replayShare, now.replayShare, 'Replay share');
  compare('/headroom', quoted.headroom, now.headroom, 'Headroom');
  compare('/replayFloor', quoted.replayFloor, now.replayFloor, 'Floor of replay');
  if (!near(quoted.capacityEventsPerSecond, now.capacityEventsPerSecond))
    compare(
      '/capacityEventsPerSecond',
      quoted.capacityEventsPerSecond,
      now.capacityEventsPerSecond,
      'Capacity, events/s',
    );
  const joined = (ids: readonly string[]) => ids.toSorted().join(', ') || 'none';
  compare('/overlaps', joined(quoted.overlaps), joined(now.overlaps), 'Overlapping backfills');
  return drifts;
}

/** A fingerprint says nothing to anybody but that it is another. */
function sourceChange(before: string | null, after: string | null): string {
  const isPrint = (held: string | null) => held === null || /^[0-9a-f]{32,}$/.test(held);
  if (!isPrint(before) || !isPrint(after)) return `: ${changeOf(before, after)}`;
  if (after === null) return ' was counted when quoted, and cannot be now.';
  if (before === null) return ' had not been counted when quoted, and is now.';
  return ' holds something else than when it was quoted.';
}

function changeOf(before: unknown, after: unknown): string {
  return `${text(before)} when quoted, ${text(after)} now.`;
}

/** One that is not among them is not one that has not been counted. */
function fingerprintIn({ sources }: QuoteBasis, id: string): string | null {
  return Object.hasOwn(sources, id) ? (sources[id] ?? null) : 'none of its sources';
}

function near(before: number | null, after: number | null): boolean {
  if (before === null || after === null) return before === after;
  return Math.abs(after - before) <= CAPACITY_DRIFT_PART * before;
}

function text(value: unknown): string {
  if (typeof value === 'number') return String(Math.abs(value) < 1 ? value : Math.round(value));
  return value === null ? 'unknown' : String(value);
}
