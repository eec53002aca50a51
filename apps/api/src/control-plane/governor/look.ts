/** From what is measured of each pipeline to what its replay may use: the guard's inputs, and the memory between its passes. */
import {
  type Guard,
  type GuardInputs,
  type GuardMemory,
  guardLive,
  unguarded,
} from '@spillway/shared/governor/guard';
import type { ControlContext } from '../context.ts';
import type { PipelineRow } from '../pipelines/rows.ts';
import {
  liveNeed,
  liveStreamOf,
  type PipelineObservation,
  usedByReplay,
  waitingOf,
} from '../telemetry/observation.ts';
import { applierSilentMs, storeSilentMs } from '../telemetry/store-silence.ts';
import type { PipelineLook } from './looks.ts';
import type { GovernorMemory } from './memory.ts';
import { type PipelineSignal, signalsOf, toSignal, whyUnreported } from './signals-of.ts';

/** What was learned about replay is about the load it was learned under: after so long without a running backfill it is begun anew. */
const FORGET_AFTER_MS = 10_000;

/** Every pipeline, also one without a backfill: its screen shows what replay could do. `running`: those with a running backfill. */
export function lookAtPipelines(
  ctx: ControlContext,
  memory: GovernorMemory,
  pipelines: readonly PipelineRow[],
  running: ReadonlySet<string>,
): void {
  const looks = pipelines.map((row) => [row.id, lookAt(ctx, memory, row, running.has(row.id))] as const);
  memory.looks = new Map(looks);
}

function lookAt(
  ctx: ControlContext,
  { looks, sightings }: GovernorMemory,
  row: PipelineRow,
  runs: boolean,
): PipelineLook {
  const nowMs = ctx.clock.monotonic();
  const before = looks.get(row.id);
  const seen = ctx.telemetry.observation(row.id);
  const signals = signalsOf(row.signals, seen, ctx.probes.signals(row.id));
  const inputs = guardInputsOf(row, seen, signals, nowMs);
  const ranMs = runs || before === undefined ? nowMs : before.ranMs;
  const { guard: bare, memory } = guardLive(inputs, remembered(before, nowMs));
  const guard = titled(bare, signals);
  return {
    guard,
    memory,
    view: {
      at: new Date(ctx.clock.now()).toISOString(),
      hardStop: guard.hardStop,
      ceilings: [guard.liveFirst, guard.adaptive, guard.storm, guard.stream],
      floorEventsPerSecond: guard.floorEventsPerSecond,
      adaptivePhase: memory.adaptive?.phase ?? 'off',
      storm: memory.storm.storming,
      signals: signals.map(toSignal),
      safeRate: guard.safeRate,
    },
    storeSilentMs: inputs.storeSilentMs,
    applierSilent: (inputs.applierSilentMs ?? null) !== null,
    drillBy: seen?.drill?.startedBy ?? null,
    replayStreamFull: seen !== null && isFull(seen),
    stoppedLanes: seen?.stoppedLanes ?? [],
    ...(row.external === null
      ? {}
      : {
          external: { unseen: guard.hardStop, astray: sightings.astray(row.replayStream, nowMs) },
        }),
    atMs: nowMs,
    ranMs,
  };
}

/** People know a probe by its title, not by its id. */
function titled(guard: Guard, signals: readonly PipelineSignal[]): Guard {
  const because = signals.find(({ kind, reading }) => kind === 'probe' && reading === guard.health.because);
  if (because === undefined) return guard;
  const inWords = (text: string) => text.replaceAll(because.reading.name, because.title);
  return {
    ...guard,
    adaptive: { ...guard.adaptive, detail: inWords(guard.adaptive.detail) },
    safeRate: { ...guard.safeRate, why: inWords(guard.safeRate.why) },
  };
}

function remembered(before: PipelineLook | undefined, nowMs: number): GuardMemory {
  if (before === undefined) return unguarded;
  // That live has yet to catch up is not forgotten.
  return nowMs - before.ranMs > FORGET_AFTER_MS
    ? { ...unguarded, stopped: before.memory.stopped }
    : before.memory;
}

function guardInputsOf(
  row: PipelineRow,
  seen: PipelineObservation | null,
  signals: readonly PipelineSignal[],
  nowMs: number,
): GuardInputs {
  return {
    nowMs,
    capacityEventsPerSecond: row.capacityEventsPerSecond,
    measuredEventsPerSecond: row.measuredEventsPerSecond,
    headroomShare: row.headroom,
    floorShare: row.replayFloor,
    replayShare: row.replayShare,
    liveEventsPerSecond: seen === null ? null : liveNeed(seen),
    liveLagMs: (seen === null ? undefined : liveStreamOf(seen))?.lagMs ?? null,
    freshnessTargetMs: row.signals.liveFreshnessMsP99?.target ?? null,
    signals: signals.map(({ reading }) => reading),
    replay: {
      publishedEventsPerSecond: seen?.replayPublishedEventsPerSecond ?? null,
      appliedEventsPerSecond: seen?.replayAppliedEventsPerSecond ?? null,
      streamLength: seen === null ? null : waitingOf(seen, usedByReplay(seen)),
      highWaterMark: row.highWaterMark,
    },
    storeSilentMs: seen === null ? null : storeSilentMs(seen),
    applierSilentMs: seen === null ? null : applierSilentMs(seen),
    unreported: whyUnreported(seen),
    ...(row.external === null ? {} : { external: { unwatched: whyUnwatched(seen) } }),
  };
}

function whyUnwatched(seen: PipelineObservation | null): string {
  const problem = seen?.external?.report?.problem ?? null;
  return problem === null
    ? 'no replay worker has looked at its consumer groups: nothing would be known to be finished'
    : problem.detail;
}

function isFull(seen: PipelineObservation): boolean {
  const used = usedByReplay(seen);
  const gates = seen.replay.flatMap((report) => report.gates);
  return (
    (waitingOf(seen, used) ?? 0) >= seen.highWaterMark ||
    gates.some((gate) => gate.closed && gate.stream === (used?.stream ?? seen.replayStream))
  );
}
