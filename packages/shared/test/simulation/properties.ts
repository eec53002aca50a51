/**
 * What must hold of every run, whatever the governor is. Each property looks at the truth of the model and at what was granted, and
 * reckons for itself: none asks the deciders what they think. The answer is what is wrong, or null.
 */
import {
  type Deciders,
  type GovernedTrace,
  PASS_MS,
  type Pass,
  runGoverned,
} from '../../src/simulation/governed-run.ts';
import { valueAt, within } from '../../src/simulation/timeline.ts';
import { meanRate, turnsOf } from './measures.ts';
import type { Scenario } from './scenarios.ts';

type Property = (scenario: Scenario, trace: GovernedTrace, deciders: Deciders | undefined) => string | null;

/** Rounding of doubles. */
const SLACK = 1 + 1e-9;

const withinLimits: Property = ({ run }, trace) => {
  const { capacityEventsPerSecond: capacity, replayShare } = run.policy;
  if (trace.published > trace.allowed * SLACK + 1e-6)
    return `published ${trace.published} of ${trace.allowed}`;
  for (const { atMs, granted, effective } of trace.passes) {
    if (granted > capacity * SLACK)
      return `${granted} events/s granted at ${atMs} ms, more than the capacity`;
    let pooled = 0;
    let pool = 0;
    for (const { backfillId, limits } of run.backfills) {
      const rate = effective.get(backfillId)?.eventsPerSecond ?? 0;
      if (rate > (limits.eventsPerSecond ?? Infinity) * SLACK)
        return `${backfillId} above its rate at ${atMs} ms`;
      if (rate > (limits.share ?? 1) * capacity * SLACK) return `${backfillId} above its share at ${atMs} ms`;
      if (limits.eventsPerSecond !== null && limits.share === null) continue;
      pooled += rate;
      pool = Math.max(pool, (limits.share ?? replayShare) * capacity);
    }
    if (pooled > pool * SLACK) return `${pooled} events/s for shares of ${pool} at ${atMs} ms`;
  }
  return null;
};

const withinPipelineCeilings: Property = ({ run }, { passes }) => {
  const floor = run.policy.floorShare * run.policy.capacityEventsPerSecond;
  for (const { atMs, granted, guard } of passes) {
    const protects = [guard.liveFirst, guard.adaptive, guard.storm].map(
      (one) => one.eventsPerSecond ?? Infinity,
    );
    const most = Math.min(
      Math.max(floor, ...[Math.min(...protects)]),
      guard.stream.eventsPerSecond ?? Infinity,
    );
    if (granted > most * SLACK) return `${granted} events/s at ${atMs} ms, where all replay may have ${most}`;
  }
  return null;
};

const underHighWaterMark: Property = ({ run: { model } }, { peakReplayWaiting }) =>
  peakReplayWaiting > model.highWaterMark + model.replayCommit.rowsMax
    ? `${peakReplayWaiting} entries waited, the mark is ${model.highWaterMark}`
    : null;

const nothingForASilentStore: Property = (_scenario, { passes }) => {
  const pass = passes.find(({ seen, granted }) => seen.storeSilentMs >= 1_500 && granted > 0);
  return pass === undefined
    ? null
    : `${pass.granted} events/s granted at ${pass.atMs} ms to a store that does not answer`;
};

const LATE_PART = 0.1;
/** What the model's freshness errs upwards by at most: live of a step counts as arriving at its beginning. */
const ERRS_MS = 25;
/** What a touch takes to be believed, to be cut, to be worked off, and to leave what the signals look back on. */
const LONGEST_TOUCH_MS = 8_000;
/** Live may have been hurt by what came; soon after it is well again, but for an odd pass. */
export const liveIsFreshAgain: Property = ({ run, settledMs }, { passes }) => {
  const target = run.policy.freshnessTargetMs;
  if (target === null) return null;
  const settled = passes.filter(({ atMs }) => atMs >= settledMs);
  const late = settled.filter(({ measured }) => measured.freshnessMs > target + ERRS_MS);
  // With nothing local to protect live, the only way to know the limit is to touch it now and then.
  const open = run.model.route === 'shared' && run.model.oldestEntryMs === null;
  const most = open ? LONGEST_TOUCH_MS / PASS_MS : settled.length * LATE_PART;
  return late.length > most
    ? `live beyond its target in ${late.length} of ${settled.length} passes after ${settledMs} ms, at first ${late[0]?.measured.freshnessMs} ms of ${target} at ${late[0]?.atMs} ms`
    : null;
};

