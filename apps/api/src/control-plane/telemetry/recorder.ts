/**
 * What the workers tick becomes one row of metrics a second: shown at once, kept for an hour; rolled up to ten seconds for a
 * day and to minutes for thirty days. A value nobody reported lately is null, never the last one known and never zero.
 */
import type { TelemetryEvent } from '@spillway/shared/api/events';
import type { Tick, WorkerRole } from '@spillway/shared/api/worker-protocol';
import { RateMeter } from '@spillway/shared/telemetry/rate-meter';
import type { ControlContext, Telemetry } from '../context.ts';
import { pipelines } from '../database/schema.ts';
import { createHistory } from './history.ts';
import { listMarkers } from './markers.ts';
import { type PipelineObservation, stagesOf, streamsOf, valuesOf } from './observation.ts';

const BEAT_MS = 1_000;
const RATE_WINDOW_MS = 1_000;
const BACKFILL_RATE_WINDOW_MS = 2_000;
/** A report older than this no longer says what is. */
const STALE_MS = 2_500;
const FORGET_BACKFILL_MS = 60_000;

interface WorkerReport {
  readonly role: WorkerRole;
  readonly tick: Tick;
  readonly atMs: number;
}

interface BackfillMeters {
  readonly published: RateMeter;
  readonly applied: RateMeter;
  seenMs: number;
}

export interface TelemetryRecorder extends Telemetry {
  start(): void;
  stop(): Promise<void>;
}

export function createTelemetry(ctx: Omit<ControlContext, 'telemetry'>): TelemetryRecorder {
  const reports = new Map<string, WorkerReport>();
  const meters = new Map<string, RateMeter>();
  const backfills = new Map<string, BackfillMeters>();
  const granted = new Map<string, { eventsPerSecond: number; atMs: number }>();
  const latest = new Map<string, TelemetryEvent>();
  const history = createHistory(ctx);
  let watermarks: Readonly<Record<string, number>> = {};
  let timer: NodeJS.Timeout | undefined;
  let beat: Promise<void> = Promise.resolve();

  function meter(name: string): RateMeter {
    const known = meters.get(name) ?? new RateMeter(RATE_WINDOW_MS);
    meters.set(name, known);
    return known;
  }

  function backfillMeters(backfillId: string, nowMs: number): BackfillMeters {
    const known = backfills.get(backfillId) ?? { published: new RateMeter(BACKFILL_RATE_WINDOW_MS), applied: new RateMeter(BACKFILL_RATE_WINDOW_MS), seenMs: nowMs };
    known.seenMs = nowMs;
    backfills.set(backfillId, known);
    return known;
  }

  function fresh(role: WorkerRole): WorkerReport[] {
    const now = ctx.clock.monotonic();
    return [...reports.values()].filter((report) => report.role === role && now - report.atMs <= STALE_MS);
  }

  function observe(pipeline: { liveStream: string; replayStream: string; highWaterMark: number; capacityEventsPerSecond: number | null; id: string }): PipelineObservation {
    const now = ctx.clock.monotonic();
    const rate = (name: string) => meters.get(name)?.eventsPerSecond(now) ?? null;
    const sum = (names: string[]) => {
      const known = names.map(rate).filter((value) => value !== null);
      return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
    };
    const grant = granted.get(pipeline.id);
    return {
      replay: fresh('replay').map(({ tick }) => tick.replay).filter((report) => report !== null),
      apply: fresh('apply').map(({ tick }) => tick.apply).find((report) => report !== null && report.streams.length > 0) ?? null,
      liveStream: pipeline.liveStream,
      replayStream: pipeline.replayStream,
      highWaterMark: pipeline.highWaterMark,
      capacityEventsPerSecond: pipeline.capacityEventsPerSecond,
      grantedEventsPerSecond: grant !== undefined && now - grant.atMs <= STALE_MS ? grant.eventsPerSecond : null,
      livePublishedEventsPerSecond: sum([...reports.keys()].map((id) => `feed ${id}`)),
      replayPublishedEventsPerSecond: sum([...reports.keys()].map((id) => `replay ${id}`)),
      liveAppliedEventsPerSecond: rate(`applied ${pipeline.liveStream}`),
      replayAppliedEventsPerSecond: rate(`applied ${pipeline.replayStream}`),
    };
  }

  async function record(): Promise<void> {
    const at = Math.floor(ctx.clock.now() / BEAT_MS) * BEAT_MS;
    for (const pipeline of await ctx.database.select().from(pipelines)) {
      const observation = observe(pipeline);
      const values = valuesOf(observation);
      const markers = await listMarkers(ctx.database, { pipelineId: pipeline.id, from: at - BEAT_MS, to: at });
      const event: TelemetryEvent = {
        pipelineId: pipeline.id,
        at,
        values,
        stages: stagesOf(observation, at),
        streams: streamsOf(observation),
        markers,
      };
      latest.set(pipeline.id, event);
      ctx.changes.publish({ event: 'telemetry', data: event });
      await history.append(pipeline.id, at, values);
    }
    forgetTheGone();
  }

  function forgetTheGone(): void {
    const now = ctx.clock.monotonic();
    for (const [id, { seenMs }] of backfills) if (now - seenMs > FORGET_BACKFILL_MS) backfills.delete(id);
    for (const [id, { atMs }] of reports) {
      if (now - atMs <= FORGET_BACKFILL_MS) continue;
      reports.delete(id);
      meters.delete(`feed ${id}`);
      meters.delete(`replay ${id}`);
    }
  }

  return {
    observeTick(workerId, role, tick) {
      const now = ctx.clock.monotonic();
      reports.set(workerId, { role, tick, atMs: now });
      if (tick.feed !== null) meter(`feed ${workerId}`).observe(tick.feed.eventsPublished, now);
      if (tick.replay !== null) meter(`replay ${workerId}`).observe(tick.replay.eventsPublished, now);
      if (tick.apply !== null) watermarks = { ...watermarks, ...tick.apply.watermarks };
      for (const stream of tick.apply?.streams ?? []) meter(`applied ${stream.stream}`).observe(stream.eventsApplied, now);
      for (const { backfillId, applied, duplicate } of tick.apply?.counters ?? []) backfillMeters(backfillId, now).applied.observe(applied + duplicate, now);
    },
    observeGrants(pipelineId, eventsPerSecond) {
      granted.set(pipelineId, { eventsPerSecond, atMs: ctx.clock.monotonic() });
    },
    observePublished(backfillId, eventsPublished) {
      const now = ctx.clock.monotonic();
      backfillMeters(backfillId, now).published.observe(eventsPublished, now);
    },
    rates(backfillId) {
      const now = ctx.clock.monotonic();
      const known = backfills.get(backfillId);
      return {
        publishedEventsPerSecond: known?.published.eventsPerSecond(now) ?? null,
        appliedEventsPerSecond: known?.applied.eventsPerSecond(now) ?? null,
      };
    },
    watermarks: () => watermarks,
    latest: (pipelineId) => latest.get(pipelineId) ?? null,
    start() {
      timer = setInterval(() => {
        beat = beat.then(record).catch((error: unknown) => ctx.log.warn({ err: error }, 'a second of telemetry was not recorded'));
      }, BEAT_MS);
    },
    async stop() {
      clearInterval(timer);
      await beat;
    },
  };
}
