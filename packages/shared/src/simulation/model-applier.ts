/** The applier and its store: one commit at a time, live before replay, replay's floor before live. The formulas are in model.ts. */
import { TRIM_AFTER_MS, trimAfterEntries } from '../governor/trimming.ts';
import { EventQueue, type Taken } from './event-queue.ts';
import { type Conditions, commitMsOf, LIVE_ROWS_MAX, type PipelineModel } from './model.ts';

/** What the store is asked to do now. */
interface Commit extends Taken {
  readonly startedMs: number;
  readonly takesMs: number;
  leftMs: number;
}

/** What the steps so far have come to. */
export interface Applied {
  live: number;
  replay: number;
  /** Of the live events applied in the last step, ms; 0 when there were none. */
  worstFreshnessMs: number;
}

/** Rows of the floor worth a commit of their own, how long unused ones are kept, and how long those that came ahead of it count. */
const FLOOR_ROWS_MIN = 25;
const FLOOR_KEPT_MS = 250;
const FLOOR_AHEAD_MS = 1_000;
/** Bounds of one step of the size of replay's commits. */
const SMALLEST_RATIO = 0.25;
const LARGEST_RATIO = 1.25;
const FIRST_ROWS = 100;

export class ModelApplier {
  readonly live: EventQueue;
  /** The live queue itself on a shared stream. */
  readonly replay: EventQueue;
  readonly applied: Applied = { live: 0, replay: 0, worstFreshnessMs: 0 };
  readonly #model: PipelineModel;
  #commit: Commit | null = null;
  #replayRows: number;
  /** Below 0: applied ahead of the floor. */
  #floorRows = 0;
  /** Applied, and still on the stream that replay uses. */
  readonly #untrimmed = { live: 0, replay: 0 };
  #trimmedMs = 0;

  constructor(model: PipelineModel) {
    this.#model = model;
    this.live = new EventQueue();
    this.replay = model.route === 'shared' ? this.live : new EventQueue();
    const { rowsMin, rowsMax } = model.replayCommit;
    this.#replayRows = Math.min(rowsMax, Math.max(rowsMin, FIRST_ROWS));
  }

  /** Replay entries not yet applied. */
  get replayWaiting(): number {
    return this.replay.replay + (this.#commit?.replay ?? 0);
  }

  /** Entries on the stream that replay uses: those that wait, those of the commit under way, those applied and not yet trimmed. */
  get streamLength(): number {
    const own = this.replay.length + (this.#commit?.replay ?? 0) + this.#untrimmed.replay;
    return this.#model.route === 'shared' ? own + (this.#commit?.live ?? 0) + this.#untrimmed.live : own;
  }

  /** Of those, replay's. */
  get replayHeld(): number {
    return this.replayWaiting + this.#untrimmed.replay;
  }

  get oldestLiveMs(): number | null {
    return this.#commit?.oldestLiveMs ?? this.live.oldestLiveMs;
  }

  /** How long the store has owed an answer, ms. */
  silentMs(nowMs: number): number {
    return this.#commit === null ? 0 : nowMs - this.#commit.startedMs;
  }

  step(fromMs: number, stepMs: number, { replayAmplification, storeAnswers }: Conditions): void {
    const untilMs = fromMs + stepMs;
    this.applied.worstFreshnessMs = 0;
    this.#earnFloor(stepMs);
    for (let nowMs = fromMs; nowMs < untilMs; ) {
      this.#commit ??= this.#next(nowMs, replayAmplification);
      if (this.#commit === null) this.#trimWhenDue(nowMs);
      if (this.#commit === null || !storeAnswers) return;
      const spentMs = Math.min(this.#commit.leftMs, untilMs - nowMs);
      this.#commit.leftMs -= spentMs;
      nowMs += spentMs;
      if (this.#commit.leftMs > 1e-6) return;
      const commit = this.#commit;
      this.#commit = null;
      this.#finish(commit, nowMs);
    }
  }

  #earnFloor(stepMs: number): void {
    const { floorEventsPerSecond } = this.#model;
    const most = Math.max(FLOOR_ROWS_MIN, (floorEventsPerSecond * FLOOR_KEPT_MS) / 1000);
    this.#floorRows = Math.min(most, this.#floorRows + (floorEventsPerSecond * stepMs) / 1000);
  }

  #next(nowMs: number, amplification: number): Commit | null {
    const taken = this.#take();
    if (taken === null) return null;
    const { live, replay, oldestLiveMs } = taken;
    const takesMs = commitMsOf(this.#model, taken, amplification);
    return { live, replay, oldestLiveMs, startedMs: nowMs, takesMs, leftMs: takesMs };
  }

  #take(): Taken | null {
    if (this.#model.route === 'shared')
      return this.live.length > 0 ? this.live.take(LIVE_ROWS_MAX, this.#replayRows) : null;
    const replayWaits = this.replay.replay >= 1;
    if (replayWaits && this.#model.floorEventsPerSecond > 0 && this.#floorRows >= FLOOR_ROWS_MIN)
      return this.replay.take(0, Math.min(this.#replayRows, this.#floorRows));
    if (this.live.live > 0) return this.live.take(LIVE_ROWS_MAX, 0);
    return replayWaits ? this.replay.take(0, this.#replayRows) : null;
  }

  #finish({ live, replay, oldestLiveMs, takesMs }: Commit, nowMs: number): void {
    this.applied.live += live;
    this.applied.replay += replay;
    if (oldestLiveMs !== null)
      this.applied.worstFreshnessMs = Math.max(this.applied.worstFreshnessMs, nowMs - oldestLiveMs);
    this.#untrimmed.replay += replay;
    if (this.#model.route === 'shared') this.#untrimmed.live += live;
    this.#trimWhenDue(nowMs);
    if (replay <= 0) return;
    const mostAhead = (this.#model.floorEventsPerSecond * FLOOR_AHEAD_MS) / 1000;
    this.#floorRows = Math.max(-mostAhead, this.#floorRows - replay);
    this.#replayRows = this.#resized(replay, takesMs);
  }

  #trimWhenDue(nowMs: number): void {
    const entries = this.#untrimmed.live + this.#untrimmed.replay;
    if (entries < trimAfterEntries(this.#model.highWaterMark) && nowMs - this.#trimmedMs < TRIM_AFTER_MS)
      return;
    this.#untrimmed.live = 0;
    this.#untrimmed.replay = 0;
    this.#trimmedMs = nowMs;
  }

  /** Rows of the next replay commit; one that was not full may not grow it. */
  #resized(rows: number, tookMs: number): number {
    const { budgetMs, rowsMin, rowsMax } = this.#model.replayCommit;
    const ratio = Math.min(LARGEST_RATIO, Math.max(SMALLEST_RATIO, budgetMs / tookMs));
    if (ratio >= 1 && rows < this.#replayRows * 0.8) return this.#replayRows;
    const from = ratio >= 1 ? this.#replayRows : Math.min(rows, this.#replayRows);
    return Math.min(rowsMax, Math.max(rowsMin, from * ratio));
  }
}
