/**
 * Proof of one source of a backfill: the source is read a second time and compared with what the store holds, slice by slice.
 *
 * Each slice is one short statement, so one snapshot: stored events are digested again by the database itself. A slice is a
 * whole number of buckets; where the window cuts a bucket, that bucket is a slice by itself: its events inside the window are compared with the
 * source, and its row with all events of the bucket, so it is read twice. Slices are sized by time, and as long as one took the store rests: proving never
 * takes more than half of a store that live is writing to. Nor does it read faster than it may: the rate of a replay holds for its proof.
 *
 * A slice is a week at most, which bounds what is held of source and store. Where both have nothing slices grow on, and one of more than a week is
 * proved only when it has been seen to be empty: a century without an event is a few statements.
 */

import type { BucketMismatch } from '@spillway/shared/api/backfill';
import type { CompleteLease } from '@spillway/shared/api/worker-protocol';
import type { Clock } from '../clock.ts';
import { scanUse } from '../meter/scan-use.ts';
import type { Use } from '../meter/usage-ledger.ts';
import { pause } from '../pause.ts';
import {
  type HistorySource,
  type SourceScan,
  StoreError,
  type StoreReader,
  type TimeRange,
} from '../ports.ts';
import { compareDigests } from './compare.ts';
import { SourceDigest } from './digest.ts';

export interface ProofParts {
  readonly history: HistorySource;
  readonly store: Pick<StoreReader, 'proof' | 'buckets'>;
  readonly sourceId: string;
  readonly window: TimeRange;
  readonly bucketMs: number;
  /** How fast it may compare, events/s, above 0; null: as the store lets it. */
  readonly eventsPerSecond: number | null;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly mayContinue: () => boolean;
  readonly progressed: (progress: {
    bucketsChecked: number;
    bucketsMatched: number;
    eventsChecked: number;
  }) => void;
  /** For the meter. */
  readonly used: (use: Use) => void;
}

type Verification = NonNullable<CompleteLease['verification']>;

const SLICE_TARGET_MS = 20;
const SLICE_MOST_SECONDS = 0.5;
const MAX_SLICE_BUCKETS = 24 * 7;
const MAX_MISMATCHES = 100;
const STORE_AGAIN_MS = 250;

/** Null when it had to stop before the end. */
export async function proveLane(parts: ProofParts): Promise<Verification | null> {
  const total = { bucketsChecked: 0, bucketsMatched: 0, eventsChecked: 0 };
  const mismatches: BucketMismatch[] = [];
  let sliceBuckets = 1;
  for (let from = parts.window.from; from < parts.window.to; ) {
    if (!parts.mayContinue()) return null;
    const range = { from, to: sliceEnd(from, parts, sliceBuckets) };
    const prove = sliceBuckets > MAX_SLICE_BUCKETS ? proveEmpty : proveSlice;
    const slice = await prove(parts, range).catch((error: unknown) => {
      // The store may be restarting: that says nothing against the data.
      if (error instanceof StoreError && error.code === 'store_unavailable') return null;
      throw error;
    });
    // A reading that was cut short proves nothing.
    if (parts.signal.aborted) return null;
    if (slice === null) {
      sliceBuckets = 1;
      await pause(STORE_AGAIN_MS, parts.signal);
      continue;
    }
    if (slice === 'not_empty') {
      sliceBuckets = MAX_SLICE_BUCKETS;
      continue;
    }
    total.bucketsChecked += slice.checked;
    total.bucketsMatched += slice.checked - slice.mismatches.length;
    total.eventsChecked += slice.events;
    mismatches.push(...slice.mismatches.slice(0, MAX_MISMATCHES - mismatches.length));
    parts.progressed({ ...total });
    from = range.to;
    sliceBuckets = nextSliceBuckets(sliceBuckets, slice, parts.eventsPerSecond);
    await pause(restMs(slice, parts.eventsPerSecond), parts.signal);
  }
  const state = total.bucketsMatched === total.bucketsChecked ? 'matched' : 'mismatched';
  return { state, ...total, detail: null, mismatches };
}

