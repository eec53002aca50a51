/**
 * The model pipeline under the real governor, on a virtual clock.
 *
 *     every 25 ms    the pipeline makes a step, the reader at the grant in force
 *     every 250 ms   workers report; the governor decides on the report before last (a tick is late when it is used)
 *     grant delay    later the reader has the new grant
 *
 * The deciders are handed in: production's by default, and in the tests of the tests variants that must be caught. The governor
 * believes in a capacity of its own, which amplification makes wrong.
 */
import type { Effective } from '../api/backfill.ts';
import { askedShare } from '../backfill/asked-rate.ts';
import { decide } from '../governor/decide.ts';
import { dividePipeline } from '../governor/divide-pipeline.ts';
import { type Guard, type GuardMemory, guardLive, unguarded } from '../governor/guard.ts';
import type { SignalReading } from '../governor/signals.ts';
import type { Measured, PipelineModel } from './model.ts';
import { ModelPipeline } from './model-pipeline.ts';
import { type Span, type Timeline, valueAt, within } from './timeline.ts';

export interface Deciders {
  readonly guardLive: typeof guardLive;
  readonly decide: typeof decide;
  readonly dividePipeline: typeof dividePipeline;
}
const production: Deciders = { guardLive, decide, dividePipeline };

export interface GovernedBackfill {
  readonly backfillId: string;
  readonly priority: number;
  readonly limits: { readonly eventsPerSecond: number | null; readonly share: number | null };
}

export interface GovernedRun {
  readonly model: PipelineModel;
  readonly durationMs: number;
  readonly events: number;
  readonly policy: {
    /** What the governor believes, events/s of amplification 1. */
    readonly capacityEventsPerSecond: number;
    /** What was measured, where the capacity is set by hand. Absent: the capacity was measured. */
    readonly measuredEventsPerSecond?: number;
    readonly replayShare: number;
    readonly headroomShare: number;
    readonly floorShare: number;
    /** Of live freshness, ms; null: nothing governs. */
    readonly freshnessTargetMs: number | null;
  };
  readonly backfills: readonly GovernedBackfill[];
  readonly liveEventsPerSecond: Timeline<number>;
  readonly replayAmplification: Timeline<number>;
  readonly stalls: readonly Span[];
  /** While the freshness signal cannot be read: it says nothing, or repeats an old value. */
  readonly deadSignals: readonly (Span & { readonly how: 'null' | 'stale' })[];
  /** What the governor's clock is off by, ms. */
  readonly clockOffsetMs: Timeline<number>;
  readonly grantDelayMs: number;
}

/** One pass of the governor, and what it saw. */
export interface Pass {
  readonly atMs: number;
  readonly seen: Measured;
  /** The truth at this moment, which the governor will see later. */
  readonly measured: Measured;
  readonly guard: Guard;
  readonly memory: GuardMemory;
  /** After the division, by backfill. */
  readonly effective: ReadonlyMap<string, Effective>;
  /** All grants together, events/s. */
  readonly granted: number;
  readonly published: number;
  readonly applied: number;
}

export interface GovernedTrace {
  readonly passes: readonly Pass[];
  readonly peakReplayWaiting: number;
  /** ∫ grants in force, events: what may have been published at most. */
  readonly allowed: number;
  readonly published: number;
  readonly applied: number;
}

const STEP_MS = 25;
export const PASS_MS = 250;
/** As the control plane has it. */
const STALE_AFTER_MS = 3_000;

