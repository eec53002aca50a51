/**
 * The apply role: one applier at a time for each pipeline's streams, with a loop for both or one for each (loops.ts); a second worker stands by and takes over when the first
 * is gone. The store's fence makes a take-over safe even when the first was only slow.
 */
import type { Joined, Tick, WorkerPipeline, WorkerPush } from '@spillway/shared/api/worker-protocol';
import { keepMembership, type MembershipOptions } from '../control/membership.ts';
import { CpuCharge } from '../meter/cpu.ts';
import { metersCommits } from '../meter/metered-commits.ts';
import { StreamHolding } from '../meter/stream-holding.ts';
import { TrafficCharge } from '../meter/traffic.ts';
import { UsageLedger } from '../meter/usage-ledger.ts';
import { pause } from '../pause.ts';
import type { DurableStream, HistorySource, Store, StorePulse } from '../ports.ts';
import { Seldom } from '../seldom.ts';
import { runApplier } from './applier.ts';
import { measureCapacity } from './calibration.ts';
import { APPLIER_GROUP } from './lane.ts';
import { loopsFor } from './loops.ts';
import type { LaneName } from './next-batch.ts';
import { type ApplierObserver, Observations } from './observations.ts';
import { StoppedLanes } from './stopped-lanes.ts';
import { streamReportOf } from './stream-report.ts';
import { ToldFreshness } from './told-freshness.ts';

export interface ApplyWorkerOptions extends Omit<MembershipOptions, 'role'> {
  readonly store: Store;
  readonly openStream: (name: string) => Promise<DurableStream>;
  readonly historyOf: (source: WorkerPipeline['sources'][number]) => HistorySource;
  /** Told of the sources that there are: what it takes to read any other is let go. */
  readonly keepHistories: (sources: WorkerPipeline['sources']) => void;
  /** Told with every tick what it applies from now on. */
  readonly applies?: (lanes: readonly LaneName[]) => void;
}

type ApplyReport = NonNullable<Tick['apply']>;

const AGAIN_MS = 500;
const LOOK_MS = 250;
const PULSE_STALE_MS = 5_000;
/** What was published since must not pass for lost. */
const END_STALE_MS = 2_000;
/** A measurement that could not be made is tried again. */
const CALIBRATE_AGAIN_MS = 30_000;
const unknownPulse: StorePulse = { walBytes: null, deadRows: null, cacheHitRatio: null, poolWaitMsP99: null };