/** Wherever nothing stops it hard and the stream has room, every backfill's floor is granted. */
const floorIsGranted: Property = ({ run }, { passes }) => {
  const { capacityEventsPerSecond: capacity, floorShare, replayShare } = run.policy;
  const wanted = run.backfills.map(({ limits }) =>
    Math.min(
      limits.eventsPerSecond ?? Infinity,
      (limits.share ?? (limits.eventsPerSecond === null ? replayShare : 1)) * capacity,
    ),
  );
  const least = Math.min(floorShare * capacity, Math.max(...wanted));
  // The stream's ceiling follows the mean of up to three seconds, and may hold below the floor so long.
  let roomSinceMs = 0;
  for (const { atMs, granted, seen } of passes) {
    if (seen.streamLength > run.model.highWaterMark / 2) roomSinceMs = atMs + PASS_MS;
    const stopped = seen.storeSilentMs >= 1_000 || atMs - roomSinceMs < 3_000;
    if (!stopped && granted < least / SLACK)
      return `${granted} events/s at ${atMs} ms, the floor is ${least}`;
  }
  return null;
};

const saturatedLiveLeavesTheFloor: Property = ({ kind, run, settledMs }, { passes }) => {
  if (kind !== 'saturated') return null;
  const floor = run.policy.floorShare * run.policy.capacityEventsPerSecond;
  const rate = meanRate(passes, settledMs, Infinity, 'applied');
  const allowed = Math.min(
    floor,
    run.model.historyEventsPerSecond,
    run.policy.replayShare * run.policy.capacityEventsPerSecond,
  );
  return rate < allowed * 0.9 ? `replay applied ${rate} events/s of its floor of ${allowed}` : null;
};

const TURNS_PER_MINUTE = 12;
/** Left alone, the rate does not go up and down. */
const doesNotFlap: Property = ({ run, settledMs }, { passes }) => {
  if (settledMs > run.durationMs) return null;
  const settled = passes.filter(({ atMs }) => atMs >= settledMs);
  const turns = turnsOf(
    settled.map(({ granted }) => granted),
    run.policy.capacityEventsPerSecond * 0.002,
  );
  const minutes = (run.durationMs - settledMs) / 60_000;
  // A single turn is none yet.
  return turns > 1 + TURNS_PER_MINUTE * minutes ? `${turns} turns of the rate in ${minutes} minutes` : null;
};

const STORM_NAMED_WITHIN_MS = 6_000;
/** Live does not fall behind further and further while replay runs above its floor. */
const stormIsCut: Property = ({ run }, { passes }) => {
  const floor = run.policy.floorShare * run.policy.capacityEventsPerSecond;
  const tolerable = Math.max(500, run.policy.freshnessTargetMs ?? 0);
  let since: Pass | null = null;
  let lagMs = 0;
  for (const pass of passes) {
    const { liveLagMs, storeSilentMs } = pass.measured;
    const feeds = pass.granted > floor * SLACK && storeSilentMs < 1_000;
    if (!feeds || liveLagMs <= tolerable || liveLagMs < lagMs) since = null;
    else since ??= pass;
    lagMs = liveLagMs;
    if (since !== null && pass.atMs - since.atMs > STORM_NAMED_WITHIN_MS)
      return `live fell behind to ${lagMs} ms from ${since.atMs} ms to ${pass.atMs} ms while ${pass.granted} events/s were granted`;
  }
  return null;
};

/** Published to a stream of up to the high-water mark, it has to be worked off before live is seen again. */
const stormIsNamedAndOver: Property = ({ kind, run, disturbedMs }, { passes }) => {
  if (kind !== 'storm') return null;
  const worst = Math.max(...passes.map(({ measured }) => measured.liveLagMs));
  const named = passes.find(({ atMs, memory }) => atMs >= disturbedMs && memory.storm.storming);
  if (worst > 5_000 && named === undefined) return `live fell ${worst} ms behind, and no storm was named`;
  const last = passes.at(-1);
  return named !== undefined &&
    (last?.measured.liveLagMs ?? 0) > worst &&
    run.durationMs > named.atMs + 10_000
    ? 'the storm was named and went on'
    : null;
};

const DEAD_SIGNAL_WITHIN_MS = 4_000;
const deadSignalMeansFloor: Property = ({ run }, { passes }) => {
  const floor = run.policy.floorShare * run.policy.capacityEventsPerSecond;
  for (const { atMs, granted } of passes) {
    const dead = run.deadSignals.find((span) => within(span, atMs));
    if (dead !== undefined && atMs - dead.fromMs >= DEAD_SIGNAL_WITHIN_MS && granted > floor * SLACK)
      return `${granted} events/s at ${atMs} ms, blind since ${dead.fromMs} ms`;
  }
  return null;
};

const BACK_WITHIN_MS = 5_000;
/** After a stall, or after a signal came back: as much as before, in good time. */
const comesBack: Property = ({ kind, run, disturbedMs }, { passes }) => {
  if (kind !== 'stall' && kind !== 'dead_signal') return null;
  const beganMs = Math.min(...[...run.stalls, ...run.deadSignals].map(({ fromMs }) => fromMs));
  const before = meanRate(passes, beganMs - 2_000, beganMs, 'published');
  const tolerable = Math.max(250, run.policy.freshnessTargetMs ?? 0);
  const caughtUp = passes.find(
    ({ atMs, measured }) => atMs >= disturbedMs && measured.liveLagMs <= tolerable,
  );
  if (caughtUp === undefined)
    return `live has not caught up ${run.durationMs - disturbedMs} ms after it was over`;
  const fromMs = caughtUp.atMs + BACK_WITHIN_MS;
  const after = meanRate(passes, fromMs, fromMs + 4_000, 'published');
  return after < before * 0.9 ? `${after} events/s from ${fromMs} ms on, ${before} before` : null;
};

