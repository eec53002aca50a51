/**
 * What a rate would do: the model pipeline at one rate from beginning to end, without a governor. The quote asks it, in the api and,
 * while someone moves a slider, in the browser; so it takes milliseconds for a replay of weeks.
 *
 *     the first minute is simulated; what is not done then goes on as in its second half:
 *     duration   = 60 s + events not yet applied / applied per second
 *     peak       = min(high-water mark, length + growth per second · seconds until all is published + rate · one pause)
 *     freshness  = worst of the second half (of all of it, when that was everything); on a shared stream that still grows, in proportion to its peak
 */
import { type Conditions, type PipelineModel, pausedAt } from './model.ts';
import { ModelPipeline } from './model-pipeline.ts';

export interface FixedRate {
  readonly model: PipelineModel;
  /** What the reader may publish, events/s. */
  readonly eventsPerSecond: number;
  /** To be replayed. */
  readonly events: number;
  readonly liveEventsPerSecond: number;
  /** Store work of a replayed event ÷ that of a live event; 1 when nothing is known. */
  readonly replayAmplification: number;
}

export interface Forecast {
  /** Until everything is applied, ms; null: it never is. */
  readonly durationMs: number | null;
  /** Replayed events applied, sustained, events/s. */
  readonly appliedEventsPerSecond: number;
  /** Most replay entries on the stream at once: waiting, or applied and not yet trimmed. */
  readonly peakStreamLength: number;
  /** The reader stopped, or will stop, at the high-water mark. */
  readonly reachesHighWaterMark: boolean;
  /** Worst live freshness, ms; null: live falls behind further and further. */
  readonly liveFreshnessMs: number | null;
}

const STEP_MS = 25;
const LOOK_MS = 60_000;
/** Lag that grows by more than this part of the time that passes is growing. */
const GROWING_PART = 0.02;

export function forecastFixedRate(run: FixedRate): Forecast {
  const { model, events, eventsPerSecond } = run;
  const conditions: Conditions = {
    liveEventsPerSecond: run.liveEventsPerSecond,
    replayAmplification: run.replayAmplification,
    storeAnswers: true,
  };
  const pipeline = new ModelPipeline(model, { stepMs: STEP_MS, events });
  let worstMs = 0;
  let worstOfHalfMs = 0;
  let half = look(pipeline);
  while (pipeline.nowMs < LOOK_MS && !pipeline.finished) {
    pipeline.step(conditions, eventsPerSecond);
    worstMs = Math.max(worstMs, pipeline.freshnessMs);
    if (pipeline.nowMs > LOOK_MS / 2) worstOfHalfMs = Math.max(worstOfHalfMs, pipeline.freshnessMs);
    if (pipeline.nowMs === LOOK_MS / 2) half = look(pipeline);
  }
  const end = look(pipeline);
  const withPause = (peak: number) =>
    Math.max(peak, Math.min(model.highWaterMark, events, peak + pausedAt(model, eventsPerSecond)));
  if (pipeline.finished)
    return {
      durationMs: end.atMs,
      appliedEventsPerSecond: end.atMs === 0 ? 0 : (end.applied * 1000) / end.atMs,
      peakStreamLength: withPause(pipeline.peakReplayHeld),
      reachesHighWaterMark: pipeline.readerHasStopped,
      liveFreshnessMs: worstMs,
    };

  const perSecond = (of: 'applied' | 'published' | 'waiting' | 'lagMs') =>
    ((end[of] - half[of]) * 1000) / (end.atMs - half.atMs);
  const applied = perSecond('applied');
  const growth = Math.max(0, perSecond('waiting'));
  const publishing = perSecond('published');
  const untilPublishedSeconds = publishing > 0 ? (events - end.published) / publishing : 0;
  const grown = growth * untilPublishedSeconds;
  const peak = Math.max(pipeline.peakReplayHeld, Math.min(model.highWaterMark, end.held + grown));
  const mostWaiting = Math.max(
    pipeline.peakReplayWaiting,
    Math.min(model.highWaterMark, end.waiting + grown),
  );
  const fills = model.route === 'shared' && end.waiting > 0 ? mostWaiting / pipeline.peakReplayWaiting : 1;
  const lagging = perSecond('lagMs') > GROWING_PART * 1000;
  const reaches = pipeline.readerHasStopped || peak >= model.highWaterMark;
  return {
    durationMs: applied > 0 ? end.atMs + ((events - end.applied) * 1000) / applied : null,
    appliedEventsPerSecond: applied,
    peakStreamLength: withPause(peak),
    reachesHighWaterMark: reaches,
    liveFreshnessMs: lagging && fills === 1 ? null : worstOfHalfMs * fills,
  };
}

function look(pipeline: ModelPipeline) {
  const { nowMs, applied, published, replayWaiting: waiting, replayHeld: held } = pipeline;
  return { atMs: nowMs, applied, published, waiting, held, lagMs: pipeline.measured().liveLagMs };
}
