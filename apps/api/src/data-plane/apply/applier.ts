/**
 * The loop of the apply role: streams -> store, exactly once.
 *
 * The store is the only truth about how far a stream has been applied: the position is committed with the data. So
 * everything else may be lost at any moment. Killed before the commit, the batch is read again; killed between commit and
 * acknowledgement, the next claim returns a position beyond it and the acknowledgement is made up for. What the stream
 * has been told is therefore never ahead of the store, and nothing is trimmed that has not been committed.
 *
 * One loop serves both streams, one commit at a time. A live event that arrives waits for at most the commit under way,
 * and a replay's commit is sized to take what live's target allows (commit-budget.ts, batch-size.ts). Live goes first, but for
 * replay's floor (replay-floor.ts). Reading, decoding and trimming happen while the store works.
 *
 * When the store or a stream does not answer, whatever is in flight may or may not have been committed. The applier
 * therefore claims again, which fences its own late statement, and goes on from the position it is told. If the fence has
 * risen by more than our own attempts, another applier has taken over meanwhile, and this one ends with `fenced`.
 */
import type { Clock } from '../clock.ts';
import { pause } from '../pause.ts';
import {
  type AppliedCounters,
  type ApplyOutcome,
  type DurableStream,
  type Publisher,
  type Store,
  StoreError,
  StreamError,
  type StreamOffset,
} from '../ports.ts';
import { nextReplayRows, REPLAY_ROWS_FIRST } from './batch-size.ts';
import { firstBudgetMs, nextBudgetMs } from './commit-budget.ts';
import { CommitLatency } from './commit-latency.ts';
import { Lane } from './lane.ts';
import { type Batch, type LaneName, nextBatch } from './next-batch.ts';
import type { ApplierObserver } from './observations.ts';
import { type FloorSettings, ReplayFloor } from './replay-floor.ts';
import { VacuumSchedule } from './vacuum-schedule.ts';

export interface ApplierOptions {
  readonly store: Store;
  readonly live: DurableStream;
  readonly replay: DurableStream;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly observe: ApplierObserver;
  /** Backfills whose counters somebody else may have left untold. Asked after a claim. */
  readonly unfinished: () => readonly string[];
  /** Asked before every batch. */
  readonly settings: () => ApplierSettings;
}

export interface ApplierSettings {
  /** What live freshness may be, p99, ms; null: no target. */
  readonly freshnessTargetMs: number | null;
  /** Replay that is served even while live entries wait. */
  readonly floor: FloorSettings;
  /** Entries. */
  readonly highWaterMark: number;
}

/** `fenced`: another applier has claimed the stream. Whoever runs this one decides whether it is to stand by. */
export type ApplierEnd =
  | { readonly reason: 'stopped' }
  | { readonly reason: 'fenced'; readonly stream: string };

const LIVE_ROWS_MAX = 1_000;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;
/** An idle applier looks this often whether there is something to tidy up. */
const IDLE_LOOK_MS = 250;
const BACKFILLS_REMEMBERED = 256;
const BUDGET_EVERY_MS = 500;

/**
 * Resolves when the signal aborts (the commit under way is finished first) or another applier takes over.
 * Errors: {@link StreamError} `gap`, {@link StoreError} `store_failed` and `schema_newer`: trying again would not help.
 */
export async function runApplier(options: ApplierOptions): Promise<ApplierEnd> {
  const applier = new Applier(options);
  let retryMs = FIRST_RETRY_MS;
  while (!options.signal.aborted) {
    const commitsBefore = applier.commits;
    try {
      await applier.run();
    } catch (error) {
      if (error instanceof Fenced) return { reason: 'fenced', stream: error.stream };
      if (error instanceof StreamError && error.code === 'gap') {
        const stream = await applier.fencedStream();
        if (stream !== null) return { reason: 'fenced', stream };
      }
      if (!mayPass(error)) throw error;
      options.observe.failed(error);
      options.observe.entered('blocked');
      if (applier.commits > commitsBefore) retryMs = FIRST_RETRY_MS;
      await pause(retryMs, options.signal);
      retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
    }
  }
  return { reason: 'stopped' };
}

class Fenced extends Error {
  readonly stream: string;
  constructor(stream: string) {
    super(`another applier has claimed ${stream}`);
    this.stream = stream;
  }
}

function mayPass(error: unknown): error is Error {
  return (
    (error instanceof StoreError && error.code === 'store_unavailable') ||
    (error instanceof StreamError && error.code === 'stream_unavailable')
  );
}

