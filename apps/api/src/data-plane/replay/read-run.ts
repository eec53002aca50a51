/**
 * One attempt at one run of subwindows: history in, stream out, at the pool's rate.
 *
 * The order of the waits is the design in small: first the stream must have room (backpressure, the safety valve), then the
 * bucket must have tokens (the rate, the ceiling), and only then is something published. Stop, revocation and the lease's own
 * deadline are looked at before every append, so the most that can still reach the stream after a stop is the append
 * already under way.
 */
import type { Lease } from '@spillway/shared/api/worker-protocol';
import type { Clock } from '../clock.ts';
import type { PipelineEvent, QuarantinedEvent } from '../event.ts';
import { scanUse } from '../meter/scan-use.ts';
import type { Use } from '../meter/usage-ledger.ts';
import { pause } from '../pause.ts';
import type { HistorySource, PublishedStream, StreamEntry, StreamOffset } from '../ports.ts';
import type { HighWaterGate } from './high-water-gate.ts';
import type { StageClock } from './stage-clock.ts';
import type { TokenBucket } from './token-bucket.ts';

export interface RunProgress {
  /** Everything before it is durable on the stream. */
  cursor: string | null;
  read: number;
  published: number;
  quarantined: number;
  /** Of `published`, what an earlier attempt had published already. */
  again: number;
  /** Of `published`, by this attempt or an earlier one, what lies beyond the cursor. */
  ahead: number;
  /** Most entries on the stream after one of its appends, whoever published them; 0: it has made none. */
  streamPeak: number;
}

export interface RunParts {
  readonly lease: Lease;
  readonly history: HistorySource;
  readonly stream: Pick<PublishedStream, 'producer'>;
  readonly bucket: TokenBucket;
  readonly gate: HighWaterGate;
  readonly stage: StageClock;
  readonly clock: Clock;
  /** Aborted by stop, revocation or drain. */
  readonly signal: AbortSignal;
  /** By the monotonic clock; moves with every renewal. */
  readonly deadlineMs: () => number;
  /** Aborted when it is somebody else's turn: it ends with its next checkpoint. */
  readonly askedBack: AbortSignal;
  /** That share the bucket, this one among them. */
  readonly sharers: () => number;
  readonly progress: RunProgress;
  readonly quarantine: (rows: readonly QuarantinedEvent[]) => void;
  /** Told of every append that is durable. */
  readonly published: (events: number) => void;
  /** For the meter. */
  readonly used: (use: Use) => void;
}

/** `published`: the marker is on the stream at `marker`. `stopped`: nothing more will be published by this attempt. */
export type RunOutcome =
  | { readonly type: 'published'; readonly marker: StreamOffset }
  | { readonly type: 'stopped' };

const LONGEST_APPEND = 1_000;
const SMALLEST_BATCH = 16;
const LARGEST_BATCH = 2_000;
/** A checkpoint at least this often at its part of the granted rate, so that a stop repeats little. */
const CHECKPOINT_MS = 250;
/** For so long an attempt that is asked back goes on, so that nothing of its batch is published twice; whoever waits for the lease has waited longer. */
const TO_CHECKPOINT_MS = 5_000;
const BACKPRESSURE_POLL_MS = 5;
const APPEND_MS = 4;
const PATIENCE_MS = 3 * APPEND_MS;

export async function readRun(parts: RunParts): Promise<RunOutcome> {
  const { lease, progress, stage, signal, askedBack } = parts;
  const batches = parts.history
    .read({
      sourceId: lease.sourceId,
      range: { from: lease.from, to: lease.to },
      after: progress.cursor,
      // A lease may begin at rate zero until another has handed over; what the pool has is nearer to what it will get.
      maxEvents: batchSize(
        Math.max(lease.grant.eventsPerSecond, parts.bucket.eventsPerSecond / parts.sharers()),
      ),
      signal: AbortSignal.any([signal, askedBack]),
      scanned: (scan) => parts.used(scanUse(parts.history, scan)),
    })
    [Symbol.asyncIterator]();
  try {
    while (!askedBack.aborted) {
      const step = await stage.during('busy', () => batches.next());
      if (step.done) return await finish(parts);
      const { events, quarantined, cursor } = step.value;
      progress.read += events.length + quarantined.length;
      parts.used({ events: events.length + quarantined.length });
      if (!(await publish(parts, events))) return { type: 'stopped' };
      parts.quarantine(quarantined);
      progress.quarantined += quarantined.length;
      progress.ahead = Math.max(0, progress.ahead - events.length);
      progress.cursor = cursor;
    }
  } finally {
    await batches.return?.();
  }
  return { type: 'stopped' };
}

