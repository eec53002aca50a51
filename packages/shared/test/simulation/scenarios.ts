/**
 * What is done to a pipeline: a random one of its kind, from a seed. Everything is drawn so that the target can be held at all: a target
 * below what a single commit takes, or a floor that together with live is more than the store takes, is nobody's fault.
 */
import type { GovernedBackfill, GovernedRun } from '../../src/simulation/governed-run.ts';
import { capacityOf, type PipelineModel } from '../../src/simulation/model.ts';
import { type Seeded, seeded } from './seeded.ts';

export const kinds = [
  'calm',
  'load',
  'saturated',
  'stall',
  'amplified',
  'dead_signal',
  'clock_leap',
  'storm',
  'slow_history',
  'several',
] as const;
export type Kind = (typeof kinds)[number];

export interface Scenario {
  readonly kind: Kind;
  readonly seed: number;
  readonly run: GovernedRun;
  /** When the last thing happened, ms. */
  readonly disturbedMs: number;
  /** From here on all is to be as before, ms. */
  readonly settledMs: number;
}

const STILL = 0;
/** By then even the slowest start is over. */
const STARTED_MS = 8_000;
const AFTERWARDS_MS = 10_000;
/** Entries: no pipeline may have less. */
const LEAST_MARK = 1_000;

export function scenario(kind: Kind, seed: number): Scenario {
  const random = seeded(seed * kinds.length + kinds.indexOf(kind));
  return { kind, seed, ...happenings[kind](random, calmRun(random)) };
}

type Happening = (random: Seeded, run: GovernedRun) => Omit<Scenario, 'kind' | 'seed'>;

const happenings: Readonly<Record<Kind, Happening>> = {
  calm: (_random, run) => lasting(run, STILL, STARTED_MS),

  /** Live rises at once to as much as leaves room for the floor and the headroom. */
  load: (random, run) => {
    const { floorShare, headroomShare, capacityEventsPerSecond: capacity } = run.policy;
    const most = Math.max(0.1, 1 - floorShare - headroomShare - 0.15);
    const liveEventsPerSecond = stepped(
      run.liveEventsPerSecond,
      STARTED_MS,
      random.between(0.1, most) * capacity,
    );
    const open = run.model.route === 'shared' && run.model.oldestEntryMs === null;
    return lasting({ ...run, liveEventsPerSecond }, STARTED_MS, STARTED_MS + (open ? 12_000 : 6_000));
  },

  /** Live takes all but the floor, for good. */
  saturated: (random, run) => {
    const floorShare = random.between(0.02, 0.08);
    const { capacityEventsPerSecond: capacity } = run.policy;
    return lasting(
      {
        ...run,
        model: { ...run.model, route: 'separate', floorEventsPerSecond: floorShare * capacity },
        policy: { ...run.policy, floorShare },
        backfills: oneOnShare,
        liveEventsPerSecond: stepped(run.liveEventsPerSecond, STARTED_MS, (1 - floorShare) * capacity * 0.85),
      },
      STARTED_MS,
      STARTED_MS + 6_000,
    );
  },

  stall: (random, run) => {
    const forMs = random.chance(0.3) ? 20_000 : Math.round(random.between(40, 400)) * 25;
    const stalls = [{ fromMs: STARTED_MS, toMs: STARTED_MS + forMs }];
    const overMs = STARTED_MS + forMs;
    return lasting({ ...run, stalls }, overMs, overMs + backlogMs(run, forMs) + 6_000);
  },

  /** A replayed event suddenly costs much more than what the capacity was measured with. */
  amplified: (random, run) => {
    const { storeRowsPerSecond, replayCommit, route, oldestEntryMs } = run.model;
    const { capacityEventsPerSecond: capacity } = run.policy;
    // On a shared stream live stands behind what was published before anyone could know, seconds of it where no gate looks at its age.
    const openShared = route === 'shared' && oldestEntryMs === null;
    // One event alone must leave room for the target.
    const dearest = ((run.policy.freshnessTargetMs ?? 0) / 4) * (storeRowsPerSecond / 1000);
    const factor = Math.min(dearest, random.oneOf(openShared ? [2, 10] : [2, 10, 100, 500]));
    const highWaterMark = openShared ? Math.max(LEAST_MARK, capacity / 2) : run.model.highWaterMark;
    const ahead =
      route === 'separate' ? 0 : openShared ? highWaterMark : (capacity * ((oldestEntryMs ?? 0) + 75)) / 1000;
    // A floor that is more than the store takes at that price cannot be kept beside live by anyone.
    const floorShare = run.policy.floorShare * factor > 0.3 ? 0 : run.policy.floorShare;
    const waitsMs = (ahead * factor * 1000) / storeRowsPerSecond;
    return lasting(
      {
        ...run,
        model: { ...run.model, highWaterMark, floorEventsPerSecond: floorShare * capacity },
        policy: { ...run.policy, floorShare },
        replayAmplification: stepped(run.replayAmplification, STARTED_MS, factor),
      },
      STARTED_MS,
      STARTED_MS + 15_000 + 3 * replayCommit.budgetMs * factor + 3 * waitsMs,
    );
  },

  dead_signal: (random, run) => {
    const toMs = STARTED_MS + random.integer(24, 48) * 250;
    const how = random.oneOf(['null', 'stale'] as const);
    return lasting({ ...run, deadSignals: [{ fromMs: STARTED_MS, toMs, how }] }, toMs, toMs + 6_000);
  },

  clock_leap: (random, run) => {
    const atMs = random.integer(1, 40) * 250;
    const clockOffsetMs = stepped(run.clockOffsetMs, atMs, random.oneOf([-3_600_000, 3_600_000]));
    return lasting({ ...run, clockOffsetMs }, STARTED_MS, STARTED_MS + 6_000);
  },

  /** Nothing local protects live, no signal has a target, and what is believed of the capacity is far too much. */
  storm: (random, run) => {
    const model: PipelineModel = {
      ...run.model,
      route: 'shared',
      oldestEntryMs: null,
      highWaterMark: 100_000,
    };
    const factor = random.between(3, 8);
    const { policy, durationMs } = run;
    return {
      run: {
        ...run,
        model: { ...model, historyEventsPerSecond: Number.POSITIVE_INFINITY },
        durationMs: durationMs + 15_000,
        policy: { ...policy, freshnessTargetMs: null, replayShare: 1 },
        backfills: oneOnShare,
        replayAmplification: stepped(run.replayAmplification, STARTED_MS, factor),
      },
      disturbedMs: STARTED_MS,
      settledMs: Number.POSITIVE_INFINITY,
    };
  },

  /** Reading history yields little: the limit is not used. */
  slow_history: (random, run) =>
    lasting(
      {
        ...run,
        model: {
          ...run.model,
          historyEventsPerSecond: random.between(0.005, 0.08) * run.policy.capacityEventsPerSecond,
        },
      },
      STILL,
      STARTED_MS,
    ),

  several: (random, run) => {
    const backfills = Array.from({ length: random.integer(2, 4) }, (_, index) => ({
      backfillId: `b${index}`,
      priority: random.integer(0, 2),
      limits: anyLimits(random, run.policy.capacityEventsPerSecond),
    }));
    return lasting({ ...run, backfills }, STILL, STARTED_MS);
  },
};