class Applier {
  readonly #options: ApplierOptions;
  readonly #vacuum: VacuumSchedule;
  /** By stream: the highest fence we were given, and the claims since then whose answer we do not know. */
  readonly #claims = new Map<string, { fence: number | null; unanswered: number }>();
  /** Absolute, of the backfills met since the last claim. */
  readonly #counters = new Map<string, AppliedCounters>();
  /** By stream: the fence and the position of the last claim or commit. */
  readonly #committed = new Map<string, { fence: number; position: StreamOffset }>();
  readonly #floor: ReplayFloor;
  #replayRows = REPLAY_ROWS_FIRST;
  readonly #latency = new CommitLatency();
  #budget: { targetMs: number | null; commitMs: number; setMs: number };
  #wake: () => void = () => undefined;
  commits = 0;

  constructor(options: ApplierOptions) {
    this.#options = options;
    this.#vacuum = new VacuumSchedule(options.clock);
    this.#floor = new ReplayFloor(options.clock);
    const targetMs = options.settings().freshnessTargetMs;
    this.#budget = { targetMs, commitMs: firstBudgetMs(targetMs), setMs: options.clock.monotonic() };
  }

  /** From a claim until the signal aborts, or until something fails. */
  async run(): Promise<void> {
    const { signal, observe, store, clock, settings } = this.#options;
    const ended = new AbortController();
    const reading = AbortSignal.any([signal, ended.signal]);
    const wake = (): void => this.#wake();
    signal.addEventListener('abort', wake);
    try {
      // Claims ask the store: while it does not answer, it owes an answer.
      observe.entered('store');
      const live = await this.#claim(this.#options.live, reading);
      const replay = await this.#claim(this.#options.replay, reading);
      await this.#recount();
      const lanes: Record<LaneName, Lane> = { live, replay };
      while (!signal.aborted) {
        observe.entered('preparing');
        live.readAhead(LIVE_ROWS_MAX);
        replay.readAhead(this.#replayRows);
        const batch = nextBatch(
          { live: live.waiting, replay: replay.isRipe(this.#replayRows) ? replay.waiting : [] },
          {
            live: LIVE_ROWS_MAX,
            replay: this.#replayRows,
            floor: this.#floor.due(settings().floor, {
              entries: replay.waiting.length,
              oldestMs: replay.waitedMs,
            }),
          },
        );
        const vacuumDue = this.#vacuum.isDue(batch === null);
        if (vacuumDue) {
          observe.entered('store');
          await store.vacuum();
          this.#vacuum.done();
        } else if (batch === null) {
          live.trimWhenDue();
          replay.trimWhenDue();
          await this.#arrival(lanes);
        } else {
          const beforeLive = batch.lane === 'replay' && live.waiting.length > 0;
          const commitMs = await this.#commit(lanes[batch.lane], batch, clock);
          if (batch.publisher.kind === 'backfill') {
            this.#floor.committed(batch.events.length, beforeLive ? commitMs : 0);
            this.#latency.replay({ rows: batch.events.length, commitMs });
            this.#replayRows = nextReplayRows(
              { allowedRows: this.#replayRows, rows: batch.events.length, commitMs },
              this.#commitBudgetMs(),
              this.#latency.ms,
            );
          } else this.#latency.live(commitMs);
        }
      }
    } finally {
      ended.abort();
      signal.removeEventListener('abort', wake);
    }
  }

  /**
   * A stopped applier that wakes up may find entries gone that its successor has applied and trimmed: that is no gap in the stream,
   * it is an old fence. Asked with a batch of nothing, which commits nothing new; unanswered, it stays a gap.
   */
  async fencedStream(): Promise<string | null> {
    for (const [stream, { fence, position }] of this.#committed) {
      try {
        await this.#options.store.apply({ stream, fence, publisher: { kind: 'live' }, events: [], position });
      } catch (error) {
        if (error instanceof StoreError && error.code === 'fenced') return stream;
      }
    }
    return null;
  }

  async #claim(stream: DurableStream, signal: AbortSignal): Promise<Lane> {
    const { store, observe, clock, settings } = this.#options;
    const known = this.#claims.get(stream.name) ?? { fence: null, unanswered: 0 };
    known.unanswered += 1;
    this.#claims.set(stream.name, known);
    const { fence, position } = await store.claim(stream.name);
    if (known.fence !== null && fence > known.fence + known.unanswered) throw new Fenced(stream.name);
    this.#claims.set(stream.name, { fence, unanswered: 0 });
    if (position !== null) this.#committed.set(stream.name, { fence, position });
    const lane = new Lane({
      stream,
      fence,
      position,
      signal,
      clock,
      arrived: () => this.#wake(),
      trims: (removed) => observe.trimming?.(stream.name, removed),
      highWaterMark: () => settings().highWaterMark,
    });
    await lane.acknowledgeCommitted(position);
    observe.positioned(stream.name, position);
    return lane;
  }

