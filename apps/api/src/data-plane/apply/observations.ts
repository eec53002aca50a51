/**
 * What the applier did, as a tick reports it. Counts are absolute, since the applier began or (per backfill) since the backfill
 * began; ratios and percentiles are of the interval since the last `drain`. Memory is bounded, however rarely it is drained.
 */
import type { Clock } from '../clock.ts';
import type { AppliedCounters, ApplyOutcome, StreamOffset } from '../ports.ts';
import { Histogram } from './histogram.ts';
import type { Batch, LaneName } from './next-batch.ts';
import { PublisherClock } from './publisher-clock.ts';
import { RecentHistogram } from './recent-histogram.ts';
import { type Phase, StageTimes } from './stage-times.ts';

export interface Commit {
  readonly stream: string;
  readonly batch: Batch;
  readonly outcome: ApplyOutcome;
  readonly commitMs: number;
  /** From the reading of its first entry to its commit. */
  readonly latencyMs: number;
  /** Absolute, after this commit; null for live. */
  readonly counters: AppliedCounters | null;
}

/** What {@link runApplier} tells. */
export interface ApplierObserver {
  /** What live has seen over the last two seconds or the last ten, whichever is less, p99; null when no live event was applied, or clocks differ too much to say. */
  recentFreshnessMsP99(): number | null;
  /** `loop`: the first lane that it serves. */
  entered(loop: LaneName, phase: Phase): void;
  /** Where the applier begins: after a claim. */
  positioned(stream: string, position: StreamOffset | null): void;
  committed(commit: Commit): void;
  /** Entries that were applied are leaving the stream: how many have, when they have. */
  trimming?(stream: string, removed: Promise<number>): void;
  /** After a claim: what the store holds of a backfill whose last commit may not have been told. */
  counted(counters: AppliedCounters): void;
  /** An error after which the applier tries again. */
  failed(error: Error): void;
  /** Every lane of the loop goes on, or has nothing to do. Told over and over. */
  applying?(loop: LaneName): void;
}

export interface StreamObservation {
  readonly stream: string;
  /** Committed in the store. Null: nothing yet. */
  readonly position: StreamOffset | null;
  /** Since the applier began. */
  readonly entries: number;
  readonly eventsApplied: number;
  readonly duplicates: number;
  readonly quarantined: number;
}

export interface Observation {
  readonly intervalMs: number;
  /** Shares of the interval, busy, blocked and idle together 1. Blocked is held up by the store: pressed, or no answer. */
  readonly busyRatio: number;
  readonly storeBusyRatio: number;
  readonly blockedRatio: number;
  readonly idleRatio: number;
  readonly streams: readonly StreamObservation[];
  /** Of the backfills last met, at most 64. */
  readonly counters: readonly AppliedCounters[];
  readonly commits: number;
  readonly commitMsP50: number | null;
  readonly commitMsP99: number | null;
  readonly batchRowsMean: number | null;
  /** Live only: publish to commit, over the last two seconds or the last ten, whichever is less. Null when no live event was committed, or clocks differ too much to say. */
  readonly freshnessMsP50: number | null;
  readonly freshnessMsP99: number | null;
  /** By how much at least a publisher of live is ahead, ms, when that is more than clocks may differ; else null. */
  readonly clockAheadMs: number | null;
  /** The same since the applier began, as the histogram's places. */
  readonly freshness: { readonly samples: number; readonly places: [number, number][] };
  /** Read to committed, the longest of each batch; looks back as freshness does. */
  readonly applyLatencyMsP99: number | null;
  /** Since the applier began. */
  readonly rows: { readonly attempted: number; readonly inserted: number; readonly noop: number };
  readonly liveEventsApplied: number;
  readonly replayEventsApplied: number;
  /** How long the store has owed an answer, ms; 0: it owes none. */
  readonly storeSilentMs: number;
  /** Events committed per second of work; null while there was too little to say. */
  readonly capacityEventsPerSecond: number | null;
  /** The last error it went on after, in this interval. */
  readonly failure: string | null;
}

const BACKFILLS_MAX = 64;
const BUSY_RATIO_TELLING = 0.2;