async function finish(parts: RunParts): Promise<RunOutcome> {
  const { lease, progress, askedBack } = parts;
  // What reads may end, too, because it is to stop.
  if (mustStop(parts) || askedBack.aborted) return { type: 'stopped' };
  const marker = await parts.stream.producer.append([
    {
      type: 'marker',
      backfillId: lease.backfillId,
      leaseId: lease.id,
      fencingToken: lease.fencingToken,
      count: progress.published,
      publishedAt: parts.clock.now(),
    },
  ]);
  parts.used({ streamOperations: 1, publishedBytes: marker.bytes });
  return { type: 'published', marker: marker.lastOffset };
}

/** False when the attempt must stop before all were published. */
async function publish(parts: RunParts, events: readonly PipelineEvent[]): Promise<boolean> {
  const { bucket, gate, stage, clock, signal, progress, askedBack } = parts;
  let next = 0;
  let bytes = 0;
  let sinceMs = clock.monotonic();
  let askedBackAtMs: number | null = null;
  const mustGiveBack = () => {
    if (!askedBack.aborted) return false;
    askedBackAtMs ??= clock.monotonic();
    return next === 0 || clock.monotonic() - askedBackAtMs >= TO_CHECKPOINT_MS;
  };
  while (next < events.length) {
    const wanted = Math.min(events.length - next, LONGEST_APPEND);
    const passed = await gate.pass(async (room, length): Promise<number | 'closed' | 'stop'> => {
      if (mustStop(parts) || mustGiveBack()) return 'stop';
      if (room === 0) return 'closed';
      const most = Math.min(wanted, room);
      // Who shares the bucket with one that takes less at a time would never find so much in it.
      const patient = clock.monotonic() - sinceMs < PATIENCE_MS;
      const least = patient ? Math.min(most, worthAnAppend(bucket.eventsPerSecond)) : 1;
      const allowed = bucket.take(most, least);
      if (allowed === 0) return 0;
      const entries = entriesOf(parts, events.slice(next, next + allowed));
      try {
        bytes = (await stage.during('append', () => parts.stream.producer.append(entries))).bytes;
      } finally {
        bucket.arrived(allowed);
      }
      progress.streamPeak = Math.max(progress.streamPeak, length + allowed);
      return allowed;
    });
    if (passed === 'stop') return false;
    if (passed === 'closed') await stage.during('blocked', () => pause(BACKPRESSURE_POLL_MS, signal));
    else if (passed === 0)
      await stage.during('idle', () =>
        // A timer cuts fractions off, and would be too early for what it waits for.
        pause(Math.ceil(bucket.msUntil(Math.min(wanted, worthAnAppend(bucket.eventsPerSecond)))), signal),
      );
    else {
      progress.published += passed;
      progress.again += Math.min(passed, Math.max(0, progress.ahead - next));
      parts.published(passed);
      parts.used({ streamOperations: passed, publishedBytes: bytes });
      next += passed;
      progress.ahead = Math.max(progress.ahead, next);
      sinceMs = clock.monotonic();
    }
  }
  return true;
}

function entriesOf(parts: RunParts, events: readonly PipelineEvent[]): StreamEntry[] {
  const publishedAt = parts.clock.now();
  const publisher = { kind: 'backfill', backfillId: parts.lease.backfillId } as const;
  return events.map((event) => ({ type: 'event', event, publisher, publishedAt }));
}

function mustStop({ signal, clock, deadlineMs }: RunParts): boolean {
  return signal.aborted || clock.monotonic() >= deadlineMs();
}

/**
 * What is earned in this time, at least one. With fewer, what was earned while one append was under way would be the next one: eight
 * events at 60,000 a second, with stream and reader busy at nothing else. With more, a late timer would find the bucket overflowing, and the
 * stream's other users would wait longer.
 */
function worthAnAppend(eventsPerSecond: number): number {
  return Math.max(1, Math.floor((eventsPerSecond * APPEND_MS) / 1000));
}

/**
 * Events read between two checkpoints. No more than come in the time for which an attempt that is asked back goes on: where leases are taken in turn a longer
 * batch would be begun anew by each, and never be finished. At rate zero nobody knows.
 */
function batchSize(eventsPerSecond: number): number {
  const inTime = eventsPerSecond === 0 ? SMALLEST_BATCH : (eventsPerSecond * TO_CHECKPOINT_MS) / 1000;
  const smallest = Math.max(1, Math.min(SMALLEST_BATCH, Math.floor(inTime)));
  return Math.round(Math.min(LARGEST_BATCH, Math.max(smallest, (eventsPerSecond * CHECKPOINT_MS) / 1000)));
}