export function runGoverned(run: GovernedRun, deciders: Deciders = production): GovernedTrace {
  const pipeline = new ModelPipeline(run.model, { stepMs: STEP_MS, events: run.events });
  const passes: Pass[] = [];
  const grants: { readonly fromMs: number; readonly eventsPerSecond: number }[] = [];
  let inForce = 0;
  let allowed = 0;
  let memory = unguarded;
  let reported = pipeline.measured();
  let seen = reported;
  while (pipeline.nowMs < run.durationMs) {
    const nowMs = pipeline.nowMs;
    if (nowMs % PASS_MS === 0) {
      seen = reported;
      reported = pipeline.measured();
      const pass = decidePass(run, deciders, { nowMs, seen, memory });
      memory = pass.memory;
      grants.push({ fromMs: nowMs + run.grantDelayMs, eventsPerSecond: pass.granted });
      passes.push({
        ...pass,
        measured: reported,
        published: pipeline.published,
        applied: pipeline.applied,
      });
    }
    while (grants[0] !== undefined && grants[0].fromMs <= nowMs)
      inForce = grants.shift()?.eventsPerSecond ?? inForce;
    allowed += (inForce * STEP_MS) / 1000;
    pipeline.step(
      {
        liveEventsPerSecond: valueAt(run.liveEventsPerSecond, nowMs),
        replayAmplification: valueAt(run.replayAmplification, nowMs),
        storeAnswers: !run.stalls.some((stall) => within(stall, nowMs)),
      },
      inForce,
    );
  }
  return {
    passes,
    peakReplayWaiting: pipeline.peakReplayWaiting,
    allowed,
    published: pipeline.published,
    applied: pipeline.applied,
  };
}

type Decided = Pick<Pass, 'atMs' | 'seen' | 'guard' | 'memory' | 'effective' | 'granted'>;

function decidePass(
  { model, policy, backfills, clockOffsetMs, deadSignals }: GovernedRun,
  deciders: Deciders,
  { nowMs, seen, memory: before }: { nowMs: number; seen: Measured; memory: GuardMemory },
): Decided {
  const { guard, memory } = deciders.guardLive(
    {
      nowMs: nowMs + valueAt(clockOffsetMs, nowMs),
      capacityEventsPerSecond: policy.capacityEventsPerSecond,
      measuredEventsPerSecond: policy.measuredEventsPerSecond ?? policy.capacityEventsPerSecond,
      headroomShare: policy.headroomShare,
      floorShare: policy.floorShare,
      replayShare: policy.replayShare,
      liveEventsPerSecond: seen.liveEventsPerSecond,
      liveLagMs: seen.liveLagMs,
      freshnessTargetMs: policy.freshnessTargetMs,
      signals: [freshnessSignal(seen, policy.freshnessTargetMs, deadSignals, nowMs)],
      replay: {
        publishedEventsPerSecond: seen.publishedEventsPerSecond,
        appliedEventsPerSecond: seen.appliedEventsPerSecond,
        streamLength: seen.streamLength,
        highWaterMark: model.highWaterMark,
      },
      storeSilentMs: seen.storeSilentMs,
    },
    before,
  );
  const effective = deciders.dividePipeline(
    policy.capacityEventsPerSecond,
    backfills.map(({ backfillId, priority, limits }) => ({
      backfillId,
      priority,
      decision: deciders.decide({
        state: 'running',
        holds: [],
        replayPaused: false,
        staggered: false,
        slotWait: null,
        limits,
        pipeline: policy,
        replayWorkers: 1,
        isolated: false,
        guard,
      }),
      share: askedShare(limits, policy),
      demand: null,
    })),
  );
  const granted = [...effective.values()].reduce((sum, { eventsPerSecond }) => sum + eventsPerSecond, 0);
  return { atMs: nowMs, seen, guard, memory, effective, granted };
}

function freshnessSignal(
  { freshnessMs }: Measured,
  target: number | null,
  deadSignals: GovernedRun['deadSignals'],
  nowMs: number,
): SignalReading {
  const dead = deadSignals.find((span) => within(span, nowMs));
  return {
    name: 'liveFreshnessMsP99',
    // A stale one repeats what looks well.
    value: dead === undefined ? freshnessMs : dead.how === 'null' ? null : (target ?? 0) / 2,
    ageMs: dead === undefined ? PASS_MS : nowMs - dead.fromMs + PASS_MS,
    staleAfterMs: STALE_AFTER_MS,
    target,
    worseWhen: 'above',
    failMode: 'bad',
  };
}
