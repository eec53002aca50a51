/** From what the workers last reported to what is shown: pure. Unknown stays unknown. */
import type { MetricName, Stages, StreamResource } from '@spillway/shared/api/pipeline';
import type { Tick } from '@spillway/shared/api/worker-protocol';
import { fillPressureOf, pressureOf } from '@spillway/shared/telemetry/pressure';
import type { Static } from 'typebox';

type ReplayReport = NonNullable<Tick['replay']>;
type ApplyReport = NonNullable<Tick['apply']>;
type Stage = Stages['stages'][number];

export interface PipelineObservation {
  readonly replay: readonly ReplayReport[];
  readonly apply: ApplyReport | null;
  readonly liveStream: string;
  readonly replayStream: string;
  readonly highWaterMark: number;
  readonly capacityEventsPerSecond: number | null;
  readonly grantedEventsPerSecond: number | null;
  readonly livePublishedEventsPerSecond: number | null;
  readonly replayPublishedEventsPerSecond: number | null;
  readonly liveAppliedEventsPerSecond: number | null;
  readonly replayAppliedEventsPerSecond: number | null;
}

export function valuesOf(seen: PipelineObservation): Record<MetricName, number | null> {
  const source = readerStage(seen.replay);
  return {
    liveEventsPerSecond: seen.liveAppliedEventsPerSecond,
    livePublishedEventsPerSecond: seen.livePublishedEventsPerSecond,
    replayEventsPerSecond: seen.replayAppliedEventsPerSecond,
    replayPublishedEventsPerSecond: seen.replayPublishedEventsPerSecond,
    liveFreshnessMsP50: seen.apply?.freshnessMsP50 ?? null,
    liveFreshnessMsP99: seen.apply?.freshnessMsP99 ?? null,
    storeCommitMsP50: seen.apply?.commitMsP50 ?? null,
    storeCommitMsP99: seen.apply?.commitMsP99 ?? null,
    streamLength: streamReport(seen, seen.liveStream)?.length ?? null,
    replayStreamLength: streamReport(seen, seen.replayStream)?.length ?? null,
    grantedEventsPerSecond: seen.grantedEventsPerSecond,
    sourceBusyRatio: source.busyRatio,
    sourceBlockedRatio: source.blockedRatio,
    applyBusyRatio: seen.apply?.stage.busyRatio ?? null,
    applyIdleRatio: seen.apply?.stage.idleRatio ?? null,
    storeBusyRatio: seen.apply?.storeBusyRatio ?? null,
    capacityEventsPerSecond: seen.capacityEventsPerSecond,
  };
}

export function stagesOf(seen: PipelineObservation, atMs: number): Stages {
  const { apply } = seen;
  const live = streamReport(seen, seen.liveStream);
  const replay = streamReport(seen, seen.replayStream);
  const reader = readerStage(seen.replay);
  const applied = total(seen.liveAppliedEventsPerSecond, seen.replayAppliedEventsPerSecond);
  const rates = { live: seen.liveAppliedEventsPerSecond, replay: seen.replayAppliedEventsPerSecond };
  const storeBusy = apply?.storeBusyRatio ?? null;

  const stages: Stage[] = [
    {
      ...blank('source'),
      eventsPerSecond: seen.replayPublishedEventsPerSecond,
      replayEventsPerSecond: seen.replayPublishedEventsPerSecond,
      liveEventsPerSecond: seen.livePublishedEventsPerSecond,
      ...reader,
      pressure: pressureOf(reader.blockedRatio),
    },
    {
      ...blank('stream'),
      eventsPerSecond: total(seen.livePublishedEventsPerSecond, seen.replayPublishedEventsPerSecond),
      liveEventsPerSecond: seen.livePublishedEventsPerSecond,
      replayEventsPerSecond: seen.replayPublishedEventsPerSecond,
      queueLength: total(live?.length ?? null, replay?.length ?? null),
      queueLimit: seen.highWaterMark,
      latencyMsP50: null,
      latencyMsP99: longest(live?.lagMs ?? null, replay?.lagMs ?? null),
      // A stream does no work: how full it is tells how pressed it is.
      pressure: fillPressureOf(replay?.length ?? null, seen.highWaterMark),
    },
    {
      ...blank('aggregate'),
      eventsPerSecond: applied,
      liveEventsPerSecond: rates.live,
      replayEventsPerSecond: rates.replay,
      ...(apply?.stage ?? {}),
      latencyMsP50: apply?.freshnessMsP50 ?? null,
      latencyMsP99: apply?.freshnessMsP99 ?? null,
      pressure: pressureOf(apply?.stage.blockedRatio ?? null),
    },
    {
      ...blank('store'),
      eventsPerSecond: applied,
      liveEventsPerSecond: rates.live,
      replayEventsPerSecond: rates.replay,
      busyRatio: storeBusy,
      blockedRatio: storeBusy === null ? null : 0,
      idleRatio: storeBusy === null ? null : 1 - storeBusy,
      latencyMsP50: apply?.commitMsP50 ?? null,
      latencyMsP99: apply?.commitMsP99 ?? null,
      pressure: storeBusy === null ? 'unknown' : storeBusy > 0.95 ? 'high' : storeBusy > 0.8 ? 'low' : 'ok',
    },
  ];
  const bottleneck = busiest(stages);
  return {
    at: new Date(atMs).toISOString(),
    stages,
    bottleneck,
    causeChain: causesOf(seen, stages, bottleneck),
  };
}

