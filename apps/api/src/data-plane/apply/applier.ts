/**
 * A loop of the apply role: streams -> store, exactly once.
 *
 * The store is the only truth about how far a stream has been applied: the position is committed with the data. So
 * everything else may be lost at any moment. Killed before the commit, the batch is read again; killed between commit and
 * acknowledgement, the next claim returns a position beyond it and the acknowledgement is made up for. What the stream
 * has been told is therefore never ahead of the store, and nothing is trimmed that has not been committed.
 *
 * Which streams a loop serves depends on the store (loops.ts). Where it commits one batch at a time, one loop serves both: a live event
 * that arrives waits for at most the commit under way, live goes first but for replay's floor (replay-floor.ts), and a replay's commit is
 * sized to take what live's target allows (replay-pace.ts). Where it commits side by side, live and replay have a loop each, and neither knows of
 * the other: each has claimed its own stream, tries again by itself, and commits while the other does. They meet in the rows of the store alone, which
 * every batch takes in one order. Reading, decoding, acknowledging and trimming happen while the store works.
 *
 * When the store or a stream does not answer, whatever is in flight may or may not have been committed. The applier
 * therefore claims again, which fences its own late statement, and goes on from the position it is told. If the fence has
 * risen by more than our own attempts, another applier has taken over meanwhile, and this one ends with `fenced`.
 */
import type { Clock } from '../clock.ts';
import { pause } from '../pause.ts';
import { type DurableStream, type Store, StoreError, StreamError, type StreamOffset } from '../ports.ts';
import { Arrival } from './arrival.ts';
import { BackfillCounters } from './backfill-counters.ts';
import { Lane } from './lane.ts';
import { type Batch, type LaneName, nextBatch } from './next-batch.ts';
import type { ApplierObserver } from './observations.ts';
import { type FloorSettings, ReplayFloor } from './replay-floor.ts';
import { ReplayPace } from './replay-pace.ts';
import { VacuumSchedule } from './vacuum-schedule.ts';

