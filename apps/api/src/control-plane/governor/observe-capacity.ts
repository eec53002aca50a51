import type { Tick } from '@spillway/shared/api/worker-protocol';
import { refineCapacity } from '@spillway/shared/governor/capacity';
import { and, eq, inArray, or, sql } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import { pipelines } from '../database/schema.ts';
import { pushSettings } from '../pipelines/push-settings.ts';
import { isPresent } from '../pipelines/rows.ts';
import { lanesOf } from '../telemetry/apply-view.ts';
import { governorMemory } from './memory.ts';

interface Seen {
  readonly workerId: string;
  readonly atMs: number;
  readonly eventsApplied: number;
}
interface Observed {
  last: Seen | null;
  changedMs: number;
  lookedMs: number;
  calibrated: number | null;
}
const observed = new WeakMap<ControlContext['database'], Map<string, Observed>>();

const LOOK_EVERY_MS = 1_000;

/**
 * Learns a pipeline's capacity from what its applier measured and did, also beside one that is set by hand. Looks once a second, writes at most every few. Where one worker applies live and
 * another replay, what live takes meanwhile is a part of what the store takes.
 */
export async function observeCapacity(
  ctx: ControlContext,
  workerId: string,
  applied: NonNullable<Tick['apply']>,
): Promise<void> {
  if (applied.capacityEventsPerSecond === null && applied.calibrated === null) return;
  const names = applied.streams.map((report) => report.stream);
  if (names.length === 0) return;
  const all = observed.get(ctx.database) ?? new Map<string, Observed>();
  observed.set(ctx.database, all);
  const key = names.toSorted().join(' ');
  const own = all.get(key) ?? {
    last: null,
    changedMs: Number.NEGATIVE_INFINITY,
    lookedMs: Number.NEGATIVE_INFINITY,
    calibrated: null,
  };
  all.set(key, own);
  const atMs = ctx.clock.monotonic();
  const calibrated = applied.calibrated?.eventsPerSecond ?? null;
  // A calibration may be told only once: it is never let pass.
  if (atMs - own.lookedMs < LOOK_EVERY_MS && calibrated === own.calibrated) return;
  own.calibrated = calibrated;
  own.lookedMs = atMs;
  const now: Seen = {
    workerId,
    atMs,
    eventsApplied: applied.streams.reduce((total, report) => total + report.eventsApplied, 0),
  };
  const appliedEventsPerSecond = rateBetween(own.last, now);
  own.last = now;

  const [pipeline] = await ctx.database
    .select({
      id: pipelines.id,
      measuredEventsPerSecond: pipelines.measuredEventsPerSecond,
      origin: pipelines.capacityOrigin,
    })
    .from(pipelines)
    .where(and(isPresent, or(inArray(pipelines.liveStream, names), inArray(pipelines.replayStream, names))))
    .limit(1);
  if (pipeline === undefined) return;
  const beside = lanesOf(applied).includes('live')
    ? 0
    : (ctx.telemetry.observation(pipeline.id)?.liveAppliedEventsPerSecond ?? 0);
  const withLive = (rate: number | null) => (rate === null ? null : rate + beside);
  const setByHand = pipeline.origin === 'set_by_hand';
  const refined = refineCapacity(
    { measuredEventsPerSecond: pipeline.measuredEventsPerSecond, setByHand },
    {
      calibratedEventsPerSecond: calibrated,
      estimateEventsPerSecond: withLive(applied.capacityEventsPerSecond),
      appliedEventsPerSecond: withLive(appliedEventsPerSecond),
      msSinceLastChange: atMs - own.changedMs,
    },
  );
  if (refined === null) return;
  own.changedMs = atMs;
  // Not over a value that someone set by hand meanwhile.
  await ctx.database
    .update(pipelines)
    .set({
      measuredEventsPerSecond: refined.eventsPerSecond,
      ...(setByHand
        ? {}
        : {
            capacityEventsPerSecond: refined.eventsPerSecond,
            capacityOrigin: refined.origin,
            capacityMeasuredAt: sql`now()`,
          }),
    })
    .where(and(eq(pipelines.id, pipeline.id), eq(pipelines.capacityOrigin, pipeline.origin)));
  governorMemory(ctx).trigger();
  // The floor is a part of it.
  await pushSettings(ctx, pipeline.id);
}

function rateBetween(last: Seen | null, now: Seen): number | null {
  if (last === null || last.workerId !== now.workerId || now.atMs <= last.atMs) return null;
  return ((now.eventsApplied - last.eventsApplied) / (now.atMs - last.atMs)) * 1000;
}
