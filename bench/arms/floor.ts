/**
 * Live needs all but the floor: does replay get the floor, and live its target? Two arms. In the first the capacity is set by hand, so that live takes
 * capacity − floor by definition while the store has time to spare: what the governor makes of it. In the second the store is slowed until live
 * and the floor really fill it: what the applier makes of it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { startBackfill } from '../../apps/api/test/system/backfills.ts';
import { configurePipeline, readPipeline } from '../../apps/api/test/system/pipelines.ts';
import { type Figure, figure } from '../figures.ts';
import { type QuietSystem, quietSystem } from '../flights.ts';
import { freshnessBetween, readFreshness } from '../freshness.ts';
import { appliedOf, endReplay, lap, measureReplay } from '../measured-replay.ts';
import { measured } from '../quick.ts';
import { type SlowStore, slowStore } from '../slow-store.ts';

const FLOOR = 0.2;
const LIVE = 4_000;
const HELD_MS = measured(60_000, 12_000);
const CALIBRATED_MS = measured(20_000, 12_000);
const SETTLE_MS = 5_000;
/** What the slowed store is brought to, events/s; live may be 5,000 at most. */
const SLOWED_TO = 5_000;
const SLOWED_WITHIN = { atLeast: 3_000, atMost: 6_000 };
const TRIES = 6;

export async function floorArm(): Promise<Figure[]> {
  const system = await quietSystem({ SPILLWAY_DEMO_LIVE: '1000' });
  try {
    const target = await freshnessTarget(system);
    const held = await holdFloor(system, { capacity: LIVE / (1 - FLOOR), window: lap(1) });
    return floorFigures('capacity set by hand', held, target);
  } finally {
    await system.remove();
  }
}

export async function fullStoreFloorArm(): Promise<Figure[]> {
  const system = await quietSystem({ SPILLWAY_DEMO_LIVE: '1000' });
  const slow = slowStore(system);
  try {
    const { signals } = await readPipeline(system);
    const target = await freshnessTarget(system);
    const { part, capacity } = await slowDown(system, slow);
    await configurePipeline(system, { signals });
    slow.runs(part);
    const held = await holdFloor(system, { capacity, window: lap(9), over: () => slow.runs(1) });
    return floorFigures('store slowed until it is really full', held, target, { part, capacity });
  } finally {
    await slow.end();
    await system.remove();
  }
}

async function freshnessTarget(system: QuietSystem): Promise<number> {
  return (await readPipeline(system)).signals.liveFreshnessMsP99?.target ?? Number.NaN;
}

interface Held {
  readonly floorEventsPerSecond: number;
  readonly eventsPerSecond: number;
  readonly freshnessMsP99: number;
  readonly detail: unknown;
}

async function holdFloor(
  system: QuietSystem,
  { capacity, window, over }: { capacity: number; window: { from: string; to: string }; over?: () => void },
): Promise<Held> {
  await configurePipeline(system, {
    capacityEventsPerSecond: Math.round(capacity),
    replayFloor: FLOOR,
    demo: { liveEventsPerSecond: Math.round(capacity * (1 - FLOOR)) },
  });
  const { id } = await startBackfill(system, { window, limits: { share: 1 } });
  await delay(SETTLE_MS);
  const [before, appliedBefore, fromMs] = [
    await readFreshness(system),
    await appliedOf(system, id),
    performance.now(),
  ];
  await delay(HELD_MS);
  const applied = (await appliedOf(system, id)) - appliedBefore;
  const seconds = (performance.now() - fromMs) / 1000;
  const freshness = freshnessBetween(before, await readFreshness(system));
  over?.();
  await configurePipeline(system, { demo: { liveEventsPerSecond: 1_000 } });
  await endReplay(system, id);
  return {
    floorEventsPerSecond: FLOOR * capacity,
    eventsPerSecond: applied / seconds,
    freshnessMsP99: freshness.p99,
    detail: { ...freshness, liveEventsPerSecond: freshness.events / seconds },
  };
}

/**
 * Slower until a replay with the governor off and live together get what is wanted: that is the capacity. In proportion at first; once
 * a part has been too much and another too little, between them, since what a part comes to leaps with the machine's other work.
 */
async function slowDown(system: QuietSystem, slow: SlowStore): Promise<{ part: number; capacity: number }> {
  let part = 0.25;
  let [tooLittle, tooMuch] = [0.05, 0.9];
  for (let tried = 1; ; tried++) {
    slow.runs(part);
    // Believed far too high for a moment, so that what is measured is the store and not the belief.
    await configurePipeline(system, {
      capacityEventsPerSecond: 50_000,
      replayFloor: 0,
      headroom: 0,
      signals: { liveFreshnessMsP99: { target: null, failMode: 'bad' } },
    });
    const run = await measureReplay(system, {
      window: lap(1 + tried),
      forMs: CALIBRATED_MS,
      // Slowed further than live needs, it would never catch up with what is left.
      over: () => slow.runs(1),
    });
    const capacity = run.eventsPerSecond + run.steadyLiveEventsPerSecond;
    const within = capacity >= SLOWED_WITHIN.atLeast && capacity <= SLOWED_WITHIN.atMost;
    if (within) return { part, capacity };
    if (tried === TRIES) throw new Error(`the store could not be slowed: ${part} of the time is ${capacity}`);
    if (capacity < SLOWED_TO) tooLittle = part;
    else tooMuch = part;
    const inProportion = (part * SLOWED_TO) / capacity;
    part = inProportion > tooLittle && inProportion < tooMuch ? inProportion : Math.sqrt(tooLittle * tooMuch);
  }
}

function floorFigures(how: string, held: Held, target: number, more: object = {}): Figure[] {
  return [
    figure(
      `${how}: replay ÷ floor, live at capacity − floor`,
      held.eventsPerSecond / held.floorEventsPerSecond,
      '×',
      { atLeast: 0.9, atMost: 1.1 },
      { ...held, ...more },
    ),
    figure(`${how}: live freshness p99`, held.freshnessMsP99, 'ms', { atMost: target }, held.detail),
  ];
}
