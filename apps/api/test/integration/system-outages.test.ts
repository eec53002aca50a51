/** The started demo: a feed is disconnected and comes back, and what live missed is filled, proved and final, while the others go on. */
import type { Backfill } from '@spillway/shared/api/backfill';
import type { Source } from '@spillway/shared/api/pipeline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compareWithOracle } from '../oracle/compare-buckets.ts';
import { FlightsOracle } from '../oracle/flights-oracle.ts';
import { untilState } from '../system/backfills.ts';
import { type EventWatch, watchEvents } from '../system/event-watch.ts';
import { startMeasuredSystem } from '../system/measured-system.ts';
import { configurePipeline, readPipeline, reportFeed } from '../system/pipelines.ts';
import type { StartedSystem } from '../system/started-system.ts';
import { until } from '../system/until.ts';

const HOUR_MS = 3_600_000;
let system: StartedSystem;
let oracle: FlightsOracle;
let events: EventWatch;

beforeAll(async () => {
  [oracle, system] = await Promise.all([FlightsOracle.open(), startMeasuredSystem()]);
  events = watchEvents(system);
  await configurePipeline(system, { demo: { liveEventsPerSecond: 500 } });
}, 300_000);
afterAll(async () => {
  await events?.close();
  oracle?.close();
  await system?.remove();
});

const source = async (id: string): Promise<Source> => (await system.call('GET', `/v1/sources/${id}`)).body;
const liveAt = async (id: string) => Date.parse((await source(id)).liveWatermark ?? '2001-06-01T00:00:00Z');
const iso = (at: number) => new Date(at).toISOString();
const bucketsOf = async (id: string, window: { from: number; to: number }): Promise<{ final: boolean }[]> =>
  (
    await system.call(
      'GET',
      `/v1/pipelines/flights/buckets?source=${id}&from=${iso(window.from)}&to=${iso(window.to)}&limit=200`,
    )
  ).body.items;

it('a source that was out is filled by itself, and nobody else notices', { timeout: 300_000 }, async () => {
  await until('live of west', async () => (await liveAt('west')) > Date.UTC(2001, 5, 1, 6));
  const cut = await reportFeed(system, 'west', 'disconnected');
  expect(cut).toMatchObject({ state: 'disconnected', allowedActions: ['reconnect'] });
  const from = Date.parse(cut.disconnectedAt as string);
  const seconds = events.seconds(5);
  await until('six hours of live without west', async () => (await liveAt('east')) > from + 6 * HOUR_MS);
  expect(await liveAt('west')).toBeLessThan(from + HOUR_MS);
  // Of five seconds together: in one of them a busy machine may do something else.
  const rates = (await seconds).map(({ values }) => values['liveEventsPerSecond'] ?? 0);
  expect(rates.reduce((sum, rate) => sum + rate, 0) / rates.length).toBeGreaterThan(100);
  // The feed says where it really stopped, which may be an hour further than live was heard of.
  const stopped = Date.parse((await source('west')).disconnectedAt as string);
  const touched = { from: Math.floor(stopped / HOUR_MS) * HOUR_MS, to: stopped + HOUR_MS };
  expect((await bucketsOf('west', touched)).filter(({ final }) => final)).toEqual([]);
  expect((await bucketsOf('east', touched)).filter(({ final }) => final).length).toBeGreaterThan(0);

  const back = await reportFeed(system, 'west', 'reconnected');
  expect(back).toMatchObject({ state: 'connected', disconnectedAt: null });
  const backfill = await until('the reconnect is queued', async () => {
    const items: Backfill[] = (await system.call('GET', '/v1/backfills')).body.items;
    return items.find(({ origin }) => origin === 'reconnect');
  });
  expect(backfill).toMatchObject({ sourceIds: ['west'], createdBy: 'spillway' });
  expect(backfill.reason).toMatch(/^west was disconnected from /);
  const window = { from: Date.parse(backfill.window.from), to: Date.parse(backfill.window.to) };
  expect(window.to - window.from).toBeGreaterThan(5 * HOUR_MS);

  const done = await untilState(system, backfill.id, 'completed', 240_000);
  const missed = (await oracle.counts({ ...window, sourceIds: ['west'] }))['west'] as number;
  expect(done.verification).toMatchObject({ state: 'matched', eventsChecked: missed });
  expect(done.progress.eventsExpected).toBe(missed);
  // Live had left out all of it but what shares a minute with its ends.
  expect(done.progress.eventsApplied).toBeGreaterThan(missed * 0.9);

  const hours = {
    from: Math.floor(window.from / HOUR_MS) * HOUR_MS - HOUR_MS,
    to: Math.ceil(window.to / HOUR_MS) * HOUR_MS + HOUR_MS,
  };
  await until('live beyond it', async () => {
    const { liveWatermark } = await readPipeline(system);
    return liveWatermark !== null && Date.parse(liveWatermark) > hours.to;
  });
  const { checked, differing } = await compareWithOracle(system, oracle, hours);
  expect(differing).toEqual([]);
  expect(checked).toBeGreaterThan(100);
  const west = await bucketsOf('west', hours);
  expect(west.length).toBeGreaterThan(0);
  expect(west.every(({ final }) => final)).toBe(true);
  const lived = events.telemetry.map(({ values }) => values['livePublishedEventsPerSecond']);
  expect(lived.slice(2).every((rate) => rate == null || rate > 0)).toBe(true);
});