const oneOnShare: readonly GovernedBackfill[] = [
  { backfillId: 'a', priority: 0, limits: { eventsPerSecond: null, share: null } },
];

/** One backfill, live well below the capacity, nothing happens. */
function calmRun(random: Seeded): GovernedRun {
  const budgetMs = random.between(5, 20);
  const bare: PipelineModel = {
    storeRowsPerSecond: random.magnitude(5_000, 100_000),
    commitOverheadMs: random.between(0.5, Math.min(3, budgetMs / 3)),
    replayCommit: { budgetMs, rowsMin: 1, rowsMax: 1_000 },
    route: random.oneOf(['separate', 'separate', 'shared']),
    highWaterMark: 1_000,
    oldestEntryMs: null,
    floorEventsPerSecond: 0,
    historyEventsPerSecond: Number.POSITIVE_INFINITY,
    longestPauseMs: 0,
  };
  // What was measured in use: on a shared stream live's commits come between, one a step, and cut replay's off.
  const capacity = capacityOf(bare) * (bare.route === 'shared' ? 1 - (1.5 * bare.commitOverheadMs) / 25 : 1);
  const target = Math.max(100, random.between(6, 30) * budgetMs);
  const floorShare = random.oneOf([0, 0, random.between(0.01, 0.05)]);
  return {
    model: {
      ...bare,
      highWaterMark: Math.max(LEAST_MARK, Math.round(capacity * random.magnitude(0.1, 3))),
      oldestEntryMs: random.chance(0.5) ? target / 4 : null,
      floorEventsPerSecond: floorShare * capacity,
      historyEventsPerSecond: capacity * random.between(0.5, 3),
    },
    durationMs: STARTED_MS + AFTERWARDS_MS,
    events: Number.POSITIVE_INFINITY,
    policy: {
      capacityEventsPerSecond: capacity,
      replayShare: random.oneOf([1, random.between(0.2, 1)]),
      headroomShare: random.between(0.1, 0.2),
      floorShare,
      freshnessTargetMs: target,
    },
    backfills: [{ backfillId: 'a', priority: 0, limits: anyLimits(random, capacity) }],
    liveEventsPerSecond: [{ fromMs: 0, value: random.between(0.02, 0.3) * capacity }],
    replayAmplification: [{ fromMs: 0, value: 1 }],
    stalls: [],
    deadSignals: [],
    clockOffsetMs: [{ fromMs: 0, value: 0 }],
    grantDelayMs: random.integer(0, 8) * 25,
  };
}

function anyLimits(random: Seeded, capacity: number): GovernedBackfill['limits'] {
  return random.oneOf<GovernedBackfill['limits']>([
    { eventsPerSecond: null, share: null },
    { eventsPerSecond: null, share: random.between(0.05, 1) },
    { eventsPerSecond: random.between(0.05, 1.2) * capacity, share: null },
  ]);
}

function lasting(run: GovernedRun, disturbedMs: number, settledMs: number): Omit<Scenario, 'kind' | 'seed'> {
  const settled = Math.ceil(settledMs / 250) * 250;
  return { run: { ...run, durationMs: settled + AFTERWARDS_MS }, disturbedMs, settledMs: settled };
}

function stepped(timeline: GovernedRun['replayAmplification'], fromMs: number, value: number) {
  return [...timeline, { fromMs, value }];
}

/** How long live takes to catch up with what came while the store stood still, ms, and the stream's backlog before it where it is shared. */
function backlogMs({ model, policy, liveEventsPerSecond }: GovernedRun, forMs: number): number {
  const live = liveEventsPerSecond[0]?.value ?? 0;
  const ahead = model.route === 'shared' ? model.highWaterMark : 0;
  const free = Math.max(0.1 * policy.capacityEventsPerSecond, policy.capacityEventsPerSecond * 0.9 - live);
  return ((live * forMs) / 1000 + ahead) / (free / 1000);
}