/** Resolves when the signal has aborted, the commit under way is finished, and the worker has left. */
export async function runApplyWorker(options: ApplyWorkerOptions): Promise<void> {
  const { signal, clock, store, log } = options;
  const observations = new Observations(clock);
  const ledger = new UsageLedger(clock);
  const cpu = new CpuCharge(ledger);
  const traffic = new TrafficCharge(ledger, store);
  const holdings = new Map<string, StreamHolding>();
  let pipeline: WorkerPipeline | null = null;
  /** What it applies; none: it stands by. */
  let lanes: readonly LaneName[] = [];
  let commitsSideBySide: boolean | null = null;
  const turns = new Set<{ readonly lanes: readonly LaneName[]; readonly stop: AbortController }>();
  const told = new ToldFreshness(clock);
  const standing = new StoppedLanes(clock);
  const said = {
    live: new Seldom(clock),
    replay: new Seldom(clock),
    streams: new Seldom(clock),
    store: new Seldom(clock),
  };
  let calibrated: ApplyReport['calibrated'] = null;
  let calibrating: Promise<void> | null = null;
  let calibrateFromMs = Number.NEGATIVE_INFINITY;
  let watermarks: Record<string, number> = {};
  let pulse: { seen: StorePulse; atMs: number } | null = null;
  const opened: { streams: Record<LaneName, DurableStream> | null } = { streams: null };
  let seen: { readonly streams: ApplyReport['streams']; readonly askedMs: number } = {
    streams: [],
    askedMs: 0,
  };
  let askingStore = false;
  let preparing: ReturnType<typeof prepare> | null = null;

  const applying = apply();
  const looking = look();
  const leave = await keepMembership(
    { ...options, role: 'apply' },
    {
      joined(joined: Joined) {
        follow(joined);
        keepOnly(joined.pipelines.map(({ pipelineId }) => pipelineId));
        learn(joined.pipelines[0]);
      },
      pushed(push: WorkerPush) {
        if (
          push.type === 'settings' &&
          (pipeline === null || push.pipeline.pipelineId === pipeline.pipelineId)
        )
          learn(push.pipeline);
        else if (push.type === 'pipelines') keepOnly(push.pipelineIds);
      },
      report: () => {
        ledger.keepOnly(pipeline === null ? [] : [pipeline.pipelineId]);
        cpu.charge([], pipeline?.pipelineId ?? null);
        traffic.charge(pipeline?.pipelineId ?? null);
        const { usage, delivered } = ledger.report();
        const apply = lanes.length === 0 ? null : applyReport();
        return {
          body: { leases: [], quarantined: [], replay: null, feed: null, apply, usage },
          delivered: (answer) => {
            delivered();
            told.learn(answer.liveFreshnessMsP99 ?? null);
            follow(answer);
          },
        };
      },
    },
  );
  await Promise.all([applying, looking]);
  await calibrating;
  await opened.streams?.live.close();
  await opened.streams?.replay.close();
  await leave();

  /** Of one that has been removed nothing is applied any more, its commit under way finished, nor trimmed or looked at. */
  function keepOnly(pipelineIds: readonly string[]): void {
    ledger.keepOnly(pipelineIds);
    if (pipeline === null || pipelineIds.includes(pipeline.pipelineId)) return;
    pipeline = null;
    options.keepHistories([]);
    for (const turn of turns) turn.stop.abort();
    holdings.clear();
  }

  function learn(known: WorkerPipeline | undefined): void {
    pipeline = known ?? pipeline;
    if (pipeline !== null) options.keepHistories(pipeline.sources);
    if (known === undefined || known.calibrate) return;
    calibrated = null;
    calibrateFromMs = Number.NEGATIVE_INFINITY;
  }

  /** What is another's from now on is let go at once, its commit under way finished: the store's fence would end it later. */
  function follow(answer: Pick<Joined, 'standby' | 'lanes'>): void {
    serveFromNowOn(answer.lanes ?? (answer.standby ? [] : ['live', 'replay']));
  }

  function serveFromNowOn(ours: readonly LaneName[]): void {
    lanes = ours;
    standing.keepOnly(lanes);
    options.applies?.(lanes);
    for (const turn of turns) if (!isOurs(turn.lanes)) turn.stop.abort();
  }

  function isOurs(some: readonly LaneName[]): boolean {
    return some.every((lane) => lanes.includes(lane));
  }

  /** Until the signal aborts. */
  async function apply(): Promise<void> {
    while (!signal.aborted) {
      try {
        if (lanes.length === 0 || pipeline === null) {
          await pause(LOOK_MS, signal);
          continue;
        }
        commitsSideBySide = await store.commitsSideBySide();
        await Promise.all(loopsFor(commitsSideBySide).map(serve));
      } catch (error) {
        await stopped(lanes, error);
      }
    }
  }

  /** Until the signal aborts; whatever goes wrong is tried again, from the position the store holds, and stops no other loop. */
  async function serve(served: readonly LaneName[]): Promise<void> {
    while (!signal.aborted) {
      const known = pipeline;
      if (known === null || !isOurs(served)) {
        await pause(LOOK_MS, signal);
        continue;
      }
      const turn = { lanes: served, stop: new AbortController() };
      turns.add(turn);
      try {
        const { live, replay } = await prepared(known);
        const end = await runApplier({
          store,
          ...(served.includes('live') ? { live } : {}),
          ...(served.includes('replay') ? { replay } : {}),
          clock,
          signal: AbortSignal.any([signal, turn.stop.signal]),
          observe: observerOf(known.pipelineId, served),
          unfinished: () => (served.includes(laneOfReplay()) ? (pipeline?.unfinished ?? []) : []),
          settings: () => ({
            freshnessTargetMs: pipeline?.freshnessTargetMs ?? null,
            floor: {
              eventsPerSecond: pipeline?.floorEventsPerSecond ?? 0,
              share: pipeline?.floorShare ?? 0,
            },
            highWaterMark: pipeline?.highWaterMark ?? 0,
          }),
        });
        if (end.reason === 'fenced') {
          log.warn({ stream: end.stream }, 'another applier has taken over');
          // Only the api can say that it is to be taken back: two that know no better would fence each other for ever. One that had been let go
          // when it was fenced may have been given back meanwhile.
          if (!turn.stop.signal.aborted) serveFromNowOn(lanes.filter((lane) => !served.includes(lane)));
          await pause(AGAIN_MS, signal);
        }
      } catch (error) {
        await stopped(served, error);
      } finally {
        turns.delete(turn);
      }
    }
  }

  /** Who applies replay alone is told what live sees. */
  function observerOf(pipelineId: string, served: readonly LaneName[]): ApplierObserver {
    const observer = metersCommits(observations, { ledger, clock, pipelineId, holdingOf });
    return {
      ...observer,
      failed(error) {
        observer.failed(error);
        standing.failed(served, error);
      },
      applying: () => {
        standing.applying(served);
        saidOf(served).forget();
      },
      recentFreshnessMsP99: () =>
        lanes.includes('live') ? observer.recentFreshnessMsP99() : told.recentMsP99(),
    };
  }

  /** Where backfills lie: a pipeline's route stays while they are not over. */
  function laneOfReplay(): LaneName {
    return pipeline?.route === 'shared' ? 'live' : 'replay';
  }

  async function stopped(stood: readonly LaneName[], error: unknown): Promise<void> {
    standing.failed(
      stood.filter((lane) => lanes.includes(lane)),
      error,
    );
    if (saidOf(stood).isDue(String(error))) log.warn({ err: error }, 'applying stopped');
    await pause(AGAIN_MS, signal);
  }

  /** Of the loop that serves them. */
  function saidOf(served: readonly LaneName[]): Seldom {
    return served.includes('live') ? said.live : said.replay;
  }

  /** Loops that begin together prepare together. */
  function prepared(known: WorkerPipeline) {
    preparing ??= prepare(known).finally(() => {
      preparing = null;
    });
    return preparing;
  }

  async function prepare(known: WorkerPipeline) {
    await store.migrate();
    opened.streams ??= await openBoth(known);
    await calibrateWhenWanted();
    return opened.streams;
  }

  async function openBoth({
    liveStream,
    replayStream,
  }: WorkerPipeline): Promise<Record<LaneName, DurableStream>> {
    const live = await options.openStream(liveStream);
    try {
      return { live, replay: await options.openStream(replayStream) };
    } catch (error) {
      await live.close();
      throw error;
    }
  }

  /**
   * Before the applier begins, when nothing is known yet; later beside it, when the capacity was taken back or could not be measured:
   * its batches are short, and live traffic, once it flows, waits for no measurement. One at a time.
   */
  function calibrateWhenWanted(): Promise<void> | null {
    if (pipeline?.calibrate !== true || calibrated !== null || !lanes.includes('live')) return calibrating;
    if (clock.monotonic() < calibrateFromMs) return calibrating;
    calibrating ??= calibrate(pipeline).finally(() => {
      calibrating = null;
    });
    return calibrating;
  }

  async function calibrate(known: WorkerPipeline): Promise<void> {
    calibrateFromMs = clock.monotonic() + CALIBRATE_AGAIN_MS;
    try {
      const measured = await measureCapacity(options, known);
      // Set by hand meanwhile: nobody asks for it any more.
      if (pipeline?.calibrate === true) calibrated = measured;
    } catch (error) {
      log.warn({ err: error }, 'capacity not measured');
    }
  }

  /** What changes by itself, looked at apart from the ticks so that a slow answer delays none of them. */
  async function look(): Promise<void> {
    let round = 0;
    while (!signal.aborted) {
      await pause(LOOK_MS, signal);
      const { streams } = opened;
      if (streams === null || signal.aborted) continue;
      if (pipeline === null) {
        seen = { streams: [], askedMs: clock.monotonic() };
        continue;
      }
      void calibrateWhenWanted();
      const askedMs = clock.monotonic();
      try {
        const reports: ApplyReport['streams'] = [];
        for (const lane of lanes) {
          const { [lane]: stream } = streams;
          reports.push(streamReportOf(await stream.stats(APPLIER_GROUP), stream.name, clock.now()));
        }
        seen = { streams: reports, askedMs };
        hold(reports, askedMs);
        said.streams.forget();
      } catch (error) {
        if (said.streams.isDue(String(error))) log.warn({ err: error }, 'streams not readable');
        seen = { streams: [], askedMs };
      }
      if (round++ % 4 === 0) void lookAtStore();
    }
  }

  function holdingOf(stream: string): StreamHolding | null {
    if (pipeline === null) return null;
    const known = holdings.get(stream) ?? new StreamHolding(ledger, pipeline.pipelineId);
    holdings.set(stream, known);
    return known;
  }

  /** Of two appliers the one that applies a stream counts what lies on it. */
  function hold(reports: ApplyReport['streams'], askedMs: number): void {
    const atMs = clock.monotonic();
    for (const { name } of Object.values(opened.streams ?? {})) {
      const report = reports.find(({ stream }) => stream === name);
      if (report === undefined || report.length === null || report.lengthBytes === null)
        holdingOf(name)?.lost();
      else
        holdingOf(name)?.look(
          { bytes: report.lengthBytes, entries: report.length, waiting: report.lagEntries },
          { askedMs, atMs },
        );
    }
  }

  /** Apart from the streams: how long they grow is of interest above all while the store does not answer. */
  async function lookAtStore(): Promise<void> {
    if (askingStore) return;
    askingStore = true;
    try {
      watermarks = { ...(await store.watermarks()) };
      pulse = { seen: await store.pulse(), atMs: clock.monotonic() };
      said.store.forget();
    } catch (error) {
      if (said.store.isDue(String(error))) log.warn({ err: error }, 'the store was not readable');
    } finally {
      askingStore = false;
    }
  }

  function applyReport(): ApplyReport {
    const observed = observations.drain();
    const applied = new Map(observed.streams.map((stream) => [stream.stream, stream]));
    const countsReplay = lanes.includes(laneOfReplay());
    return {
      lanes: [...lanes],
      commitsSideBySide,
      stage: {
        busyRatio: observed.busyRatio,
        blockedRatio: observed.blockedRatio,
        idleRatio: observed.idleRatio,
      },
      storeBusyRatio: observed.storeBusyRatio,
      streams: toldStreams().map((report) => {
        const own = applied.get(report.stream);
        return {
          ...report,
          position: own?.position ?? null,
          eventsApplied: (own?.eventsApplied ?? 0) + (own?.duplicates ?? 0),
        };
      }),
      ...toldStops(),
      // What it counted before another took over is old.
      counters: countsReplay ? observed.counters.map((counters) => ({ ...counters })) : [],
      freshnessMsP50: observed.freshnessMsP50,
      freshnessMsP99: observed.freshnessMsP99,
      freshness: observed.freshness,
      clockAheadMs: observed.clockAheadMs,
      applyLatencyMsP99: observed.applyLatencyMsP99,
      liveEventsApplied: observed.liveEventsApplied,
      replayEventsApplied: observed.replayEventsApplied,
      store: {
        rowsAttempted: observed.rows.attempted,
        rowsInserted: observed.rows.inserted,
        rowsNoop: observed.rows.noop,
        silentMs: observed.storeSilentMs,
        ...recentPulse(),
      },
      commitMsP50: observed.commitMsP50,
      commitMsP99: observed.commitMsP99,
      watermarks,
      // Live alone does not show what the store can take.
      capacityEventsPerSecond: countsReplay ? observed.capacityEventsPerSecond : null,
      calibrated,
    };
  }

  /** Where a stream ended some time ago, before the process stood still or the server took long to answer, is not where it ends. */
  function toldStreams(): ApplyReport['streams'] {
    if (clock.monotonic() - seen.askedMs <= END_STALE_MS) return seen.streams;
    return seen.streams.map(({ lastOffset: _, ...report }) => report);
  }

  function toldStops(): Pick<ApplyReport, 'stopped'> {
    if (pipeline === null) return {};
    const stops = standing.report({ live: pipeline.liveStream, replay: pipeline.replayStream });
    return stops.length === 0 ? {} : { stopped: stops };
  }

  /** A store that no longer answers is not as it was last seen. */
  function recentPulse(): StorePulse {
    return pulse !== null && clock.monotonic() - pulse.atMs <= PULSE_STALE_MS ? pulse.seen : unknownPulse;
  }
}
