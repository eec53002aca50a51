/** What a drill needs of what the workers report. Pure. */
import { type PipelineObservation, usedByReplay, valuesOf } from '../telemetry/observation.ts';
import type { DrillLook, DrillSetting } from './report.ts';

type ApplyReport = NonNullable<PipelineObservation['apply']>;

/** `told`: the applier's report that was taken in last. A report says what was when it was made, so each is told once. */
export function lookAt(
  seen: PipelineObservation | null,
  at: { readonly atMs: number; readonly told: ApplyReport | null; readonly replayRuns: boolean },
): DrillLook {
  const { atMs, told, replayRuns } = at;
  const apply = seen?.apply ?? null;
  const stream = seen === null ? '' : streamOfReplay(seen);
  return {
    atMs,
    applier:
      seen === null || apply === null || apply === told
        ? null
        : {
            storeSilentMs: apply.store.silentMs,
            blockedRatio: apply.stage.blockedRatio,
            freshnessMs: valuesOf(seen).liveFreshnessMsP99,
            liveLagMs: valuesOf(seen).liveLagMs,
            backlog: usedByReplay(seen)?.length ?? null,
          },
    gates: seen?.replay.flatMap(({ gates }) => gates.filter((gate) => gate.stream === stream)) ?? [],
    replayEventsPerSecond: seen?.replayPublishedEventsPerSecond ?? null,
    grantedEventsPerSecond: seen?.grantedEventsPerSecond ?? null,
    replayRuns,
  };
}

export function settingOf(
  seen: PipelineObservation | null,
  pipeline: { readonly highWaterMark: number; readonly freshnessTargetMs: number | null },
  replayRuns: boolean,
): DrillSetting {
  const published = seen?.replayPublishedEventsPerSecond ?? 0;
  return {
    ...pipeline,
    freshnessMsBefore: seen === null ? null : valuesOf(seen).liveFreshnessMsP99,
    replayEventsPerSecondBefore: replayRuns && published > 0 ? published : null,
  };
}

function streamOfReplay({ route, liveStream, replayStream }: PipelineObservation): string {
  return route === 'shared' ? liveStream : replayStream;
}
