import type { TelemetryEvent } from '@spillway/shared/api/events';
import { describe, expect, it } from 'vitest';
import { isStale, LiveStore, staleAfterMs } from '../../src/features/telemetry/model/live-store.ts';
import { linePath } from '../../src/features/telemetry/model/paths.ts';
import { RateHistory } from '../../src/features/telemetry/model/rate-history.ts';
import {
  rateBatches,
  rateName,
  rateStretchMs,
  ratesUpTo,
} from '../../src/features/telemetry/model/recorded-rates.ts';
import { RingBuffer } from '../../src/features/telemetry/model/ring-buffer.ts';
import {
  binSeconds,
  binSeries,
  maxPoints,
  timeTicks,
  valueTicks,
} from '../../src/features/telemetry/model/series.ts';
import { upToNow } from '../../src/features/telemetry/model/up-to-now.ts';

const t0 = 1_800_000_000_000;

describe('ring buffer', () => {
  it('keeps the last seconds and forgets the rest', () => {
    const ring = new RingBuffer(3);
    for (let second = 0; second < 5; second += 1) ring.write(t0 + second * 1_000, { rate: second });
    const read = (second: number) => ring.read('rate', t0 / 1_000 + second);
    expect([read(0), read(1)]).toEqual([Number.NaN, Number.NaN]);
    expect([read(2), read(3), read(4)]).toEqual([2, 3, 4]);
    expect(ring.newestMs).toBe(t0 + 4_000);
    expect(ring.oldestMs).toBe(t0 + 2_000);
  });

  it('takes history after live samples, and ignores what is older than it reaches', () => {
    const ring = new RingBuffer(3);
    ring.write(t0 + 4_000, { rate: 4 });
    ring.write(t0 + 3_000, { rate: 3 });
    ring.write(t0, { rate: 0 });
    expect(ring.read('rate', t0 / 1_000 + 3)).toBe(3);
    expect(ring.read('rate', t0 / 1_000 + 4)).toBe(4);
    expect(ring.read('rate', t0 / 1_000)).toBeNaN();
  });

  it('does not mix a metric that is missing now with its value a lap ago', () => {
    const ring = new RingBuffer(2);
    ring.write(t0, { rate: 7, lag: 1 });
    ring.write(t0 + 2_000, { lag: 2 });
    expect(ring.read('rate', t0 / 1_000 + 2)).toBeNaN();
    expect(ring.read('lag', t0 / 1_000 + 2)).toBe(2);
  });

  it('holds unknown as unknown', () => {
    const ring = new RingBuffer(2);
    ring.write(t0, { rate: null });
    expect(ring.read('rate', t0 / 1_000)).toBeNaN();
    expect(new RingBuffer(2).newestMs).toBeNull();
  });
});

describe('series for a chart', () => {
  it('never has more points than can be drawn in time', () => {
    const ring = new RingBuffer(3_700);
    for (const rangeMs of [180_000, 900_000, 3_600_000]) {
      expect(binSeries(ring, ['rate'], t0, rangeMs).length).toBeLessThanOrEqual(maxPoints);
    }
    expect(binSeconds(180_000)).toBe(1);
    expect(binSeconds(3_600_000)).toBe(20);
  });

  it('averages what is known, and is null where nothing is', () => {
    const ring = new RingBuffer(3_700);
    ring.write(t0, { rate: 10 });
    ring.write(t0 + 1_000, { rate: 20 });
    ring.write(t0 + 2_000, { rate: null });
    const rows = binSeries(ring, ['rate'], t0 + 4_000, 900_000);
    expect(rows.find(({ at }) => at === t0)?.['rate']).toBe(15);
    expect(rows.find(({ at }) => at === t0 - 5_000)?.['rate']).toBeNull();
  });

  it('leaves drawn points where they are while the window moves', () => {
    const ring = new RingBuffer(3_700);
    for (let second = 0; second < 60; second += 1) ring.write(t0 + second * 1_000, { rate: second });
    const before = binSeries(ring, ['rate'], t0 + 40_000, 900_000);
    const after = binSeries(ring, ['rate'], t0 + 47_000, 900_000);
    const shared = before.filter(({ at }) => at < t0 + 35_000 && after.some((row) => row.at === at));
    expect(shared.length).toBeGreaterThan(100);
    for (const row of shared) expect(after.find(({ at }) => at === row.at)).toEqual(row);
  });
});

describe('ticks', () => {
  it('are round times inside the range, few enough', () => {
    expect(timeTicks(t0 + 1, t0 + 180_000, 6)).toEqual(
      [30, 60, 90, 120, 150, 180].map((second) => t0 + second * 1_000),
    );
    for (const span of [30_000, 900_000, 3_600_000, 86_400_000]) {
      const ticks = timeTicks(t0 + 123, t0 + 123 + span, 6);
      expect(ticks.length).toBeGreaterThan(1);
      expect(ticks.length).toBeLessThanOrEqual(7);
    }
  });

  it.each([
    [0, [0, 1]],
    [8, [0, 2, 4, 6, 8]],
    [97, [0, 50, 100]],
    [7_640, [0, 2_000, 4_000, 6_000, 8_000]],
  ])('up to %s', (max, ticks) => {
    expect(valueTicks(max)).toEqual(ticks);
  });
});