/** What comes back after a hard stop comes back carefully. */
const returnsAtHalf: Property = ({ run }, { passes }) => {
  const floor = run.policy.floorShare * run.policy.capacityEventsPerSecond;
  let highest = 0;
  for (const [index, { atMs, granted }] of passes.entries()) {
    const stalled = run.stalls.some((stall) => within(stall, atMs - 3 * PASS_MS));
    const was = passes[index - 1]?.granted ?? 0;
    if (stalled && was <= floor && highest > 0 && granted > Math.max(floor, highest * 0.55) * SLACK)
      return `back at ${granted} events/s at ${atMs} ms, the most before was ${highest}`;
    highest = Math.max(highest, granted);
  }
  return null;
};

/** The same run with a good clock does no better, and no worse. */
const leapsChangeNothing: Property = ({ kind, run, settledMs }, { passes }, deciders) => {
  if (kind !== 'clock_leap') return null;
  const twin = runGoverned({ ...run, clockOffsetMs: [{ fromMs: 0, value: 0 }] }, deciders).passes;
  const rate = meanRate(passes, settledMs, Infinity, 'published');
  const twins = meanRate(twin, settledMs, Infinity, 'published');
  if (rate < twins * 0.9) return `${rate} events/s after a leap of the clock, ${twins} without`;
  const burst = passes.find(
    ({ granted }, index) => granted > 2.1 * Math.max(1, ...grantsAround(twin, index)),
  );
  return burst === undefined
    ? null
    : `${burst.granted} events/s granted at ${burst.atMs} ms, after a leap of the clock`;
};

function grantsAround(passes: readonly Pass[], index: number): number[] {
  return passes.slice(Math.max(0, index - 4), index + 5).map(({ granted }) => granted);
}

/** The adaptive rate never runs away from what is used. */
const unusedDoesNotGrow: Property = ({ run }, { passes }) => {
  let used = 0;
  for (const { atMs, seen, memory } of passes) {
    used = Math.max(used, seen.publishedEventsPerSecond);
    const first = 0.1 * run.policy.capacityEventsPerSecond;
    const rate = memory.adaptive?.eventsPerSecond ?? 0;
    if (rate > Math.max(first, 5 * used) * SLACK)
      return `adaptive at ${rate} events/s at ${atMs} ms, ${used} ever used`;
  }
  return null;
};

/** Live first: the rest of the capacity is what replay gets once live has been seen. */
const liveGoesFirst: Property = ({ run }, { passes }) => {
  const { capacityEventsPerSecond: capacity, floorShare } = run.policy;
  for (const { atMs, granted } of passes) {
    if (atMs < 3_000) continue;
    // Seen for two seconds: the rate over one second, and a tick late.
    const seen = [0, 500, 1_000, 1_500, 2_000].map((ago) => valueAt(run.liveEventsPerSecond, atMs - ago));
    const most = Math.max(floorShare * capacity, capacity - Math.min(...seen));
    if (granted > most * 1.001)
      return `${granted} events/s at ${atMs} ms beside ${Math.min(...seen)} of live`;
  }
  return null;
};

const properties = {
  'replay stays within its rates, its shares and its grants': withinLimits,
  'replay stays within what the pipeline as a whole may have': withinPipelineCeilings,
  'the stream stays under its high-water mark': underHighWaterMark,
  'a silent store gets nothing': nothingForASilentStore,
  'live is fresh again within a bounded time': liveIsFreshAgain,
  'the floor is granted': floorIsGranted,
  'the floor is applied beside saturated live': saturatedLiveLeavesTheFloor,
  'the rate does not flap': doesNotFlap,
  'live does not fall behind further and further': stormIsCut,
  'a storm is named, and ends': stormIsNamedAndOver,
  'a dead signal means the floor': deadSignalMeansFloor,
  'replay comes back in five seconds': comesBack,
  'replay comes back carefully': returnsAtHalf,
  'a leap of the clock changes nothing that lasts': leapsChangeNothing,
  'a limit that is not used does not grow': unusedDoesNotGrow,
  'live goes first': liveGoesFirst,
} as const satisfies Record<string, Property>;

/** Every property that does not hold, with the way to see it again. */
export function violations(scenario: Scenario, deciders?: Deciders): string[] {
  const trace = runGoverned(scenario.run, deciders);
  return Object.entries(properties).flatMap(([name, property]) => {
    const wrong = property(scenario, trace, deciders);
    return wrong === null ? [] : [`${name}: ${wrong} (kind ${scenario.kind}, seed ${scenario.seed})`];
  });
}