/** Only a stage that is really pressed is a bottleneck; a pipeline at rest has none. */
function busiest(stages: readonly Stage[]): string | null {
  const pressed = stages.filter(({ busyRatio }) => busyRatio !== null && busyRatio > 0.8);
  return pressed.toSorted((a, b) => (b.busyRatio ?? 0) - (a.busyRatio ?? 0))[0]?.stage ?? null;
}

function causesOf(seen: PipelineObservation, stages: readonly Stage[], bottleneck: string | null): string[] {
  const causes: string[] = [];
  const replay = streamReport(seen, seen.replayStream);
  const reader = stages[0];
  if (bottleneck === 'store')
    causes.push(
      `The store is busy ${percent(stages[3]?.busyRatio)} of the time, a commit takes ${Math.round(stages[3]?.latencyMsP99 ?? 0)} ms (p99).`,
    );
  if (replay?.length != null && replay.length > seen.highWaterMark / 2)
    causes.push(`The replay stream holds ${replay.length} of ${seen.highWaterMark} entries.`);
  if (reader?.blockedRatio != null && reader.blockedRatio > 0.1)
    causes.push(`The replay reader waits for the stream ${percent(reader.blockedRatio)} of the time.`);
  return causes;
}

export function streamsOf(seen: PipelineObservation): Static<typeof StreamResource>[] {
  return [
    streamOf(seen, seen.liveStream, 'live', null),
    streamOf(seen, seen.replayStream, 'replay', seen.highWaterMark),
  ];
}

function streamOf(
  seen: PipelineObservation,
  name: string,
  role: 'live' | 'replay',
  highWaterMark: number | null,
): Static<typeof StreamResource> {
  const report = streamReport(seen, name);
  return {
    name,
    role,
    length: report?.length ?? null,
    highWaterMark,
    lengthBytes: report?.lengthBytes ?? null,
    consumerLag: report?.lagEntries ?? null,
    consumerLagMs: report?.lagMs ?? null,
    oldestPendingMs: report?.lagMs ?? null,
    retention: 'until every consumer group has finished with it',
    safePausedForMs: null,
  };
}

function readerStage(reports: readonly ReplayReport[]) {
  const mean = (of: (report: ReplayReport) => number | null) => {
    const known = reports.map(of).filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
  };
  return {
    busyRatio: mean(({ stage }) => stage.busyRatio),
    blockedRatio: mean(({ stage }) => stage.blockedRatio),
    idleRatio: mean(({ stage }) => stage.idleRatio),
  };
}

function streamReport(seen: PipelineObservation, name: string) {
  return seen.apply?.streams.find(({ stream }) => stream === name);
}

function blank(stage: Stage['stage']): Stage {
  return {
    stage,
    eventsPerSecond: null,
    liveEventsPerSecond: null,
    replayEventsPerSecond: null,
    busyRatio: null,
    blockedRatio: null,
    idleRatio: null,
    queueLength: null,
    queueLimit: null,
    latencyMsP50: null,
    latencyMsP99: null,
    pressure: 'unknown',
  };
}

function total(a: number | null, b: number | null): number | null {
  return a === null && b === null ? null : (a ?? 0) + (b ?? 0);
}

function longest(a: number | null, b: number | null): number | null {
  return a === null && b === null ? null : Math.max(a ?? 0, b ?? 0);
}

function percent(ratio: number | null | undefined): string {
  return `${Math.round((ratio ?? 0) * 100)} %`;
}
