import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BudgetInputs, checkBudget, spendPerHour } from '../../src/cost/budget.ts';
import { compareCost } from '../../src/cost/compare.ts';
import { forecastSpend } from '../../src/cost/forecast.ts';
import { parseAmount } from '../../src/cost/money.ts';

const dollars = (amount: string) => parseAmount(amount) as bigint;
const inputs = (over: Partial<BudgetInputs>): BudgetInputs => ({
  limit: dollars('10'),
  spent: 0n,
  spendPerHour: 0n,
  meterAgeMs: 0,
  lookEveryMs: 0,
  stopMs: 0,
  onStream: 0n,
  spendPerEvent: 0n,
  ...over,
});

describe('the budget', () => {
  test.each([
    ['7.999999', 'within'],
    ['8', 'warned'],
    ['9.999999', 'warned'],
    ['10', 'spent'],
    ['11', 'spent'],
  ])('%s of 10 is %s', (spent, state) => {
    expect(checkBudget(inputs({ spent: dollars(spent) })).state).toBe(state);
  });

  test('stops ahead by what is still to come: late meter, slow pause, what is on the stream', () => {
    // 36 an hour is a cent a second; two seconds, and a hundred entries of a tenth of a cent.
    const late = { spendPerHour: dollars('36'), meterAgeMs: 1_000, lookEveryMs: 250, stopMs: 750 };
    const verdict = checkBudget(inputs({ ...late, onStream: 100n, spendPerEvent: dollars('0.001') }));
    expect(verdict.pauseAt).toBe(dollars('9.88'));
  });

  test('no budget left, no division by it', () => {
    expect(checkBudget(inputs({ limit: 0n }))).toMatchObject({ state: 'spent', part: 1, pauseAt: 0n });
    expect(checkBudget(inputs({ limit: 1n, spendPerHour: dollars('999'), meterAgeMs: 1 })).pauseAt).toBe(0n);
  });

  test('whatever the delays are, a run ends within its budget, and uses what the delays leave of it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_000, max: 50_000 }),
        fc.integer({ min: 10, max: 20_000 }),
        fc.integer({ min: 0, max: 2_000 }),
        fc.integer({ min: 50, max: 1_000 }),
        fc.integer({ min: 0, max: 1_000 }),
        fc.infiniteStream(fc.double({ min: 0.3, max: 1, noNaN: true })),
        (budgetCents, eventsPerSecond, meterAgeMs, lookEveryMs, stopMs, parts) => {
          const limit = dollars('0.01') * BigInt(budgetCents);
          const spendPerEvent = limit / 1_000_000n;
          const most = spendPerEvent * BigInt(eventsPerSecond) * 3_600n;
          const stepMs = 50;
          const history: bigint[] = [0n];
          let spent = 0n;
          let stopAtMs = Number.POSITIVE_INFINITY;
          let pauseAt = 0n;
          let nextLookMs = 0;
          // Half a second's worth of events waits on the stream and is paid for when it is applied.
          const onStream = BigInt(Math.ceil(eventsPerSecond / 2));
          for (let nowMs = 0; nowMs < stopAtMs && spent <= limit * 2n; nowMs += stepMs) {
            if (nowMs >= nextLookMs && stopAtMs === Number.POSITIVE_INFINITY) {
              nextLookMs = nowMs + lookEveryMs;
              const metered = history[
                Math.max(0, history.length - 1 - Math.ceil(meterAgeMs / stepMs))
              ] as bigint;
              const verdict = checkBudget({
                limit,
                spent: metered,
                spendPerHour: most,
                meterAgeMs: meterAgeMs + stepMs,
                lookEveryMs: lookEveryMs + stepMs,
                stopMs: stopMs + stepMs,
                onStream,
                spendPerEvent,
              });
              pauseAt = verdict.pauseAt;
              if (verdict.state === 'spent') stopAtMs = nowMs + stopMs;
            }
            const events = BigInt(
              Math.floor((eventsPerSecond * stepMs * (parts.next().value as number)) / 1000),
            );
            spent += events * spendPerEvent;
            history.push(spent);
            if (history.length > 20_000) return;
          }
          const final = spent + onStream * spendPerEvent;
          // A budget smaller than the delays themselves cannot be kept.
          if (pauseAt > 0n) {
            expect(final * 100n).toBeLessThanOrEqual(limit * 101n);
            expect(spent).toBeGreaterThanOrEqual(pauseAt);
          }
        },
      ),
      { numRuns: 60 },
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
          const range = forecastSpend({ spent, eventsDone, eventsTotal: total, factors, estimate: null });
          expect(range?.low).toBeGreaterThanOrEqual(spent);
          expect(range?.likely).toBeGreaterThanOrEqual(range?.low ?? 0n);
          expect(range?.high).toBeGreaterThanOrEqual(range?.likely ?? 0n);
        },
      ),
    );
  });

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