describe('live store', () => {
  const event = (
    at: number,
    values: Record<string, number>,
    markers: TelemetryEvent['markers'] = [],
    replay: TelemetryEvent['replay'] = { of: 'applied', eventsPerSecond: null, backfills: [] },
  ): TelemetryEvent => ({
    pipelineId: 'flights',
    at,
    values,
    replay,
    stages: { at: new Date(at).toISOString(), stages: [], bottleneck: null, causeChain: [] },
    streams: [],
    markers,
    governor: null,
  });

  it('reads the server’s clock from its newest second, whatever this computer’s says', () => {
    const store = new LiveStore();
    expect(store.serverMs(t0)).toBeNull();
    store.receive(event(t0, {}), t0 + 90_000);
    expect(store.serverMs(t0 + 90_400)).toBe(t0 + 400);
  });

  it('draws of a backfill what the second says of it, at the second’s time', () => {
    const store = new LiveStore();
    const told = (eventsPerSecond: number | null, rate: number) => ({
      of: 'applied' as const,
      eventsPerSecond,
      backfills: [{ backfillId: 'bf_1', eventsPerSecond: rate }],
    });
    store.receive(event(t0, {}, [], told(250, 250)), t0 + 90_000);
    store.receive(event(t0 + 1_000, {}, [], told(null, 7)), t0 + 91_000);
    store.receive(event(t0 + 2_000, {}, [], told(240.5, 240.5)), t0 + 92_000);
    store.flush();
    expect(store.rates.of('bf_1')).toEqual([
      { at: t0, value: 250 },
      { at: t0 + 2_000, value: 240.5 },
    ]);
    expect(store.getSnapshot().pipelines['flights']?.replay).toEqual(told(240.5, 240.5));
  });

  it('tells its listeners once a flush, however many events there were, and not when nothing is new', () => {
    const store = new LiveStore();
    let told = 0;
    store.subscribe(() => {
      told += 1;
    });
    store.receive(event(t0, { rate: 1 }), 1);
    store.receive(event(t0 + 1_000, { rate: 2 }), 2);
    expect(store.getSnapshot().version).toBe(0);
    expect(store.flush()).toBe(true);
    expect(store.flush()).toBe(false);
    expect(told).toBe(1);
    expect(store.getSnapshot().pipelines['flights']).toMatchObject({ atMs: t0 + 1_000, values: { rate: 2 } });
  });

  it('lets history fill holes but never overwrite a second or the present', () => {
    const store = new LiveStore();
    store.receive(event(t0, { rate: 5 }), 1);
    store.receiveHistory('flights', {
      step: 'PT1S',
      series: {
        rate: [
          [t0 - 1_000, 4],
          [t0, 99],
        ],
      },
      markers: [],
    });
    store.flush();
    const live = store.getSnapshot().pipelines['flights'];
    expect(live?.ring.read('rate', t0 / 1_000)).toBe(5);
    expect(live?.ring.read('rate', t0 / 1_000 - 1)).toBe(4);
    expect(live?.values).toEqual({ rate: 5 });
  });

  it('knows a marker that arrives twice', () => {
    const store = new LiveStore();
    const marker = {
      at: new Date(t0).toISOString(),
      actor: 'mira',
      action: 'backfill.pause',
      backfillId: 'bf_1',
      detail: null,
    };
    store.receive(event(t0, {}, [marker]), 1);
    store.receiveHistory('flights', { step: 'PT1S', series: {}, markers: [marker] });
    store.flush();
    expect(store.getSnapshot().pipelines['flights']?.markers).toEqual([marker]);
  });

  it('is stale before the first event, after a drop, and after silence', () => {
    const store = new LiveStore();
    const stale = (nowMs: number) => {
      store.flush();
      return isStale(store.getSnapshot(), nowMs);
    };
    expect(stale(0)).toBe(true);
    store.setConnection('open');
    store.receive(event(t0, {}), 1_000);
    expect(stale(1_000)).toBe(false);
    expect(stale(1_000 + staleAfterMs + 1)).toBe(true);
    store.setConnection('dropped');
    expect(stale(1_000)).toBe(true);
  });
});