export interface ApplierOptions {
  readonly store: Store;
  /** The streams of this loop: one of them or both. */
  readonly live?: DurableStream;
  readonly replay?: DurableStream;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly observe: ApplierObserver;
  /** Backfills on these streams whose counters somebody else may have left untold. Asked after a claim. */
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

/**
 * Resolves when the signal aborts (the commit under way is finished first) or another applier takes over.
 * Errors: {@link StreamError} `gap`, {@link StoreError} `store_failed` and `schema_newer`: trying again would not help.
 */
export async function runApplier(options: ApplierOptions): Promise<ApplierEnd> {
  const applier = new Applier(options);
  try {
    return await untilItEnds(applier, options);
  } finally {
    options.observe.entered(applier.loop, 'idle');
  }
}

async function untilItEnds(applier: Applier, options: ApplierOptions): Promise<ApplierEnd> {
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
      options.observe.entered(applier.loop, 'blocked');
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

type Lanes = { readonly live?: Lane; readonly replay?: Lane };

class Applier {
  readonly loop: LaneName;
  readonly #options: ApplierOptions;
  readonly #vacuum: VacuumSchedule;
  /** By stream: the highest fence we were given, and the claims since then whose answer we do not know. */
  readonly #claims = new Map<string, { fence: number | null; unanswered: number }>();
  readonly #counters: BackfillCounters;
  /** By stream: the fence and the position of the last claim or commit. */
  readonly #committed = new Map<string, { fence: number; position: StreamOffset }>();
  readonly #floor: ReplayFloor;
  readonly #pace: ReplayPace;
  readonly #arrival = new Arrival();
  commits = 0;

  constructor(options: ApplierOptions) {
    const { clock, store, settings, live } = options;
    this.#options = options;
    this.loop = live === undefined ? 'replay' : 'live';
    this.#vacuum = new VacuumSchedule(clock);
    this.#counters = new BackfillCounters(store);
    this.#floor = new ReplayFloor(clock);
    const { freshnessTargetMs } = settings();
    this.#pace = new ReplayPace(clock, { beside: live === undefined, freshnessTargetMs });
  }

  /** From a claim until the signal aborts, or until something fails. */
  async run(): Promise<void> {
    const { signal, observe, store } = this.#options;
    const ended = new AbortController();
    const reading = AbortSignal.any([signal, ended.signal]);
    signal.addEventListener('abort', this.#arrival.wake);
    let lanes: Lanes = {};
    try {
      // Claims ask the store: while it does not answer, it owes an answer.
      observe.entered(this.loop, 'store');
      lanes = await this.#claimAll(reading);
      for (const counters of await this.#counters.recount(this.#options.unfinished()))
        observe.counted(counters);
      while (!signal.aborted) {
        observe.entered(this.loop, 'preparing');
        const batch = this.#next(lanes);
        if (Object.values(lanes).every(({ applies }) => applies)) observe.applying?.(this.loop);
        // Apart from replay, live waits for no tidying up: a store that commits side by side vacuums itself.
        if (lanes.replay !== undefined && this.#vacuum.isDue(batch === null)) {
          observe.entered(this.loop, 'store');
          await store.vacuum();
          this.#vacuum.done();
        } else if (batch === null) {
          lanes.live?.trimWhenDue();
          lanes.replay?.trimWhenDue();
          observe.entered(this.loop, 'idle');
          await this.#arrival.wait(lanes, { replayRows: this.#pace.rows, signal });
        } else {
          await this.#apply(lanes, batch);
        }
      }
    } finally {
      ended.abort();
      signal.removeEventListener('abort', this.#arrival.wake);
      await Promise.all([lanes.live?.settled(), lanes.replay?.settled()]);
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

  async #claimAll(signal: AbortSignal): Promise<Lanes> {
    const { live, replay } = this.#options;
    return {
      ...(live === undefined ? {} : { live: await this.#claim(live, signal) }),
      ...(replay === undefined ? {} : { replay: await this.#claim(replay, signal) }),
    };
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
      arrived: this.#arrival.wake,
      trims: (removed) => observe.trimming?.(stream.name, removed),
      highWaterMark: () => settings().highWaterMark,
    });
    await lane.acknowledgeCommitted(position);
    observe.positioned(stream.name, position);
    return lane;
  }

  #next({ live, replay }: Lanes): Batch | null {
    const { rows } = this.#pace;
    live?.readAhead(LIVE_ROWS_MAX);
    replay?.readAhead(rows);
    // A loop of its own has nobody before it.
    const floor =
      live === undefined || replay === undefined
        ? 0
        : this.#floor.due(this.#options.settings().floor, {
            entries: replay.waiting.length,
            oldestMs: replay.waitedMs,
          });
    const batch = nextBatch(
      { live: live?.waiting ?? [], replay: replay?.isRipe(rows) ? replay.waiting : [] },
      { live: LIVE_ROWS_MAX, replay: rows, floor },
    );
    // While the store has this one, the next is read.
    if (batch?.lane === 'live') live?.readAhead(LIVE_ROWS_MAX, batch.entries);
    if (batch?.lane === 'replay') replay?.readAhead(rows, batch.entries);
    return batch;
  }

  async #apply(lanes: Lanes, batch: Batch): Promise<void> {
    const { observe, settings } = this.#options;
    const lane = lanes[batch.lane] as Lane;
    const beforeLive = batch.lane === 'replay' && lanes.live !== undefined && lanes.live.waiting.length > 0;
    const commitMs = await this.#commit(lane, batch);
    if (batch.publisher.kind === 'live') return this.#pace.liveCommitted(commitMs);
    const rows = batch.events.length;
    this.#floor.committed(rows, beforeLive ? commitMs : 0);
    this.#pace.replayCommitted({ rows, commitMs }, () => ({
      freshnessMsP99: observe.recentFreshnessMsP99(),
      freshnessTargetMs: settings().freshnessTargetMs,
    }));
  }

  async #commit(lane: Lane, batch: Batch): Promise<number> {
    const { store, observe, clock } = this.#options;
    const { publisher, events, position } = batch;
    // Counters that are not known are asked of the store, too: it owes an answer from here on.
    observe.entered(this.loop, lane.waiting.length > batch.entries ? 'pressed' : 'store');
    const counted = await this.#counters.of(publisher);
    const startedAt = clock.monotonic();
    const outcome = await store
      .apply({ stream: lane.stream.name, fence: lane.fence, publisher, events, position })
      .catch((error: unknown) => {
        throw error instanceof StoreError && error.code === 'fenced' ? new Fenced(lane.stream.name) : error;
      });
    const endedAt = clock.monotonic();
    const commitMs = endedAt - startedAt;
    const latencyMs = endedAt - lane.oldestReadMs;
    observe.entered(this.loop, 'preparing');
    this.commits += 1;
    this.#committed.set(lane.stream.name, { fence: lane.fence, position });
    this.#vacuum.applied(events.length);
    const counters = counted === null ? null : this.#counters.committed(counted, outcome);
    observe.committed({ stream: lane.stream.name, batch, outcome, commitMs, latencyMs, counters });
    lane.finish(batch.entries, position);
    return commitMs;
  }
}
