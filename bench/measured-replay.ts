/** A replay asked for with no limit, watched for a while: what it did to live, and how fast it went. */
import { setTimeout as delay } from 'node:timers/promises';
import type { PatchLimits } from '@spillway/shared/api/backfill';
import {
  appliedIn,
  command,
  readBackfill,
  startBackfill,
  untilState,
} from '../apps/api/test/system/backfills.ts';
import { readGovernor, readPipeline } from '../apps/api/test/system/pipelines.ts';
import { until } from '../apps/api/test/system/until.ts';
import type { QuietSystem } from './flights.ts';
import { type Freshness, freshnessBetween, readFreshness } from './freshness.ts';
import { watchStolenTime } from './stolen-time.ts';

export interface MeasuredReplay {
  /** From the request on: what a replay does to live while it begins counts too. */
  readonly freshness: Freshness;
  /** Without its first seconds. */
  readonly steadyFreshness: Freshness;
  /** Applied, new or already there, without its first seconds. */
  readonly eventsPerSecond: number;
  /** Live events applied meanwhile. */
  readonly steadyLiveEventsPerSecond: number;
  readonly from: number;
  readonly to: number;
  readonly detail: unknown;
}

const BEGINNING_MS = 5_000;
const day = 86_400_000;
const LAP_DAYS = 181;

/** The demo's history comes again every 181 days: each run has events of its own, none of them in the store before. */
export function lap(number: number): { from: string; to: string } {
  const from = Date.UTC(2001, 0, 1) + number * LAP_DAYS * day;
  return { from: new Date(from).toISOString(), to: new Date(from + LAP_DAYS * day).toISOString() };
}

export async function measureReplay(
  system: QuietSystem,
  options: {
    readonly window: { from: string; to: string };
    readonly forMs: number;
    readonly limits?: PatchLimits;
    /** Called when it has been measured, before what is left on the streams is waited for. */
    readonly over?: () => void;
  },
): Promise<MeasuredReplay> {
  const from = Date.now();
  const stolen = watchStolenTime();
  const before = await readFreshness(system);
  const { id } = await startBackfill(system, {
    window: options.window,
    limits: options.limits ?? { share: 1 },
  });
  await delay(BEGINNING_MS);
  const begun = {
    atMs: performance.now(),
    counts: await readFreshness(system),
    applied: await appliedOf(system, id),
  };
  await delay(options.forMs - BEGINNING_MS);
  const applied = await appliedOf(system, id);
  const seconds = (performance.now() - begun.atMs) / 1000;
  const after = await readFreshness(system);
  const to = Date.now();
  const stolenMs = stolen();
  const backfill = await readBackfill(system, id);
  if (backfill.state !== 'running') throw new Error(`${id} is ${backfill.state}: the window is too short`);
  const { capacity } = await readPipeline(system);
  const { ceilings, adaptivePhase } = await readGovernor(system);
  const perSecond = await recordedSeconds(system, from, to);
  const { items: ledger } = (await system.call('GET', `/v1/backfills/${id}/ledger`)).body;
  options.over?.();
  await endReplay(system, id);
  const steadyFreshness = freshnessBetween(begun.counts, after);
  return {
    freshness: freshnessBetween(before, after),
    steadyFreshness,
    eventsPerSecond: (applied - begun.applied) / seconds,
    steadyLiveEventsPerSecond: steadyFreshness.events / seconds,
    from,
    to,
    detail: {
      stolenMs,
      capacity: capacity.eventsPerSecond,
      binding: backfill.effective.binding,
      effective: backfill.effective.eventsPerSecond,
      adaptivePhase,
      ceilings: Object.fromEntries(ceilings.map(({ reason, eventsPerSecond }) => [reason, eventsPerSecond])),
      ledger,
      perSecond,
    },
  };
}

const RECORDED = ['grantedEventsPerSecond', 'replayEventsPerSecond', 'liveFreshnessMsP99'] as const;

/** How the run went, as the product itself recorded it: of each second what was granted and replayed, events/s, and the p99 of live, ms. */
async function recordedSeconds(
  system: QuietSystem,
  from: number,
  to: number,
): Promise<Record<string, (number | null)[]>> {
  const [begin, end] = [from, to].map((ms) => new Date(ms).toISOString());
  const { series } = (
    await system.call('GET', `/v1/pipelines/flights/telemetry?from=${begin}&to=${end}&step=PT1S`)
  ).body;
  return Object.fromEntries(
    RECORDED.map((name) => [
      name,
      (series[name] ?? []).map(([, value]: [number, number | null]) =>
        value === null ? null : Math.round(value),
      ),
    ]),
  );
}

export async function appliedOf(system: QuietSystem, id: string): Promise<number> {
  return appliedIn(await readBackfill(system, id));
}

/** Cancelled, and nothing of it left on a stream: the next measurement begins with a quiet system. */
export async function endReplay(system: QuietSystem, id: string): Promise<void> {
  await command(system, id, 'cancel');
  await untilState(system, id, ['cancelled', 'completed']);
  await untilDrained(system);
}

const DRAINED_ENTRIES = 500;

export async function untilDrained(system: QuietSystem): Promise<void> {
  for (const name of ['flights-live', 'flights-replay'] as const) {
    const witness = await system.witness(name);
    try {
      await until(`${name} drained`, async () => ((await witness.lagEntries()) ?? 0) < DRAINED_ENTRIES);
    } finally {
      await witness.close();
    }
  }
}