export class Observations implements ApplierObserver {
  readonly #clock: Clock;
  readonly #streams = new Map<string, StreamObservation>();
  readonly #counters = new Map<string, AppliedCounters>();
  readonly #commitMs = new Histogram();
  readonly #freshnessMs: RecentHistogram;
  readonly #latencyMs: RecentHistogram;
  readonly #publisherClock: PublisherClock;
  readonly #rowsTotal = { attempted: 0, inserted: 0, noop: 0 };
  readonly #applied = { live: 0, backfill: 0 };
  readonly #times: StageTimes;
  #drainedAt: number;
  #rows = 0;
  #failure: string | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#freshnessMs = new RecentHistogram(clock);
    this.#latencyMs = new RecentHistogram(clock);
    this.#publisherClock = new PublisherClock(clock);
    this.#times = new StageTimes(clock);
    this.#drainedAt = clock.monotonic();
  }

  entered(loop: LaneName, phase: Phase): void {
    this.#times.entered(loop, phase);
  }

  recentFreshnessMsP99(): number | null {
    return this.#freshness(0.99);
  }

  positioned(stream: string, position: StreamOffset | null): void {
    this.#streams.set(stream, { ...this.#streamOf(stream), position });
  }

  committed({ stream, batch, outcome, commitMs, latencyMs, counters }: Commit): void {
    const before = this.#streamOf(stream);
    this.#streams.set(stream, {
      stream,
      position: batch.position,
      entries: before.entries + batch.entries,
      eventsApplied: before.eventsApplied + outcome.inserted,
      duplicates: before.duplicates + outcome.duplicates,
      quarantined: before.quarantined + outcome.quarantined.length,
    });
    this.#commitMs.record(commitMs);
    this.#latencyMs.record(latencyMs);
    this.#rows += batch.events.length;
    this.#rowsTotal.attempted += batch.events.length;
    this.#rowsTotal.inserted += outcome.inserted;
    this.#rowsTotal.noop += outcome.duplicates;
    this.#applied[batch.publisher.kind] += outcome.inserted + outcome.duplicates;
    if (batch.publisher.kind === 'live') {
      const now = this.#clock.now();
      for (const publishedAt of batch.publishedAt) {
        const ageMs = this.#publisherClock.ageOf(publishedAt, now);
        if (ageMs !== null) this.#freshnessMs.record(ageMs);
      }
    }
    if (counters !== null) this.counted(counters);
  }

  counted(counters: AppliedCounters): void {
    this.#counters.delete(counters.backfillId);
    this.#counters.set(counters.backfillId, counters);
    const [oldest] = this.#counters.keys();
    if (this.#counters.size > BACKFILLS_MAX && oldest !== undefined) this.#counters.delete(oldest);
  }

  failed(error: Error): void {
    this.#failure = error.message;
  }

  drain(): Observation {
    const now = this.#clock.monotonic();
    const intervalMs = now - this.#drainedAt;
    const spent = this.#times.drain();
    const ratio = (ms: number): number => (intervalMs > 0 ? Math.min(1, ms / intervalMs) : 0);
    const storeMs = spent.store + spent.pressed;
    const workMs = spent.preparing + storeMs;
    const commits = this.#commitMs.samples;
    const observation: Observation = {
      intervalMs,
      busyRatio: ratio(spent.preparing + spent.store),
      storeBusyRatio: ratio(storeMs),
      blockedRatio: ratio(spent.pressed + spent.blocked),
      idleRatio: ratio(spent.idle),
      streams: [...this.#streams.values()],
      counters: [...this.#counters.values()],
      commits,
      commitMsP50: this.#commitMs.percentile(0.5),
      commitMsP99: this.#commitMs.percentile(0.99),
      batchRowsMean: commits === 0 ? null : this.#rows / commits,
      freshnessMsP50: this.#freshness(0.5),
      freshnessMsP99: this.#freshness(0.99),
      clockAheadMs: this.#publisherClock.aheadMs,
      freshness: { samples: this.#freshnessMs.all.samples, places: this.#freshnessMs.all.places() },
      applyLatencyMsP99: this.#latencyMs.percentile(0.99),
      rows: { ...this.#rowsTotal },
      liveEventsApplied: this.#applied.live,
      replayEventsApplied: this.#applied.backfill,
      storeSilentMs: this.#times.silentMs(),
      capacityEventsPerSecond:
        this.#rows > 0 && ratio(workMs) >= BUSY_RATIO_TELLING ? (this.#rows / workMs) * 1000 : null,
      failure: this.#failure,
    };
    this.#drainedAt = now;
    this.#rows = 0;
    this.#failure = null;
    this.#commitMs.reset();
    return observation;
  }

  #freshness(share: number): number | null {
    return this.#publisherClock.aheadMs === null ? this.#freshnessMs.percentile(share) : null;
  }

  #streamOf(stream: string): StreamObservation {
    return (
      this.#streams.get(stream) ?? {
        stream,
        position: null,
        entries: 0,
        eventsApplied: 0,
        duplicates: 0,
        quarantined: 0,
      }
    );
  }
}
