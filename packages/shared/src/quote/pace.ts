/**
 * The fluid model in closed form: what one rate comes to, in microseconds, for a frontier of many. Checked by a test against the simulation
 * (simulation/fixed-rate.ts), whose formulas these are, with everything even:
 *
 *     cycle ms T = (commits · overhead + rows · amplification · u) / (1 − live · u / 1000),  u = 1000 / store rows per second
 *                  with live two commits a cycle, its and replay's: on a shared stream, too, no commit is of both
 *     takes      = rows · 1000 / T                    replay events/s the applier takes at most
 *     published  = min(rate, history, ceiling),  applied = min(published, takes)
 *     base       = published · 2 T                    what waits and what is in the commit under way
 *     peak       = min(mark, base + (published − takes) · events / published + what is applied and not yet trimmed + what comes in a pause),
 *                  replay entries; shared: of the mark what live leaves
 *     duration   = events / applied + 2 T
 *     entry·s    = ∫ length dt: base over the duration, and under it a stream that rises to its peak, stays there, and runs dry; without the
 *                  quarter of a second that each entry stays at most after it has been applied
 *
 * Every one of them but `duration` rises with the rate, and `duration` falls: so goals are found by halving.
 */
import { untrimmedAt } from '../governor/trimming.ts';
import { capacityOf, commitMsOf, type PipelineModel, pausedAt } from '../simulation/model.ts';

export interface PaceInputs {
  readonly model: PipelineModel;
  readonly events: number;
  readonly liveEventsPerSecond: number;
  /** Store work of a replayed event ÷ that of a live event; 1 when nothing is known. */
  readonly replayAmplification: number;
}

export interface Pace {
  readonly publishedEventsPerSecond: number;
  readonly appliedEventsPerSecond: number;
  /** Infinity: it never ends. */
  readonly durationSeconds: number;
  /** Replay entries. */
  readonly peakStreamLength: number;
  /** The part of them that is not applied: what retention must not take, and what has to wait. */
  readonly peakUnapplied: number;
  readonly entrySeconds: number;
  readonly reachesHighWaterMark: boolean;
  /** Worst; null: live alone is too much. */
  readonly liveFreshnessMs: number | null;
}

/** A run that would take longer, 30,000 years, is one that never ends: beyond it figures do not fit into a double. */
const LONGEST_SECONDS = 1e12;

export function paceAt(inputs: PaceInputs, eventsPerSecond: number): Pace {
  const { model, events } = inputs;
  const { takes, cycleMs } = applierOf(inputs);
  const published = Math.min(eventsPerSecond, model.historyEventsPerSecond);
  const applied = Math.min(published, takes);
  const busySeconds = events / applied;
  if (events <= 0 || !(busySeconds <= LONGEST_SECONDS)) return standing(published, takes, inputs);
  const mark = markOf(inputs, takes, published);
  const waitSeconds = (2 * cycleMs) / 1000;
  const base = Math.min(mark, applied * waitSeconds, events);
  const growth = published - applied;
  const rises = Math.min(mark - base, (growth * events) / published);
  const reaches = growth > 0 && rises >= mark - base;
  // A trapezium: up to the peak, along it while the gate holds it there, down when all is published.
  const alongSeconds = rises > 0 ? busySeconds - rises / growth - rises / applied : 0;
  return {
    publishedEventsPerSecond: published,
    appliedEventsPerSecond: applied,
    durationSeconds: busySeconds + waitSeconds,
    peakStreamLength: Math.min(
      events,
      model.highWaterMark,
      base + rises + untrimmedAt(model.highWaterMark, applied) + pausedAt(model, published),
    ),
    peakUnapplied: base + rises,
    entrySeconds: events * waitSeconds + (rises * (busySeconds + Math.max(0, alongSeconds))) / 2,
    reachesHighWaterMark: reaches,
    liveFreshnessMs: freshnessMs(inputs, base + rises, takes, cycleMs),
  };
}

interface Applier {
  /** Events/s. */
  readonly takes: number;
  readonly cycleMs: number;
}

function applierOf({ model, liveEventsPerSecond, replayAmplification }: PaceInputs): Applier {
  const { budgetMs, rowsMin, rowsMax } = model.replayCommit;
  const rowMs = 1000 / model.storeRowsPerSecond;
  const rows = Math.min(
    rowsMax,
    Math.max(rowsMin, (budgetMs - model.commitOverheadMs) / (replayAmplification * rowMs)),
  );
  const leftPart = 1 - (liveEventsPerSecond * rowMs) / 1000;
  const commits = liveEventsPerSecond > 0 ? 2 : 1;
  const workMs = commits * model.commitOverheadMs + rows * replayAmplification * rowMs;
  const cycleMs = leftPart > 0 ? workMs / leftPart : Number.POSITIVE_INFINITY;
  const floor =
    model.route === 'separate'
      ? Math.min(model.floorEventsPerSecond, capacityOf(model, replayAmplification))
      : 0;
  const takes = Math.max((rows * 1000) / cycleMs, floor);
  return { takes, cycleMs: takes > 0 ? Math.min(cycleMs, (rows * 1000) / takes) : cycleMs };
}

/**
 * Replay entries at the high-water mark. Shared: live's are among them, as they come; and the reader also waits while the oldest entry is too
 * old, so no more than that time's worth is there.
 */
function markOf({ model, liveEventsPerSecond }: PaceInputs, takes: number, published: number): number {
  if (model.route === 'separate') return model.highWaterMark;
  const mark = (model.highWaterMark * published) / (published + liveEventsPerSecond);
  return model.oldestEntryMs === null ? mark : Math.min(mark, (takes * model.oldestEntryMs) / 1000);
}

function freshnessMs(
  { model, ...inputs }: PaceInputs,
  peak: number,
  takes: number,
  cycleMs: number,
): number | null {
  if (!Number.isFinite(cycleMs) || inputs.liveEventsPerSecond >= model.storeRowsPerSecond) return null;
  if (model.route === 'shared') return (peak / takes) * 1000 + cycleMs;
  const live = { live: (inputs.liveEventsPerSecond * cycleMs) / 1000, replay: 0 };
  return cycleMs + commitMsOf(model, live, 1);
}

function standing(published: number, takes: number, { model, events }: PaceInputs): Pace {
  const stuck = events > 0 && published > takes;
  const peak = stuck ? Math.min(events, model.highWaterMark) : 0;
  return {
    publishedEventsPerSecond: published,
    appliedEventsPerSecond: 0,
    durationSeconds: events <= 0 ? 0 : Number.POSITIVE_INFINITY,
    peakStreamLength: peak,
    peakUnapplied: peak,
    entrySeconds: 0,
    reachesHighWaterMark: stuck && events >= model.highWaterMark,
    liveFreshnessMs: null,
  };
}
