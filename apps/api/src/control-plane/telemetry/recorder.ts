/**
 * What the workers tick becomes one row of metrics a second: shown at once, kept for an hour; rolled up to ten seconds for a
 * day and to minutes for thirty days. A value nobody reported lately is null, never the last one known and never zero.
 */
import type { TelemetryEvent } from '@spillway/shared/api/events';
import {
  type ApplyLane,
  type StoppedLane,
  streamsATick,
  type Tick,
  type WorkerRole,
} from '@spillway/shared/api/worker-protocol';
import { RateBook } from '@spillway/shared/telemetry/rate-book';
import { RateMeter } from '@spillway/shared/telemetry/rate-meter';
import { REPLAY_RATE_WINDOW_MS } from '@spillway/shared/telemetry/replay-rate';
import { numbersOf, snapshotOf } from '@spillway/shared/telemetry/snapshot';
import type { ControlContext, Telemetry } from '../context.ts';
import { currentLook } from '../governor/looks.ts';
import { keepStanding } from '../past/standing.ts';
import { type PipelineRow, presentPipelines } from '../pipelines/rows.ts';
import { type ApplyReport, lanesOf, mergedReport } from './apply-view.ts';
import { createHistory } from './history.ts';
import { listMarkers } from './markers.ts';
import { type DrillUnderWay, type PipelineObservation, valuesOf } from './observation.ts';
import { ReplayRates } from './replay-rates.ts';
import { stagesOf, streamsOf } from './stages.ts';
import { knownBy } from './told-in-turn.ts';

const BEAT_MS = 1_000;
const RATE_WINDOW_MS = 1_000;
/** A report that old no longer says what is. */
const STALE_MS = 3_000;
const FORGET_MS = 60_000;
/** What is shown as the present is at most this old. */
const PRESENT_MS = 5_000;

/** Counters are each process's own, so each worker has meters of its own: a restarted one begins anew beside the old. */
interface Reporter {
  readonly role: WorkerRole;
  readonly meters: Map<string, RateMeter>;
  /** What it has applied of each backfill. */
  readonly applied: RateBook;
  tick: Tick;
  atMs: number;
}

