/**
 * Fire drills on the started system: the store really stands still, the chain fills up to the reader, and afterwards nothing is missing.
 */
import type { Drill } from '@spillway/shared/api/governor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareWithOracle } from '../oracle/compare-buckets.ts';
import { FlightsOracle } from '../oracle/flights-oracle.ts';
import { startBackfill, throttle, untilState } from '../system/backfills.ts';
import { startMeasuredSystem } from '../system/measured-system.ts';
import { configurePipeline, readDrill, startDrill } from '../system/pipelines.ts';
import { pidOf } from '../system/roles.ts';
import { type StartedSystem, signal } from '../system/started-system.ts';
import { until } from '../system/until.ts';

const window = { from: Date.UTC(2001, 0, 1), to: Date.UTC(2001, 0, 4) };
const highWaterMark = 1_000;
/** The largest append of a reader. */
const largestBatch = 1_000;
/** The mark is reached before the governor has noticed the silence (one second), and any machine applies so much. */
const eventsPerSecond = 2_000;

let system: StartedSystem;
let oracle: FlightsOracle;

beforeAll(async () => {
  [oracle, system] = await Promise.all([FlightsOracle.open(), startMeasuredSystem()]);
  // Limited by the operator alone: how fast this machine is just now decides nothing.
  await configurePipeline(system, {
    highWaterMark,
    capacityEventsPerSecond: 20_000,
    signals: { liveFreshnessMsP99: { target: null, failMode: 'ignore' } },
  });
}, 300_000);

afterAll(async () => {
  oracle?.close();
  await system?.remove();
});

async function untilDrill(id: string, what: string, holds: (drill: Drill) => boolean): Promise<Drill> {
  let seen: Drill | null = null;
  return until(
    `drill ${id} ${what}`,
    async () => {
      // Nobody answers while the api is gone.
      seen = await readDrill(system, id).catch(() => null);
      return seen !== null && holds(seen) && seen;
    },
    { lastSeen: () => seen },
  );
}

/** The newest of a metric's last five seconds; null while nobody answers or knows. */
async function metric(name: string): Promise<number | null> {
  const [from, to] = [Date.now() - 5_000, Date.now()].map((at) => new Date(at).toISOString());
  const answer = await system
    .call('GET', `/v1/pipelines/flights/telemetry?from=${from}&to=${to}&step=PT1S`)
    .catch(() => null);
  return answer?.body?.series?.[name]?.at(-1)?.[1] ?? null;
}

describe('a fire drill', { timeout: 300_000 }, () => {
  it('fills store, aggregate, stream and source, in this order; all is proven afterwards', async () => {
    const backfill = await startBackfill(system, {
      window: { from: new Date(window.from).toISOString(), to: new Date(window.to).toISOString() },
      limits: { eventsPerSecond, share: null },
    });
    await until(
      'replay at its rate, and applied as it comes',
      async () =>
        ((await metric('replayPublishedEventsPerSecond')) ?? 0) > eventsPerSecond * 0.7 &&
        ((await metric('replayStreamLength')) ?? highWaterMark) < highWaterMark / 2,
    );
    const { id } = await startDrill(system, 4_000);
    const drill = await untilDrill(id, 'over', ({ state }) => state === 'finished' || state === 'failed');

    expect(drill.state).toBe('finished');
    const times = [drill.stalledAt, ...drill.stages.map(({ filledAt }) => filledAt), drill.releasedAt];
    expect(drill.stages.map(({ stage }) => stage)).toEqual(['store', 'aggregate', 'stream', 'source']);
    expect(times, JSON.stringify(drill)).not.toContain(null);
    expect(times).toEqual(times.toSorted());
    expect(drill.readerStoppedAt).toBe(drill.stages[3]?.filledAt);
    expect(drill.peakBacklog).toBeGreaterThanOrEqual(highWaterMark);
    expect(drill.peakBacklog).toBeLessThanOrEqual(highWaterMark + largestBatch);
    const heldMs = Date.parse(drill.releasedAt ?? '') - Date.parse(drill.stalledAt ?? '');
    expect(heldMs).toBeGreaterThanOrEqual(3_950);
    expect(heldMs).toBeLessThan(6_000);
    expect(drill.recoveredAt, drill.detail ?? '').not.toBeNull();

    // What is left need not be slow any more.
    await throttle(system, backfill.id, { eventsPerSecond: null, share: 1 });
    const proven = await untilState(system, backfill.id, 'completed');
    expect(proven.verification).toMatchObject({ state: 'matched', mismatches: [] });
    expect((await compareWithOracle(system, oracle, window)).differing).toEqual([]);
  });

  it('ends with its api: killed in the middle, the store goes on and the report says so', async () => {
    const drill = await startDrill(system, 30_000);
    const { stalledAt } = await untilDrill(drill.id, 'stalling', (seen) => seen.stalledAt !== null);
    await until('live held up', async () => ((await metric('liveLagMs')) ?? 0) > 1_000);
    signal(await pidOf(system, 'api'), 'SIGKILL');
    const after = await untilDrill(drill.id, 'closed', ({ state }) => state === 'failed');
    expect(after).toMatchObject({ stalledAt, recoveredAt: null });
    expect(after.detail).toContain('The api ended in the middle of the drill');
    await until(
      'live caught up',
      async () => ((await metric('liveLagMs')) ?? Number.POSITIVE_INFINITY) < 500,
    );
    // The stall would have lasted longer.
    expect(Date.now() - Date.parse(stalledAt ?? '')).toBeLessThan(28_000);
  });

  it('is called off by a SIGTERM before the workers leave: none of them has to be killed', async () => {
    const drill = await startDrill(system, 30_000);
    await untilDrill(drill.id, 'stalling', (seen) => seen.stalledAt !== null);
    await until('live held up', async () => ((await metric('liveLagMs')) ?? 0) > 1_000);
    const tookMs = await system.stop();
    expect(system.output()).not.toContain('did not leave in time');
    expect(tookMs).toBeLessThan(10_000);
  });
});
