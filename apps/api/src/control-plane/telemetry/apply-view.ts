/**
 * One view of two apply workers, one of which applies live and the other replay: what a pipeline is seen to do does not depend on how many
 * processes do it. Pure.
 */
import type { ApplyLane, Tick } from '@spillway/shared/api/worker-protocol';

export type ApplyReport = NonNullable<Tick['apply']>;

/** Of one that does not say: both. */
export function lanesOf({ lanes = ['live', 'replay'] }: ApplyReport): readonly ApplyLane[] {
  return lanes;
}

/** What live has seen is told by who applies it, and what nobody's is by whoever is worse off. */
export function mergedReport(live: ApplyReport, replay: ApplyReport): ApplyReport {
  const heldUp = (report: ApplyReport) =>
    [report.stage.blockedRatio ?? 0, report.stage.busyRatio ?? 0] as const;
  const [[liveBlocked, liveBusy], [replayBlocked, replayBusy]] = [heldUp(live), heldUp(replay)];
  const replayIsWorse = replayBlocked === liveBlocked ? replayBusy > liveBusy : replayBlocked > liveBlocked;
  return {
    ...live,
    lanes: ['live', 'replay'],
    stage: replayIsWorse ? replay.stage : live.stage,
    storeBusyRatio: larger(live.storeBusyRatio, replay.storeBusyRatio),
    streams: [...live.streams, ...replay.streams],
    counters: [...live.counters, ...replay.counters],
    applyLatencyMsP99: larger(live.applyLatencyMsP99, replay.applyLatencyMsP99),
    liveEventsApplied: live.liveEventsApplied + replay.liveEventsApplied,
    replayEventsApplied: live.replayEventsApplied + replay.replayEventsApplied,
    store: {
      ...live.store,
      rowsAttempted: live.store.rowsAttempted + replay.store.rowsAttempted,
      rowsInserted: live.store.rowsInserted + replay.store.rowsInserted,
      rowsNoop: live.store.rowsNoop + replay.store.rowsNoop,
      silentMs: Math.max(live.store.silentMs, replay.store.silentMs),
      poolWaitMsP99: larger(live.store.poolWaitMsP99, replay.store.poolWaitMsP99),
    },
    commitMsP50: larger(live.commitMsP50, replay.commitMsP50),
    commitMsP99: larger(live.commitMsP99, replay.commitMsP99),
    capacityEventsPerSecond: larger(live.capacityEventsPerSecond, replay.capacityEventsPerSecond),
  };
}

/** Unknown is no number: of one that is known and one that is not, the known. */
function larger(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other);
}