export interface TelemetryRecorder extends Telemetry {
  /** Records a second now. While one is under way it is that one: a slow database costs seconds, never a queue of them. */
  beat(): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

export function createTelemetry(
  ctx: Pick<ControlContext, 'database' | 'clock' | 'changes' | 'log'>,
): TelemetryRecorder {
  const reporters = new Map<string, Reporter>();
  const replayRates = new ReplayRates();
  const granted = new Map<string, { byBackfill: ReadonlyMap<string, number>; atMs: number }>();
  const drills = new Map<string, DrillUnderWay>();
  let pipelinesKnown: ReadonlyMap<string, PipelineRow> = new Map();
  const latest = new Map<string, { event: TelemetryEvent; atMs: number }>();
  const history = createHistory(ctx);
  const standing = keepStanding(ctx.changes);
  let watermarks: Readonly<Record<string, number>> = {};
  let merged: { live: ApplyReport; replay: ApplyReport; report: ApplyReport } | null = null;
  let timer: NodeJS.Timeout | undefined;
  let underWay: Promise<void> | null = null;
  let recordedAt: number | null = null;

  /** The last heard first. */
  function fresh(role: WorkerRole): Reporter[] {
    const now = ctx.clock.monotonic();
    return [...reporters.values()]
      .filter((reporter) => reporter.role === role && now - reporter.atMs < STALE_MS)
      .toSorted((a, b) => b.atMs - a.atMs);
  }

  /** By whom a lane is applied: a report is of the lanes that it names. */
  function applierOf(lane: ApplyLane, name: string): Reporter | undefined {
    return fresh('apply').find(
      ({ tick: { apply } }) =>
        apply !== null &&
        lanesOf(apply).includes(lane) &&
        apply.streams.some(({ stream }) => stream === name),
    );
  }

  /** Of a lane that changed hands by whoever was heard last. */
  function stoppedLanesOf({ liveStream, replayStream }: PipelineRow): StoppedLane[] {
    const stops = fresh('apply')
      .flatMap(({ tick }) => tick.apply?.stopped ?? [])
      .filter(({ stream }) => stream === liveStream || stream === replayStream);
    return [...Map.groupBy(stops, ({ lane }) => lane).values()].flatMap(([last]) => last ?? []);
  }

  /** Of the same two reports it is the same: whoever takes each in once tells them apart by that. */
  function reportOf(live: ApplyReport | null, replay: ApplyReport | null): ApplyReport | null {
    if (live === null || replay === null || live === replay) return live ?? replay;
    if (merged?.live !== live || merged.replay !== replay)
      merged = { live, replay, report: mergedReport(live, replay) };
    return merged.report;
  }

  function observe(pipeline: PipelineRow): PipelineObservation {
    const now = ctx.clock.monotonic();
    const rateOf = (reporter: Reporter | undefined, name: string) =>
      reporter?.meters.get(name)?.eventsPerSecond(now) ?? null;
    // One feed works at a time, and one applier or one for each lane; one that was heard after another has taken over from it.
    const [feed] = fresh('feed');
    const live = applierOf('live', pipeline.liveStream);
    const replay = applierOf('replay', pipeline.replayStream);
    const appliers = [...new Set([live, replay].filter((applier) => applier !== undefined))];
    const readers = fresh('replay');
    const own = pipeline.external === null ? null : externalReport(readers, pipeline.replayStream);
    const publishedOn = shared(pipeline) ? pipeline.liveStream : pipeline.replayStream;
    const grant = granted.get(pipeline.id);
    const grants = grant !== undefined && now - grant.atMs < STALE_MS ? [...grant.byBackfill] : null;
    return {
      external:
        pipeline.external === null ? null : { stream: pipeline.external.stream, report: own?.report ?? null },
      // The store is everybody's: whose drill it is, all that apply to it stand still.
      drill: pipeline.external === null ? (drills.get(pipeline.id) ?? [...drills.values()][0] ?? null) : null,
      replay: readers.map(({ tick }) => tick.replay).filter((report) => report !== null),
      apply: reportOf(live?.tick.apply ?? null, replay?.tick.apply ?? null),
      stoppedLanes: stoppedLanesOf(pipeline),
      ...(fresh('apply').some(({ tick }) => tick.apply?.streams.length === 0)
        ? { readsNoStream: true as const }
        : {}),
      applyAgeMs: appliers.length === 0 ? null : Math.max(...appliers.map(({ atMs }) => now - atMs)),
      route: shared(pipeline) ? 'shared' : 'separate',
      liveStream: pipeline.liveStream,
      replayStream: pipeline.replayStream,
      highWaterMark: pipeline.highWaterMark,
      capacityEventsPerSecond: pipeline.capacityEventsPerSecond,
      grantedEventsPerSecond: grants === null ? null : grants.reduce((total, [, rate]) => total + rate, 0),
      replaying: (grants ?? [])
        .map(([backfillId]) => ({
          backfillId,
          eventsPerSecond: replayRates.published(pipeline.id, now)?.get(backfillId) ?? null,
        }))
        .toSorted((a, b) => (b.eventsPerSecond ?? 0) - (a.eventsPerSecond ?? 0)),
      replayRate: replayRates.of(
        pipeline,
        appliedRates(pipeline),
        (grants ?? []).map(([backfillId]) => backfillId),
        now,
      ),
      livePublishedEventsPerSecond: pipeline.external === null ? rateOf(feed, 'published') : null,
      replayPublishedEventsPerSecond: sumOfKnown(
        readers.map((reader) =>
          rateOf(reader, saysByStream(reader) ? `published ${publishedOn}` : 'published'),
        ),
      ),
      // What a shared stream has applied is both: there the applier counts by publisher.
      liveAppliedEventsPerSecond: rateOf(
        live,
        shared(pipeline) ? 'live applied' : `applied ${pipeline.liveStream}`,
      ),
      // Of a stream that others write to as well nobody knows whose the finished entries were.
      replayAppliedEventsPerSecond:
        pipeline.external !== null
          ? shared(pipeline)
            ? null
            : rateOf(own?.reporter, `finished ${pipeline.replayStream}`)
          : shared(pipeline)
            ? rateOf(live, 'replay applied')
            : rateOf(replay, `applied ${pipeline.replayStream}`),
      rowsAttemptedPerSecond: sumOfKnown(appliers.map((applier) => rateOf(applier, 'rows attempted'))),
      rowsInsertedPerSecond: sumOfKnown(appliers.map((applier) => rateOf(applier, 'rows inserted'))),
      rowsNoopPerSecond: sumOfKnown(appliers.map((applier) => rateOf(applier, 'rows no-op'))),
      // Of the whole store, whoever looks.
      walBytesPerSecond: rateOf(live ?? replay, 'wal bytes'),
    };
  }

  /** By backfill, of every pipeline of the store; null: nobody applies its replay. */
  function appliedRates(pipeline: PipelineRow): ReadonlyMap<string, number> | null {
    if (pipeline.external !== null) return null;
    const applier = shared(pipeline)
      ? applierOf('live', pipeline.liveStream)
      : applierOf('replay', pipeline.replayStream);
    return applier?.applied.eventsPerSecond(ctx.clock.monotonic()) ?? null;
  }

  async function record(): Promise<void> {
    const at = Math.floor(ctx.clock.now() / BEAT_MS) * BEAT_MS;
    forgetTheGone();
    // A beat that was left out has its markers in the next one.
    const from = recordedAt === null || recordedAt > at ? at - BEAT_MS : Math.max(recordedAt, at - FORGET_MS);
    const rows = await presentPipelines(ctx.database);
    observePipelines(rows);
    for (const pipeline of rows) {
      const observation = observe(pipeline);
      const values = valuesOf(observation);
      const event: TelemetryEvent = {
        pipelineId: pipeline.id,
        at,
        values,
        replay: observation.replayRate,
        stages: stagesOf(observation, at),
        streams: streamsOf(observation),
        markers: await listMarkers(ctx.database, { pipelineId: pipeline.id, from, to: at }),
        governor: currentLook(ctx, pipeline.id)?.view ?? null,
      };
      latest.set(pipeline.id, { event, atMs: ctx.clock.monotonic() });
      ctx.changes.publish({ event: 'telemetry', data: event });
      await history.append(
        pipeline.id,
        at,
        { ...values, ...numbersOf(event) },
        snapshotOf(event, pipeline.replayPaused, standing.of(pipeline.id)),
      );
    }
    recordedAt = at;
  }

  function beat(): Promise<void> {
    underWay ??= record()
      .catch((error: unknown) => ctx.log.warn({ err: error }, 'a second of telemetry was not recorded'))
      .finally(() => {
        underWay = null;
      });
    return underWay;
  }

  function observePipelines(rows: readonly PipelineRow[]): void {
    pipelinesKnown = new Map(rows.map((row) => [row.id, row]));
  }

  function forgetTheGone(): void {
    const now = ctx.clock.monotonic();
    replayRates.forgetBefore(now - FORGET_MS);
    for (const [id, { atMs }] of reporters) if (now - atMs > FORGET_MS) reporters.delete(id);
  }

  return {
    observeTick(workerId, role, told) {
      const now = ctx.clock.monotonic();
      const before = reporters.get(workerId)?.tick.replay ?? null;
      const tick = told.replay === null ? told : { ...told, replay: knownBy(told.replay, before) };
      const reporter: Reporter = reporters.get(workerId) ?? {
        role,
        meters: new Map(),
        applied: new RateBook(REPLAY_RATE_WINDOW_MS),
        tick,
        atMs: now,
      };
      reporters.set(workerId, Object.assign(reporter, { tick, atMs: now }));
      const meter = (name: string) => {
        const known = reporter.meters.get(name) ?? new RateMeter(RATE_WINDOW_MS);
        reporter.meters.set(name, known);
        return known;
      };
      const published = tick.feed?.eventsPublished ?? tick.replay?.eventsPublished;
      if (published !== undefined) meter('published').observe(published, now);
      // A stream that nothing has been published to yet has had nothing; where they are told in turn, its turn may be still to come.
      const untold = (told.replay?.published?.length ?? streamsATick) < streamsATick ? 0 : null;
      for (const { replayStream, liveStream } of pipelinesKnown.values())
        for (const name of new Set([replayStream, liveStream])) {
          const events = tick.replay?.published?.find(({ stream }) => stream === name)?.events ?? untold;
          if (events !== null) meter(`published ${name}`).observe(events, now);
        }
      for (const { stream, finishedEntries } of tick.replay?.external ?? [])
        if (finishedEntries !== null) meter(`finished ${stream}`).observe(finishedEntries, now);
      if (tick.apply === null) return;
      watermarks = { ...watermarks, ...tick.apply.watermarks };
      for (const stream of tick.apply.streams)
        meter(`applied ${stream.stream}`).observe(stream.eventsApplied, now);
      meter('live applied').observe(tick.apply.liveEventsApplied, now);
      meter('replay applied').observe(tick.apply.replayEventsApplied, now);
      const { rowsAttempted, rowsInserted, rowsNoop, walBytes } = tick.apply.store;
      meter('rows attempted').observe(rowsAttempted, now);
      meter('rows inserted').observe(rowsInserted, now);
      meter('rows no-op').observe(rowsNoop, now);
      if (walBytes !== null) meter('wal bytes').observe(walBytes, now);
      const taken = tick.apply.counters.map(
        ({ backfillId, applied, duplicate }) => [backfillId, applied + duplicate] as const,
      );
      reporter.applied.observe(new Map(taken), now);
    },
    observePipelines,
    observeGrants(pipelineId, byBackfill) {
      granted.set(pipelineId, { byBackfill, atMs: ctx.clock.monotonic() });
    },
    observePublished(pipelineId, byBackfill) {
      replayRates.observePublished(pipelineId, byBackfill, ctx.clock.monotonic());
    },
    observeDrill(pipelineId, drill) {
      if (drill === null) drills.delete(pipelineId);
      else drills.set(pipelineId, drill);
    },
    rates(backfillId) {
      const pipeline = pipelinesKnown.get(replayRates.pipelineOf(backfillId) ?? '');
      if (pipeline === undefined) return { publishedEventsPerSecond: null, appliedEventsPerSecond: null };
      return {
        publishedEventsPerSecond:
          replayRates.published(pipeline.id, ctx.clock.monotonic())?.get(backfillId) ?? null,
        appliedEventsPerSecond: replayRates.appliedOf(backfillId, appliedRates(pipeline)),
      };
    },
    observation(pipelineId) {
      const pipeline = pipelinesKnown.get(pipelineId);
      return pipeline === undefined ? null : observe(pipeline);
    },
    liveFreshnessMsP99: () =>
      fresh('apply').find(({ tick: { apply } }) => apply !== null && lanesOf(apply).includes('live'))?.tick
        .apply?.freshnessMsP99 ?? null,
    watermarks: () => watermarks,
    latest(pipelineId) {
      const known = latest.get(pipelineId);
      return known !== undefined && ctx.clock.monotonic() - known.atMs <= PRESENT_MS ? known.event : null;
    },
    async forget(pipelineId) {
      // A second that is being recorded was begun while it was there.
      await underWay;
      for (const known of [latest, granted, drills]) known.delete(pipelineId);
      await history.forget(pipelineId);
    },
    beat,
    start() {
      timer = setInterval(() => void beat(), BEAT_MS);
    },
    async stop() {
      clearInterval(timer);
      await underWay;
    },
  };
}

function shared({ route }: Pick<PipelineRow, 'route'>): boolean {
  return route === 'shared';
}

function saysByStream({ tick }: Reporter): boolean {
  return tick.replay?.published !== undefined;
}

/** Of the worker that was heard last and knows its lag, or could read it at least; when none could, what the last one says is wrong. */
function externalReport(readers: readonly Reporter[], stream: string) {
  const found = readers.flatMap((reporter) => {
    const report = reporter.tick.replay?.external?.find((candidate) => candidate.stream === stream);
    return report === undefined ? [] : [{ reporter, report }];
  });
  const read = found.filter(({ report }) => report.problem === null);
  return read.find(({ report }) => report.lagEntries !== null) ?? read[0] ?? found[0] ?? null;
}

function sumOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
}
