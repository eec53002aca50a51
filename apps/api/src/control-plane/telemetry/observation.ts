/** What the workers last reported of a pipeline, and the metrics made of it: pure. Unknown stays unknown. */

import type { ExternalReport } from '@spillway/shared/api/external';
import type { MetricName, ReplayRate } from '@spillway/shared/api/pipeline';
import type { StoppedLane, Tick } from '@spillway/shared/api/worker-protocol';

type ReplayReport = NonNullable<Tick['replay']>;
type ApplyReport = NonNullable<Tick['apply']>;
type StreamReport = ApplyReport['streams'][number];

/** A fire drill from the moment the store stands still. `released`: it has been let go, and what waited is worked off. */
export interface DrillUnderWay {
  readonly startedBy: string;
  readonly released: boolean;
}

export interface PipelineObservation {
  readonly replay: readonly ReplayReport[];
  readonly apply: ApplyReport | null;
  /** Lanes of it that an applier has and does not apply. Absent: none. */
  readonly stoppedLanes?: readonly StoppedLane[];
  /** An apply worker is heard of that can read no stream, which is why nothing is told of this one's. Absent: none is. */
  readonly readsNoStream?: true;
  /** Since the applier's report came, ms; null without one. */
  readonly applyAgeMs: number | null;
  /** A stream of the user's own, by their key, and how the groups stand (null: nobody has said). Null or absent: it is built in. */
  readonly external?: { readonly stream: string; readonly report: ExternalReport | null } | null;
  /** Somebody has stalled its store on purpose. Null or absent: nobody has. */
  readonly drill?: DrillUnderWay | null;
  readonly route: 'separate' | 'shared';
  readonly liveStream: string;
  readonly replayStream: string;
  readonly highWaterMark: number;
  readonly capacityEventsPerSecond: number | null;
  readonly grantedEventsPerSecond: number | null;
  /** Backfills that hold leases, with what they really publish (a grant is only leave to): the fastest first. Null: not known. */
  readonly replaying: readonly { readonly backfillId: string; readonly eventsPerSecond: number | null }[];
  readonly livePublishedEventsPerSecond: number | null;
  readonly replayPublishedEventsPerSecond: number | null;
  readonly liveAppliedEventsPerSecond: number | null;
  /** What the governor steers by: over the last second, of the whole stream. */
  readonly replayAppliedEventsPerSecond: number | null;
  /** What is shown. */
  readonly replayRate: ReplayRate;
  readonly rowsAttemptedPerSecond: number | null;
  readonly rowsInsertedPerSecond: number | null;
  readonly rowsNoopPerSecond: number | null;
  readonly walBytesPerSecond: number | null;
}

export function valuesOf(seen: PipelineObservation): Record<MetricName, number | null> {
  const { apply } = seen;
  const live = liveStreamOf(seen);
  const replay = streamReport(seen, seen.replayStream);
  const reader = readerTimes(seen.replay);
  const agesKnown = clockAheadMs(seen) === null;
  return {
    liveEventsPerSecond: seen.liveAppliedEventsPerSecond,
    livePublishedEventsPerSecond: seen.livePublishedEventsPerSecond,
    replayEventsPerSecond: shownApplied(seen),
    replayPublishedEventsPerSecond: seen.replayPublishedEventsPerSecond,
    liveFreshnessMsP50: agesKnown ? (apply?.freshnessMsP50 ?? null) : null,
    liveFreshnessMsP99: agesKnown ? worstFreshness(apply?.freshnessMsP99 ?? null, live?.lagMs ?? null) : null,
    storeCommitMsP50: apply?.commitMsP50 ?? null,
    storeCommitMsP99: apply?.commitMsP99 ?? null,
    streamLength: live?.length ?? null,
    replayStreamLength: waitingOf(seen, replay),
    grantedEventsPerSecond: seen.grantedEventsPerSecond,
    sourceBusyRatio: reader.busyRatio,
    sourceBlockedRatio: reader.blockedRatio,
    applyBusyRatio: apply?.stage.busyRatio ?? null,
    applyIdleRatio: apply?.stage.idleRatio ?? null,
    storeBusyRatio: apply?.storeBusyRatio ?? null,
    capacityEventsPerSecond: seen.capacityEventsPerSecond,
    liveLagEntries: live?.lagEntries ?? null,
    liveLagMs: agesKnown ? (live?.lagMs ?? null) : null,
    replayLagEntries: replay?.lagEntries ?? null,
    replayLagMs: replay?.lagMs ?? null,
    applyLatencyMsP99: apply?.applyLatencyMsP99 ?? null,
    storePoolWaitMsP99: apply?.store.poolWaitMsP99 ?? null,
    walBytesPerSecond: seen.walBytesPerSecond,
    rowsAttemptedPerSecond: seen.rowsAttemptedPerSecond,
    rowsInsertedPerSecond: seen.rowsInsertedPerSecond,
    rowsNoopPerSecond: seen.rowsNoopPerSecond,
    deadRows: apply?.store.deadRows ?? null,
    cacheHitRatio: apply?.store.cacheHitRatio ?? null,
  };
}