function sliceEnd(
  from: number,
  { window, bucketMs }: Pick<ProofParts, 'window' | 'bucketMs'>,
  buckets: number,
) {
  const start = bucketStart(from, bucketMs);
  if (start !== from) return Math.min(window.to, start + bucketMs);
  const lastWhole = bucketStart(window.to, bucketMs);
  return from === lastWhole ? window.to : Math.min(lastWhole, start + buckets * bucketMs);
}

/** However long it is: as soon as one side turns out to have something, nothing more of it is read. */
async function proveEmpty(parts: ProofParts, range: TimeRange) {
  const { store, sourceId } = parts;
  const rows = await store.buckets({ sourceIds: [sourceId], range, key: null, limit: 1, after: null });
  if (rows.length > 0) return 'not_empty';
  return (await isEmpty(readingOf(parts, range, 1))) ? proveSlice(parts, range) : 'not_empty';
}

async function isEmpty(reading: AsyncIterable<unknown>): Promise<boolean> {
  const iterator = reading[Symbol.asyncIterator]();
  const { done } = await iterator.next();
  await iterator.return?.();
  return done === true;
}

async function proveSlice(parts: ProofParts, range: TimeRange) {
  const { sourceId, bucketMs, clock } = parts;
  const outer = {
    from: bucketStart(range.from, bucketMs),
    to: bucketStart(range.to + bucketMs - 1, bucketMs),
  };
  const cut = outer.from !== range.from || outer.to !== range.to;
  const startedMs = clock.monotonic();
  const whole = await parts.store.proof({ sourceId, range: outer });
  const inside = cut ? (await parts.store.proof({ sourceId, range })).events : whole.events;
  const storeMs = clock.monotonic() - startedMs;
  parts.used({ storeReads: rowsOf(whole.events) + whole.buckets.length + (cut ? rowsOf(inside) : 0) });

  const source = new SourceDigest(bucketMs);
  for await (const batch of readingOf(parts, range, 2_000)) {
    parts.used({ events: batch.events.length + batch.quarantined.length });
    for (const event of batch.events) source.add(event);
  }
  // A bucket row without an event in the window (its events lie in the part that is cut off, or it has none at all) is looked at too.
  const { checked, mismatches } = compareDigests(sourceId, {
    source: source.digests(),
    stored: inside,
    whole: whole.events,
    rows: whole.buckets,
  });
  return {
    checked,
    mismatches,
    events: source.events,
    storeMs,
    tookMs: clock.monotonic() - startedMs,
  };
}

function readingOf({ history, sourceId, signal, used }: ProofParts, range: TimeRange, maxEvents: number) {
  const scanned = (scan: SourceScan) => used(scanUse(history, scan));
  return history.read({ sourceId, range, after: null, maxEvents, signal, scanned });
}

/** Stored events that were looked up for it. */
function rowsOf(digests: readonly { readonly count: number }[]): number {
  return digests.reduce((rows, { count }) => rows + count, 0);
}

function bucketStart(at: number, bucketMs: number): number {
  return Math.floor(at / bucketMs) * bucketMs;
}

interface ProvedSlice {
  readonly events: number;
  readonly storeMs: number;
  /** With the reading of the source. */
  readonly tookMs: number;
}

/** Doubles or halves towards a store time of about 20 ms a slice, and no more than half a second's worth of events; beyond a week while there is none. */
export function nextSliceBuckets(
  buckets: number,
  { storeMs, events }: Pick<ProvedSlice, 'storeMs' | 'events'>,
  eventsPerSecond: number | null,
): number {
  const most = (eventsPerSecond ?? Number.POSITIVE_INFINITY) * SLICE_MOST_SECONDS;
  if (storeMs > SLICE_TARGET_MS * 1.5 || events > most) return Math.max(1, Math.floor(buckets / 2));
  const longest = events > 0 ? MAX_SLICE_BUCKETS : Number.POSITIVE_INFINITY;
  const next = storeMs < SLICE_TARGET_MS / 2 && events <= most / 2 ? buckets * 2 : buckets;
  return Math.min(longest, next);
}

/** As long as the store has worked, or until the events of the slice are due. */
function restMs({ events, storeMs, tookMs }: ProvedSlice, eventsPerSecond: number | null): number {
  const dueMs = eventsPerSecond === null ? 0 : (events * 1000) / eventsPerSecond;
  return Math.max(storeMs, dueMs - tookMs);
}