describe('the line of a rate', () => {
  const frame = { fromMs: 0, toMs: 100, max: 10, width: 200, height: 50 };
  it('goes from lower left to upper right and breaks where nothing is known', () => {
    const points = [
      { at: 0, value: 0 },
      { at: 50, value: 10 },
      { at: 75, value: null },
      { at: 100, value: 5 },
    ];
    expect(linePath(points, frame)).toBe('M0.0 50.0h.5L100.0 0.0M200.0 25.0h.5');
    expect(linePath(points, { ...frame, max: 0 })).toContain('M0.0 50.0');
  });

  it('ends at what is shown now: what is at work no more lies there from then on', () => {
    const told = [
      { at: 1_000, value: 30 },
      { at: 2_000, value: 40 },
    ];
    const fallen = [...told, { at: 3_000, value: 0 }, { at: 9_000, value: 0 }];
    expect(upToNow(told, { at: 9_000, value: 0 })).toEqual(fallen);
    expect(upToNow([...told, { at: 3_000, value: null }], { at: 9_000, value: 0 }), 'recorded').toEqual(
      fallen,
    );
    expect(upToNow(told, { at: 2_000, value: 0 }), 'as it was told').toBe(told);
    expect(upToNow(told, { at: 9_000, value: null }), 'unknown').toBe(told);
    expect(upToNow([], { at: 9_000, value: 0 }), 'never at work').toEqual([]);
  });

  it('keeps two minutes of each backfill, and no more backfills than fit', () => {
    const rates = new RateHistory();
    for (let second = 0; second < 300; second += 1) rates.write('bf_1', second * 1_000, second);
    expect(rates.of('bf_1')).toHaveLength(120);
    expect(rates.of('bf_1').at(-1)).toEqual({ at: 299_000, value: 299 });
    for (let other = 2; other <= 201; other += 1) rates.write(`bf_${other}`, 300_000, 1);
    expect(rates.of('bf_1')).toEqual([]);
    expect(rates.of('bf_2')).toHaveLength(1);
  });

  it('begins with what was recorded, in two minutes again, and believes the events', () => {
    const rates = new RateHistory();
    let told = 0;
    rates.subscribe(() => {
      told += 1;
    });
    for (const second of [100, 101]) rates.write('bf_1', second * 1_000, 7);
    const recorded = Array.from({ length: 121 }, (_, second) => ({ at: second * 1_000, value: second }));
    rates.fill(
      new Map([
        ['bf_1', recorded],
        ['bf_2', recorded],
      ]),
    );
    expect(told).toBe(1);
    expect(rates.of('bf_1').map(({ value }) => value)).toEqual([
      ...recorded.slice(0, 100).map(({ value }) => value),
      7,
      7,
    ]);
    expect(rates.of('bf_2')).toEqual(recorded.slice(1));
    rates.fill(new Map([['bf_1', recorded]]));
    expect(rates.of('bf_1'), 'twice is once').toHaveLength(102);
    rates.write('bf_2', 200_000, 9);
    expect(rates.of('bf_2').at(0)).toEqual({ at: 81_000, value: 81 });
  });
});

describe('recorded rates of a list', () => {
  const row = (
    index: number,
    state: 'running' | 'verifying' | 'queued' = 'running',
    pipelineId = 'flights',
  ) => ({
    id: `bf_${String(index).padStart(20, '0')}`,
    pipelineId,
    state,
  });

  it('are asked for of all at work, in requests that the server takes', () => {
    const rows = Array.from({ length: 64 }, (_, index) =>
      row(index, index % 2 === 0 ? 'running' : 'verifying'),
    );
    const batches = rateBatches([...rows, row(70, 'queued'), row(71, 'running', 'other')]);
    expect(batches.map(({ pipelineId, backfillIds }) => [pipelineId, backfillIds.length])).toEqual([
      ['flights', 30],
      ['flights', 30],
      ['flights', 4],
      ['other', 1],
    ]);
    expect(batches.slice(0, 3).flatMap(({ backfillIds }) => backfillIds)).toEqual(rows.map(({ id }) => id));
    for (const { backfillIds } of batches)
      expect(backfillIds.map(rateName).join(',').length).toBeLessThanOrEqual(2_000);
    // Rows that change places ask for nothing anew.
    expect(rateBatches(rows.toReversed())).toEqual(rateBatches(rows));
  });

  it('of a moment: what came before it, none of what came after, long enough to have a shape', () => {
    const minute = 60_000;
    const now = Date.UTC(2026, 10, 27);
    expect(rateStretchMs(now - 10 * minute, now)).toBe(2 * minute);
    expect(rateStretchMs(now - 120 * minute, now)).toBe(2 * minute);
    expect(rateStretchMs(now - 3 * 1_440 * minute, now)).toBe(12 * minute);
    const series = {
      [rateName('bf_1')]: [0, 1, 2, 3, 4].map((at): [number, number | null] => [at, at || null]),
    };
    expect(ratesUpTo(series, 3, 3)).toEqual({
      bf_1: [
        { at: 1, value: 1 },
        { at: 2, value: 2 },
        { at: 3, value: 3 },
      ],
    });
    expect(ratesUpTo(series, 0, 3)).toEqual({ bf_1: [{ at: 0, value: null }] });
  });
});
