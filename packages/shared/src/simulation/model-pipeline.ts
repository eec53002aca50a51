/** The whole pipeline of the model, one step at a time: live arrives, the reader publishes, the applier works. */
import type { Conditions, Measured, PipelineModel } from './model.ts';
import { ModelApplier } from './model-applier.ts';
import { ModelReader } from './model-reader.ts';
import { Recent } from './recent.ts';

const RATE_OVER_MS = 1_000;
const FRESHNESS_OVER_MS = 2_000;

export class ModelPipeline {
  readonly stepMs: number;
  nowMs = 0;
  /** Most replay entries that waited at once. */
  peakReplayWaiting = 0;
  /** Most replay entries on the stream at once: waiting, or applied and not yet trimmed. */
  peakReplayHeld = 0;
  readonly #applier: ModelApplier;
  readonly #reader: ModelReader;
  readonly #arrived: Recent;
  readonly #published: Recent;
  readonly #applied: Recent;
  readonly #freshness: Recent;

  /** `events`: how much history there is to replay; infinite for a replay that does not end. */
  constructor(model: PipelineModel, options: { readonly stepMs: number; readonly events: number }) {
    this.stepMs = options.stepMs;
    this.#applier = new ModelApplier(model);
    this.#reader = new ModelReader(model, options.events);
    this.#arrived = new Recent(RATE_OVER_MS / this.stepMs);
    this.#published = new Recent(RATE_OVER_MS / this.stepMs);
    this.#applied = new Recent(RATE_OVER_MS / this.stepMs);
    this.#freshness = new Recent(FRESHNESS_OVER_MS / this.stepMs);
  }

  get published(): number {
    return this.#reader.published;
  }

  /** Replayed events. */
  get applied(): number {
    return this.#applier.applied.replay;
  }

  /** Everything is published, and but for the fraction of an event applied. */
  get finished(): boolean {
    return this.#reader.left <= 0 && this.#applier.replayWaiting < 1;
  }

  /** Published and not yet applied. */
  get replayWaiting(): number {
    return this.#applier.replayWaiting;
  }

  /** Published and still on the stream. */
  get replayHeld(): number {
    return this.#applier.replayHeld;
  }

  /** The gate has closed at the high-water mark, now or earlier. */
  get readerHasStopped(): boolean {
    return this.#reader.hasClosed;
  }

  /** Of the live events applied in the last step, at worst, and never less than the age of the oldest not yet applied, ms. */
  get freshnessMs(): number {
    return Math.max(this.#liveLagMs, this.#applier.applied.worstFreshnessMs);
  }

  get #liveLagMs(): number {
    return this.nowMs - (this.#applier.oldestLiveMs ?? this.nowMs);
  }

  step(conditions: Conditions, replayEventsPerSecond: number): void {
    const { nowMs, stepMs } = this;
    const applier = this.#applier;
    const before = applier.applied.replay;
    const arrived = (conditions.liveEventsPerSecond * stepMs) / 1000;
    applier.live.push(nowMs, arrived, 0);
    const published = this.#reader.step(stepMs, replayEventsPerSecond, {
      length: applier.streamLength,
      oldestMs: nowMs - (applier.replay.oldestMs ?? nowMs),
    });
    applier.replay.push(nowMs, 0, published);
    this.peakReplayWaiting = Math.max(this.peakReplayWaiting, applier.replayWaiting);
    this.peakReplayHeld = Math.max(this.peakReplayHeld, applier.replayHeld);
    applier.step(nowMs, stepMs, conditions);
    this.#arrived.add(arrived);
    this.#published.add(published);
    this.#applied.add(applier.applied.replay - before);
    this.#freshness.add(applier.applied.worstFreshnessMs);
    this.nowMs += stepMs;
  }

  measured(): Measured {
    const { nowMs, stepMs } = this;
    const liveLagMs = this.#liveLagMs;
    return {
      liveEventsPerSecond: this.#arrived.perSecond(stepMs),
      publishedEventsPerSecond: this.#published.perSecond(stepMs),
      appliedEventsPerSecond: this.#applied.perSecond(stepMs),
      streamLength: this.#applier.streamLength,
      liveLagMs,
      freshnessMs: Math.max(liveLagMs, this.#freshness.worst),
      storeSilentMs: this.#applier.silentMs(nowMs),
    };
  }
}
