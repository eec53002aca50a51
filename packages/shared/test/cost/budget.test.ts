import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BudgetInputs, checkBudget, spendPerHour } from '../../src/cost/budget.ts';
import { compareCost } from '../../src/cost/compare.ts';
import { forecastSpend } from '../../src/cost/forecast.ts';
import { pricesOf, priceUsage } from '../../src/cost/items.ts';
import { parseAmount } from '../../src/cost/money.ts';
import { owedForProof } from '../../src/cost/proof-cost.ts';
import { aPriceBook } from './a-price-book.ts';

const dollars = (amount: string) => parseAmount(amount) as bigint;
const inputs = (over: Partial<BudgetInputs>): BudgetInputs => ({
  limit: dollars('10'),
  spent: 0n,
  meterAgeMs: 0,
  meterEveryMs: 0,
  lookEveryMs: 0,
  stopMs: 0,
  onStream: 0n,
  spendPerEvent: null,
  keptForProof: 0n,
  proofPerEvent: 0n,
  ...over,
});

describe('the budget', () => {
  test.each([
    ['7.999999', 'within'],
    ['8', 'warned'],
    ['9.699999', 'warned'],
    ['9.7', 'spent'],
    ['11', 'spent'],
  ])('%s of 10 is %s', (spent, state) => {
    const verdict = checkBudget(inputs({ spent: dollars(spent) }));
    expect(verdict).toMatchObject({ state, pauseAt: dollars('9.7') });
  });

  test('no rate that could not be paid for until a slower one is effective', () => {
    // 600 events are left of a thousand, and it takes a second and a half.
    const late = { meterAgeMs: 500, lookEveryMs: 250, stopMs: 750, spendPerEvent: dollars('0.01') };
    expect(checkBudget(inputs({ ...late, onStream: 400n })).eventsPerSecond).toBeCloseTo(
      600 / (1.5 * Math.E),
      6,
    );
    expect(checkBudget(inputs({ ...late, onStream: 400n, spent: dollars('5') })).eventsPerSecond).toBeCloseTo(
      100 / (1.5 * Math.E),
      6,
    );
  });

  test.each([
    ['unknown what an event costs', null],
    ['nothing that an event costs', 0n],
  ])(
    'no rate is told where there is %s, and money that was spent pauses all the same',
    (_what, spendPerEvent) => {
      const verdict = (spent: string) =>
        checkBudget(inputs({ spendPerEvent, spent: dollars(spent), onStream: 7n }));
      expect(verdict('8')).toMatchObject({ state: 'warned', eventsPerSecond: null });
      expect(verdict('9.7')).toMatchObject({ state: 'spent', eventsPerSecond: 0 });
    },
  );

  test('what is on the stream makes it wait, and only what was metered makes it pause', () => {
    const all = { spendPerEvent: dollars('0.01'), onStream: 1_000n };
    expect(checkBudget(inputs(all))).toMatchObject({ state: 'within', eventsPerSecond: 0 });
    expect(checkBudget(inputs({ ...all, spent: dollars('9.7') }))).toMatchObject({
      state: 'spent',
      eventsPerSecond: 0,
    });
    // Applied, and not one event more can be paid for.
    expect(checkBudget(inputs({ spendPerEvent: dollars('4'), spent: dollars('7') })).state).toBe('spent');
    expect(checkBudget(inputs({ spendPerEvent: dollars('4'), spent: dollars('6') })).state).toBe('within');
  });

  test('what the proof will cost is kept for it, and not for replay', () => {
    const kept = { keptForProof: dollars('3'), proofPerEvent: dollars('0.005') };
    expect(checkBudget(inputs({ ...kept, spent: dollars('4.9') }))).toMatchObject({
      state: 'within',
      part: 0.49,
      pauseAt: dollars('6.7'),
    });
    expect(checkBudget(inputs({ ...kept, spent: dollars('5') })).state).toBe('warned');
    expect(checkBudget(inputs({ ...kept, spent: dollars('6.7') })).state).toBe('spent');
    const paying = { ...kept, spent: dollars('4'), spendPerEvent: dollars('0.01'), stopMs: 1_000 };
    expect(checkBudget(inputs(paying)).eventsPerSecond).toBeCloseTo(200 / Math.E, 6);
    expect(checkBudget(inputs({ ...paying, keptForProof: dollars('11') })).pauseAt).toBe(0n);
  });

  test('no price known, no rate told; no budget left, no division by it', () => {
    expect(checkBudget(inputs({ spent: dollars('5') })).eventsPerSecond).toBeNull();
    expect(checkBudget(inputs({ limit: 0n }))).toMatchObject({ state: 'spent', part: 1, eventsPerSecond: 0 });
  });

  /**
   * A run under a budget, 25 ms at a time: the rate of a verdict is effective `stopMs` later at worst, what is published is applied after a while,
   * and the meter tells of it later still. What it reads first costs
   * `startPart` of the budget at once, as a row group does.
   */
  test('however short the run and late the meter: paused between 90 % and 101 %, its proof included', () => {
    fc.assert(
      fc.property(
        fc.record({
          /** How long the budget lasts at the full rate. */
          lastsSeconds: fc.double({ min: 0.2, max: 120, noNaN: true }),
          eventsPerSecond: fc.integer({ min: 50, max: 20_000 }),
          tickMs: fc.integer({ min: 50, max: 1_000 }),
          lookEveryMs: fc.integer({ min: 50, max: 300 }),
          stopMs: fc.integer({ min: 0, max: 300 }),
          appliedAfterMs: fc.integer({ min: 0, max: 1_000 }),
          startPart: fc.double({ min: 0, max: 0.5, noNaN: true }),
          /** Of what an event comes to, until it is proved. */
          proofPart: fc.double({ min: 0, max: 1, noNaN: true }),
          /** What is assumed of an event before the run knows itself, of what it comes to. */
          assumed: fc.double({ min: 1, max: 5, noNaN: true }),
        }),
        ({
          lastsSeconds,
          eventsPerSecond,
          tickMs,
          lookEveryMs,
          stopMs,
          appliedAfterMs,
          startPart,
          proofPart,
          assumed,
        }) => {
          const budgetEvents = Math.max(500, Math.round(lastsSeconds * eventsPerSecond));
          const stepMs = 25;
          const price = 1_000_000n;
          const proofPrice = BigInt(Math.round(proofPart * Number(price)));
          const limit = (price + proofPrice) * BigInt(budgetEvents);
          const startCost = BigInt(Math.floor(startPart * budgetEvents)) * price;
          const publishedAt: number[] = [];
          const rates: { atMs: number; eventsPerSecond: number }[] = [];
          let [published, credit, told, toldMs, nextLookMs] = [0, 0, { done: 0, published: 0 }, 0, 0];
          const appliedBy = (ms: number) => publishedAt[Math.floor((ms - appliedAfterMs) / stepMs) - 1] ?? 0;
          const spentFor = (read: number, done: number) =>
            (read === 0 ? 0n : startCost) + BigInt(done) * price;
          let paused = false;
          for (let nowMs = 0; nowMs < 3_600_000 && !paused; nowMs += stepMs) {
            if (nowMs - toldMs >= tickMs) {
              told = { done: appliedBy(nowMs), published };
              toldMs = nowMs;
            }
            if (nowMs >= nextLookMs) {
              nextLookMs = nowMs + lookEveryMs;
              const spent = spentFor(told.published, told.done);
              const own = told.done === 0 ? 0n : spent / BigInt(told.done);
              const early = BigInt(Math.ceil(assumed * Number(price)));
              const verdict = checkBudget({
                limit,
                spent,
                spendPerEvent: told.done >= 1_000 || own > early ? own : early,
                onStream: BigInt(told.published - told.done),
                keptForProof: BigInt(told.published) * proofPrice,
                proofPerEvent: proofPrice,
                meterAgeMs: nowMs - toldMs + stepMs,
                meterEveryMs: tickMs + stepMs,
                lookEveryMs: lookEveryMs + stepMs,
                stopMs: stopMs + stepMs,
              });
              if (verdict.state === 'spent') paused = true;
              rates.push({
                atMs: nowMs,
                eventsPerSecond: verdict.eventsPerSecond ?? Number.POSITIVE_INFINITY,
              });
            }
            const effective = rates.findLast(({ atMs }) => atMs + stopMs <= nowMs);
            credit += (Math.min(eventsPerSecond, effective?.eventsPerSecond ?? 0) * stepMs) / 1_000;
            published += Math.floor(credit);
            credit -= Math.floor(credit);
            publishedAt.push(published);
          }
          // The reader goes on until the pause is effective.
          const last = rates.at(-2)?.eventsPerSecond ?? 0;
          const final = spentFor(
            published,
            published + Math.ceil((Math.min(eventsPerSecond, last) * stopMs) / 1_000),
          );
          const proved = BigInt(published) * proofPrice;
          expect(paused).toBe(true);
          expect(Number(final + proved) / Number(limit)).toBeLessThanOrEqual(1.01);
          expect(Number(final + proved) / Number(limit)).toBeGreaterThanOrEqual(0.9);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('spend per hour, from two readings', () => {
    expect(spendPerHour({ spent: 0n, atMs: 0 }, { spent: dollars('0.01'), atMs: 60_000 })).toBe(
      dollars('0.6'),
    );
    expect(spendPerHour({ spent: 0n, atMs: 5 }, { spent: 1n, atMs: 5 })).toBeNull();
  });
});

describe('the forecast at completion', () => {
  const total = { low: 900n, likely: 1_000n, high: 1_100n };
  const factors = { low: 0.8, likely: 1, high: 1.25 };
  const forecast = (spent: string, eventsDone: bigint, estimate: string | null) =>
    forecastSpend({
      spent: dollars(spent),
      owed: 0n,
      eventsDone,
      eventsTotal: total,
      factors,
      estimate: estimate === null ? null : dollars(estimate),
    });

  test('the estimate at first, the run itself later', () => {
    const first = forecast('0', 0n, '10')?.likely ?? 0n;
    expect(Number(first)).toBeCloseTo(Number(dollars('10')), -8);
    const half = Number(forecast('10', 500n, '10')?.likely ?? 0n) / 1e12;
    expect(half).toBeGreaterThan(19);
    expect(half).toBeLessThan(20);
  });

  test('at the end it is what was spent, however wide it began; and never below', () => {
    const end = forecastSpend({
      spent: 77n,
      owed: 0n,
      eventsDone: 1_000n,
      eventsTotal: { low: 1_000n, likely: 1_000n, high: 1_000n },
      factors,
      estimate: 5n,
    });
    expect(end).toEqual({ low: 77n, likely: 77n, high: 77n });
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 15n }),
        fc.bigInt({ min: 1n, max: 1_000n }),
        (spent, eventsDone) => {
          const range = forecastSpend({
            spent,
            owed: 0n,
            eventsDone,
            eventsTotal: total,
            factors,
            estimate: null,
          });
          expect(range?.low).toBeGreaterThanOrEqual(spent);
          expect(range?.likely).toBeGreaterThanOrEqual(range?.low ?? 0n);
          expect(range?.high).toBeGreaterThanOrEqual(range?.likely ?? 0n);
        },
      ),
    );
  });

  // A million rows written at 1, and 1,150,000 read for the proof at 0.2; of which a quarter is absorbed.
  test.each([
    ['everything', '1.23', '1'],
    ['overage', '0.9225', '0.75'],
  ] as const)(
    'the proof is in it from the first event on, and it does not move while that is paid for: spend is %s',
    (spendCounts, whole, unproved) => {
      const prices = pricesOf(aPriceBook({ spendCounts }));
      const events = 1_000_000n;
      const forecastAt = (done: bigint, reads: bigint) => {
        const priced = priceUsage(
          {
            total: { rowsAttempted: done, storeReads: reads },
            absorbed: { rowsAttempted: done / 4n, storeReads: reads / 4n },
            apportioned: [],
          },
          prices,
        );
        return forecastSpend({
          spent: priced.spend,
          owed: owedForProof(Number(done), prices, priced),
          eventsDone: done,
          eventsTotal: { low: events, likely: events, high: events },
          estimate: dollars(whole),
          factors,
        });
      };
      for (const [done, reads] of [
        [4n, 0n],
        [400_000n, 0n],
        [events, 0n],
        [events, 600_000n],
        [events, 1_150_000n],
      ] as const)
        expect(Number(forecastAt(done, reads)?.likely) / Number(dollars(whole))).toBeCloseTo(1, 5);
      expect(forecastAt(events, 0n)?.low).toBeGreaterThan(dollars(unproved));
    },
  );

  test('nothing done and nothing estimated is unknown', () => {
    expect(forecast('0', 0n, null)).toBeNull();
  });
});

test('estimate against actual: every item, with what is unknown as null', () => {
  const usd = (amount: string) => ({ amount, currency: 'USD' });
  const rows = compareCost(
    [
      { item: 'compute', total: usd('2') },
      { item: 'egress', total: usd('0') },
    ],
    [
      { item: 'compute', total: usd('2.5'), apportioned: true },
      { item: 'egress', total: usd('1'), apportioned: false },
      { item: 'store_wal', total: null, apportioned: false },
    ],
  );
  expect(rows).toHaveLength(9);
  expect(rows.find(({ item }) => item === 'compute')).toMatchObject({ ratio: 1.25, apportioned: true });
  expect(rows.find(({ item }) => item === 'egress')?.ratio).toBeNull();
  expect(rows.find(({ item }) => item === 'store_wal')).toMatchObject({
    estimate: null,
    actual: null,
    ratio: null,
  });
});