  async #commit(lane: Lane, batch: Batch, clock: Clock): Promise<number> {
    const { store, observe } = this.#options;
    const { publisher, events, position } = batch;
    // Counters that are not known are asked of the store, too: it owes an answer from here on.
    observe.entered(lane.waiting.length > batch.entries ? 'pressed' : 'store');
    const counted = await this.#countersOf(publisher);
    const startedAt = clock.monotonic();
    const outcome = await store
      .apply({ stream: lane.stream.name, fence: lane.fence, publisher, events, position })
      .catch((error: unknown) => {
        throw error instanceof StoreError && error.code === 'fenced' ? new Fenced(lane.stream.name) : error;
      });
    const endedAt = clock.monotonic();
    const commitMs = endedAt - startedAt;
    const latencyMs = endedAt - lane.oldestReadMs;
    observe.entered('preparing');
    this.commits += 1;
    this.#committed.set(lane.stream.name, { fence: lane.fence, position });
    this.#vacuum.applied(events.length);
    const counters = counted === null ? null : added(counted, outcome);
    if (counters !== null) this.#counters.set(counters.backfillId, counters);
    observe.committed({ stream: lane.stream.name, batch, outcome, commitMs, latencyMs, counters });
    await lane.finish(batch.entries, position);
    return commitMs;
  }

  /**
   * What was in flight when something failed, or when the applier before this one was killed, may have been committed without the api being told,
   * and no batch of that backfill may follow: its counters are told as the store has them now that nobody else can change them any more.
   */
  async #recount(): Promise<void> {
    const met = [...new Set([...this.#counters.keys(), ...this.#options.unfinished()])];
    this.#counters.clear();
    if (met.length === 0) return;
    for (const counters of await this.#options.store.counters(met)) {
      this.#counters.set(counters.backfillId, counters);
      this.#options.observe.counted(counters);
    }
  }

  #commitBudgetMs(): number {
    const { clock, observe, settings } = this.#options;
    const targetMs = settings().freshnessTargetMs;
    const now = clock.monotonic();
    if (targetMs !== this.#budget.targetMs)
      this.#budget = { targetMs, commitMs: firstBudgetMs(targetMs), setMs: now };
    else if (now - this.#budget.setMs >= BUDGET_EVERY_MS) {
      const seen = { freshnessMsP99: observe.recentFreshnessMsP99(), freshnessTargetMs: targetMs };
      this.#budget = { targetMs, commitMs: nextBudgetMs(this.#budget.commitMs, seen), setMs: now };
    }
    return this.#budget.commitMs;
  }

  /** Read once for each backfill; from then on nobody but us changes them, or our fence is old. */
  async #countersOf(publisher: Publisher): Promise<AppliedCounters | null> {
    if (publisher.kind === 'live') return null;
    const { backfillId } = publisher;
    if (this.#counters.size > BACKFILLS_REMEMBERED) this.#counters.clear();
    const known = this.#counters.get(backfillId) ?? (await this.#options.store.counters([backfillId]))[0];
    const counters = known ?? { backfillId, applied: 0, duplicate: 0, quarantined: 0 };
    this.#counters.set(backfillId, counters);
    return counters;
  }

  /** Until an entry arrives or ripens, a reading fails, the signal aborts, or it is time to look around. */
  async #arrival({ live, replay }: Record<LaneName, Lane>): Promise<void> {
    this.#options.observe.entered('idle');
    const ready = (): boolean =>
      this.#options.signal.aborted ||
      live.waiting.length > 0 ||
      replay.isRipe(this.#replayRows) ||
      live.hasFailed ||
      replay.hasFailed;
    await new Promise<void>((resolve) => {
      let timer = setTimeout(resolve, IDLE_LOOK_MS);
      const end = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#wake = () => {
        clearTimeout(timer);
        if (ready()) end();
        else timer = setTimeout(end, Math.max(1, Math.min(IDLE_LOOK_MS, replay.ripensInMs)));
      };
      this.#wake();
    });
    this.#wake = () => undefined;
  }
}

function added(before: AppliedCounters, outcome: ApplyOutcome): AppliedCounters {
  return {
    backfillId: before.backfillId,
    applied: before.applied + outcome.inserted,
    duplicate: before.duplicate + outcome.duplicates,
    quarantined: before.quarantined + outcome.quarantined.length,
  };
}
