/** Source, stream, aggregate, store as they are shown: pure. Unknown stays unknown. */
import type { Stages, StreamResource } from '@spillway/shared/api/pipeline';
import { safePausedForMs } from '@spillway/shared/quote/stream-plan';
import { fillPressureOf, pressureOf } from '@spillway/shared/telemetry/pressure';
import { formatDuration } from '@spillway/shared/time/duration';
import type { Static } from 'typebox';
import { appendsHoldUp, bottleneckOf, causeChainOf, isStopped } from './causes.ts';
import {
  appendRatioOf,
  clockAheadMs,
  type PipelineObservation,
  readerTimes,
  shownApplied,
  streamReport,
  usedByReplay,
  waitingOf,
} from './observation.ts';

type Stage = Stages['stages'][number];
type Stream = Static<typeof StreamResource>;

export function stagesOf(seen: PipelineObservation, atMs: number): Stages {
  const { apply, external = null } = seen;
  const reader = readerTimes(seen.replay);
  const applied =
    external === null ? total(seen.liveAppliedEventsPerSecond, shownApplied(seen)) : shownApplied(seen);
  const rates = {
    eventsPerSecond: applied,
    liveEventsPerSecond: seen.liveAppliedEventsPerSecond,
    replayEventsPerSecond: shownApplied(seen),
  };
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
      eventsPerSecond:
        external === null
          ? total(seen.livePublishedEventsPerSecond, seen.replayPublishedEventsPerSecond)
          : seen.replayPublishedEventsPerSecond,
      liveEventsPerSecond: seen.livePublishedEventsPerSecond,
      replayEventsPerSecond: seen.replayPublishedEventsPerSecond,
      // What its limit is for: live has a stream of its own, or is counted with replay.
      queueLength: waitingOf(seen, usedByReplay(seen)),
      queueLimit: seen.highWaterMark,
      // How long entries wait is measured for the oldest alone (`consumerLagMs` of the stream), which is no percentile.
      latencyMsP50: null,
      latencyMsP99: null,
      // How full it is tells how pressed it is, unless it is slow to take anything at all.
      pressure: appendsHoldUp(seen)
        ? pressureOf(appendRatioOf(seen.replay))
        : fillPressureOf(waitingOf(seen, usedByReplay(seen)), seen.highWaterMark),
    },
    {
      ...blank('aggregate'),
      ...rates,
      ...(apply?.stage ?? {}),
      latencyMsP50: apply?.freshnessMsP50 ?? null,
      latencyMsP99: apply?.freshnessMsP99 ?? null,
      pressure: isStopped(seen) ? 'high' : pressureOf(apply?.stage.blockedRatio ?? null),
    },
    {
      ...blank('store'),
      // What of it has reached a store that is not ours, only its consumers know.
      ...(external === null ? rates : {}),
      busyRatio: storeBusy,
      blockedRatio: storeBusy === null ? null : 0,
      idleRatio: storeBusy === null ? null : 1 - storeBusy,
      latencyMsP50: apply?.commitMsP50 ?? null,
      latencyMsP99: apply?.commitMsP99 ?? null,
      pressure: storeBusy === null ? 'unknown' : storeBusy > 0.95 ? 'high' : storeBusy > 0.8 ? 'low' : 'ok',
    },
  ];
  const bottleneck = bottleneckOf(seen);
  return { at: new Date(atMs).toISOString(), stages, bottleneck, causeChain: causeChainOf(seen, bottleneck) };
}

export function streamsOf(seen: PipelineObservation): Stream[] {
  const { external = null, route } = seen;
  if (external !== null) {
    const role = route === 'shared' ? 'shared' : 'replay';
    const stream = streamOf(seen, seen.replayStream, role, seen.highWaterMark);
    return [
      {
        ...stream,
        name: external.stream,
        external: true,
        retention: external.report?.problem?.detail ?? 'yours to decide: Spillway trims nothing here',
      },
    ];
  }
  if (seen.route === 'shared') return [streamOf(seen, seen.liveStream, 'shared', seen.highWaterMark)];
  return [
    streamOf(seen, seen.liveStream, 'live', null),
    streamOf(seen, seen.replayStream, 'replay', seen.highWaterMark),
  ];
}

function streamOf(
  seen: PipelineObservation,
  name: string,
  role: Stream['role'],
  highWaterMark: number | null,
): Stream {
  const report = streamReport(seen, name);
  // The publisher whose clock is ahead is one of live's.
  const ageKnown = role === 'replay' || clockAheadMs(seen) === null;
  const lagMs = ageKnown ? (report?.lagMs ?? null) : null;
  return {
    name,
    role,
    length: report?.length ?? null,
    highWaterMark,
    lengthBytes: report?.lengthBytes ?? null,
    consumerLag: report?.lagEntries ?? null,
    consumerLagMs: lagMs,
    oldestPendingMs: lagMs,
    retention: retentionInWords(report),
    safePausedForMs: safePausedFor(seen, role, report),
    ...(report?.accepted === undefined ? {} : { accepted: report.accepted }),
  };
}

type Report = NonNullable<ReturnType<typeof streamReport>>;

/** While replay is paused nothing but live grows, and only where both share the stream. Null: nothing is lost however long, or nobody knows (`accepted`). */
function safePausedFor(
  seen: PipelineObservation,
  role: Stream['role'],
  report: Report | undefined,
): number | null {
  if (report?.retention === undefined || role === 'live' || report.length === null) return null;
  const { length, lagEntries, lagMs } = report;
  return safePausedForMs(report.retention, {
    // Where the backbone cannot say, all that is there may be.
    unapplied: lagEntries ?? length,
    oldestUnappliedMs: lagEntries === 0 ? null : lagMs,
    growthEntriesPerSecond: role === 'shared' ? liveGrowth(seen) : 0,
    bytesPerEntry: length > 0 ? (report.lengthBytes ?? 0) / length : 0,
  });
}

/** What of live is not applied as it comes, entries/s. Unless it is known what is applied, none is. */
function liveGrowth(seen: PipelineObservation): number {
  return Math.max(0, (seen.livePublishedEventsPerSecond ?? 0) - (seen.liveAppliedEventsPerSecond ?? 0));
}

function retentionInWords(report: Report | undefined): string {
  const { ms, entries, bytes } = report?.retention ?? { ms: null, entries: null, bytes: null };
  const limits = [
    ms === null ? [] : formatDuration(ms),
    entries === null ? [] : `${entries} entries`,
    bytes === null ? [] : `${bytes} bytes`,
  ].flat();
  const accepted = report?.accepted ?? [];
  const kept =
    limits.length > 0
      ? `at most ${limits.join(', ')}, applied or not`
      : accepted.includes('retention')
        ? 'for how long nobody says'
        : accepted.includes('untrimmed')
          ? 'for good, applied or not'
          : 'until every consumer group has finished with it';
  return accepted.length === 0 ? kept : `${kept}, as accepted (SPILLWAY_STREAM_ACCEPT=${accepted.join()})`;
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

/** What is unknown in part is unknown as a whole. */
function total(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}