/** Events/s of replay that are applied, as they are shown. Of a store that is not ours: that the consumer groups have finished. */
export function shownApplied({
  replayRate,
  replayAppliedEventsPerSecond,
}: PipelineObservation): number | null {
  return replayRate.of === 'applied' ? replayRate.eventsPerSecond : replayAppliedEventsPerSecond;
}

/** No event was applied and none waits: there is no freshness to speak of. One that waits is not fresh, although it was not applied. */
function worstFreshness(appliedMs: number | null, lagMs: number | null): number | null {
  return appliedMs === null && (lagMs ?? 0) === 0 ? null : Math.max(appliedMs ?? 0, lagMs ?? 0);
}

/** By how much at least a publisher of live is ahead of the applier's clock, ms; null: not by more than clocks may differ. */
export function clockAheadMs({ apply }: PipelineObservation): number | null {
  return apply?.clockAheadMs ?? null;
}

/** Events/s. Published says what is coming, applied what there was: live needs the larger of the two. Null: neither is known. */
export function liveNeed(seen: PipelineObservation): number | null {
  const { livePublishedEventsPerSecond: published, liveAppliedEventsPerSecond: applied } = seen;
  return published === null || applied === null ? (published ?? applied) : Math.max(published, applied);
}

/** On a user's stream nobody here can tell live from the rest. */
export function liveStreamOf(seen: PipelineObservation): StreamReport | undefined {
  if ((seen.external ?? null) !== null) return undefined;
  return streamReport(seen, seen.liveStream);
}

/** The one that replay publishes on now. */
export function usedByReplay(seen: PipelineObservation): StreamReport | undefined {
  return streamReport(seen, seen.route === 'shared' ? seen.liveStream : seen.replayStream);
}

/** What of it waits, entries: that is held under the high-water mark. A user's stream keeps what is finished as well. Null: unknown. */
export function waitingOf(seen: PipelineObservation, report: StreamReport | undefined): number | null {
  return (seen.external ?? null) === null ? (report?.length ?? null) : (report?.lagEntries ?? null);
}

export function streamReport(seen: PipelineObservation, name: string): StreamReport | undefined {
  const external = seen.external?.report ?? null;
  // What it weighs there nobody has asked: MEMORY USAGE is no command to send four times a second.
  if (external !== null)
    return external.stream === name ? { ...external, lengthBytes: null, eventsApplied: 0 } : undefined;
  return seen.apply?.streams.find(({ stream }) => stream === name);
}

/** Of all readers together: their mean. */
export function readerTimes(reports: readonly ReplayReport[]): Omit<ReplayReport['stage'], 'appendRatio'> {
  return {
    busyRatio: meanOf(reports, ({ stage }) => stage.busyRatio),
    blockedRatio: meanOf(reports, ({ stage }) => stage.blockedRatio),
    idleRatio: meanOf(reports, ({ stage }) => stage.idleRatio),
  };
}

/** The part of their time that the stream's server took for what they appended; within `busyRatio`. */
export function appendRatioOf(reports: readonly ReplayReport[]): number | null {
  return meanOf(reports, ({ stage }) => stage.appendRatio ?? null);
}

function meanOf(
  reports: readonly ReplayReport[],
  of: (report: ReplayReport) => number | null,
): number | null {
  const known = reports.map(of).filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
