import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BudgetInputs, checkBudget, spendPerHour } from '../../src/cost/budget.ts';
import { parseAmount } from '../../src/cost/money.ts';
import { RecentGrants } from '../../src/cost/recent-grants.ts';

const dollars = (amount: string) => parseAmount(amount) as bigint;
const inputs = (over: Partial<BudgetInputs>): BudgetInputs => ({
  limit: dollars('10'),
  spent: 0n,
  toldAgeMs: 0,
  meteredPerEvent: null,
  lookEveryMs: 0,
  standsMs: 0,
  stopMs: 0,
  onStream: 0n,
  unknown: { published: 0, unmetered: 0, eventsPerSecond: 0 },
  spendPerEvent: null,
  leastPerEvent: null,
  keptForProof: 0n,
  proofPerEvent: 0n,
  ...over,
});

interface Scenario {
  /** How long the budget lasts at the full rate. */
  readonly lastsSeconds: number;
  readonly eventsPerSecond: number;
  readonly tickMs: number;
  /** What is spent is known so much later than what is applied. */
  readonly meterLateMs: number;
  readonly lookEveryMs: number;
  /** A rate may stand for so long, */
  readonly standsMs: number;
  /** since one look of so many is so late. */
  readonly lateEvery: number;
  readonly stopMs: number;
  readonly appliedAfterMs: number;
  /** Of the budget: what the first event costs besides, as a row group does. */
  readonly startPart: number;
  /** Of what an event comes to, until it is proved. */
  readonly proofPart: number;
  /** What is assumed of an event before the run knows itself, of what it comes to. */
  readonly assumed: number;
  /** What an event is held to cost, of what it comes to: nothing of it is believed to be absorbed. */
  readonly fullPriceFactor: number;
  /** Of the time the budget lasts: when what was granted is forgotten, as by an api that is started anew. Null: never. */
  readonly restartAtPart: number | null;
  /** What it is granted where the budget does not hold it back, of what it can use. */
  readonly grantedPart?: number;
}

/** The demo's: ticks of 250 ms, a log that is read once a second, looks and stops within 300 ms. */
const asMeasured: Scenario = {
  lastsSeconds: 20,
  eventsPerSecond: 3_000,
  tickMs: 250,
  meterLateMs: 1_000,
  lookEveryMs: 250,
  standsMs: 2_800,
  lateEvery: Number.POSITIVE_INFINITY,
  stopMs: 300,
  appliedAfterMs: 300,
  startPart: 0,
  proofPart: 0.25,
  assumed: 1,
  fullPriceFactor: 1,
  restartAtPart: null,
};

/**
 * A run under a budget, 25 ms at a time: the rate of a verdict is effective `stopMs` later at worst, what is published is applied after a while,
 * and the meter tells of it later still. When it was held (null: never), and what part of the budget was gone then, its proof included.
 */
function runUnderBudget(scenario: Scenario): { heldAtMs: number | null; part: number } {
  const {
    lastsSeconds,
    eventsPerSecond,
    tickMs,
    meterLateMs,
    lookEveryMs,
    standsMs,
    lateEvery,
    stopMs,
    appliedAfterMs,
  } = scenario;
  const budgetEvents = Math.max(500, Math.round(lastsSeconds * eventsPerSecond));
  const stepMs = 25;
  const price = 1_000_000n;
  const proofPrice = BigInt(Math.round(scenario.proofPart * Number(price)));
  const limit = (price + proofPrice) * BigInt(budgetEvents);
  const startCost = BigInt(Math.floor(scenario.startPart * budgetEvents)) * price;
  const publishedAt: number[] = [];
  const rates: { atMs: number; eventsPerSecond: number }[] = [];
  let [published, credit, told, toldMs, nextLookMs] = [0, 0, { done: 0, metered: 0, published: 0 }, 0, 0];
  const appliedBy = (ms: number) => publishedAt[Math.floor((ms - appliedAfterMs) / stepMs) - 1] ?? 0;
  const spentFor = (read: number, done: number) => (read === 0 ? 0n : startCost) + BigInt(done) * price;
  let grants = new RecentGrants();
  grants.observe({ atMs: -60_000, eventsPerSecond: 0, eventsPublished: 0, eventsHandled: 0, waiting: 0 });
  let restartMs =
    scenario.restartAtPart === null
      ? null
      : scenario.restartAtPart * (budgetEvents / eventsPerSecond) * 1_000;
  let looks = 0;
  let heldAtMs: number | null = null;
  for (let nowMs = 0; nowMs < 3_600_000 && heldAtMs === null; nowMs += stepMs) {
    if (nowMs - toldMs >= tickMs) {
      told = { done: appliedBy(nowMs), metered: appliedBy(nowMs - meterLateMs), published };
      toldMs = nowMs;
    }
    if (nowMs >= nextLookMs) {
      nextLookMs = nowMs + (++looks % lateEvery === 0 ? standsMs : lookEveryMs);
      const spent = spentFor(told.published, told.metered);
      const early = BigInt(Math.ceil(scenario.assumed * Number(price)));
      const stop = stopMs + stepMs;
      if (restartMs !== null && nowMs >= restartMs) {
        grants = new RecentGrants();
        restartMs = null;
      }
      grants.observe({
        atMs: nowMs,
        eventsPerSecond: rates.at(-1)?.eventsPerSecond ?? 0,
        eventsPublished: told.published,
        eventsHandled: told.done,
        waiting: (publishedAt.at(-1) ?? 0) - appliedBy(nowMs),
      });
      const toldAgeMs = nowMs - toldMs + stepMs;
      const unknown = grants.unknown({
        atMs: nowMs,
        toldAgeMs,
        meterAgeMs: toldAgeMs + meterLateMs,
        stopMs: stop,
      });
      const metered = told.done - (unknown?.unmetered ?? 0);
      const own =
        metered === 0 ? 0n : BigInt(Math.round(scenario.fullPriceFactor * Number(spent / BigInt(metered))));
      const verdict = checkBudget({
        limit,
        spent,
        spendPerEvent: metered >= 1_000 || own > early ? own : early,
        onStream: BigInt(grants.onStream()),
        leastPerEvent:
          told.done === 0
            ? null
            : BigInt(Math.round(scenario.fullPriceFactor * Number(spent / BigInt(told.done)))),
        keptForProof: BigInt(told.done + grants.onStream()) * proofPrice,
        proofPerEvent: proofPrice,
        unknown,
        toldAgeMs,
        meteredPerEvent: metered >= 1_000 ? spent / BigInt(metered) : null,
        lookEveryMs: lookEveryMs + stepMs,
        standsMs: standsMs + stepMs,
        stopMs: stop,
      });
      if (verdict.state === 'spent') heldAtMs = nowMs;
      rates.push({
        atMs: nowMs,
        eventsPerSecond: Math.min(
          eventsPerSecond * (scenario.grantedPart ?? 1),
          verdict.eventsPerSecond ?? Number.POSITIVE_INFINITY,
        ),
      });
    }
    const effective = rates.findLast(({ atMs }) => atMs + stopMs <= nowMs);
    credit += (Math.min(eventsPerSecond, effective?.eventsPerSecond ?? 0) * stepMs) / 1_000;
    published += Math.floor(credit);
    credit -= Math.floor(credit);
    publishedAt.push(published);
  }
  // The reader goes on until the pause is effective.
  const last = Math.min(eventsPerSecond, rates.at(-2)?.eventsPerSecond ?? 0);
  const final = published + Math.ceil((last * stopMs) / 1_000);
  const gone = spentFor(published, final) + BigInt(final) * proofPrice;
  return { heldAtMs, part: Number(gone) / Number(limit) };
}

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
    const dear = { lookEveryMs: 250, standsMs: 250, stopMs: 750, spendPerEvent: dollars('0.01') };
    const rate = (over: Partial<BudgetInputs>) => checkBudget(inputs({ ...dear, ...over })).eventsPerSecond;
    // Of a thousand events 400 are on the stream.
    expect(rate({ onStream: 400n }), 'nothing is metered yet').toBeCloseTo(200, 6);
    expect(rate({ onStream: 400n, spent: dollars('5') })).toBeCloseTo(100, 6);
    // Of the last hundred 50 may have been published that nobody has told of, and of those on the stream 30 are applied and not metered.
    const late = { onStream: 370n, spent: dollars('5'), toldAgeMs: 500 };
    const unknown = (eventsPerSecond: number, published = 50) => ({
      published,
      unmetered: 30,
      eventsPerSecond,
    });
    expect(rate({ ...late, unknown: unknown(0) })).toBeCloseTo(50, 6);
    expect(rate({ ...late, unknown: unknown(12) })).toBeCloseTo(50 + 12 * 0.75, 6);
    // What can go on for ever: 100 in a second and a half.
    expect(rate({ ...late, unknown: unknown(800) })).toBeCloseTo(100 / 1.5, 6);
    expect(rate({ ...late, unknown: unknown(800, 99) })).toBeCloseTo(1 / 0.25, 6);
    expect(rate({ ...late, unknown: unknown(800, 101) })).toBe(0);
    // Whoever publishes is proved too; what is applied is kept for already.
    expect(rate({ ...late, unknown: unknown(0, 0), proofPerEvent: dollars('0.03') })).toBeCloseTo(
      25 / 1.5,
      6,
    );
    expect(rate({ unknown: null }), 'until it is known what was granted before').toBe(0);
    // It may stand until its grant runs out: then at what an event has been coming to, a quarter of its price. 400 of 3,600 are on the stream.
    const stalled = { ...late, onStream: 400n, standsMs: 2_000, unknown: unknown(5_000, 0), toldAgeMs: 0 };
    expect(rate({ ...stalled, meteredPerEvent: null })).toBeCloseTo(70 / 2.75, 6);
    expect(rate({ ...stalled, meteredPerEvent: dollars('0.0025') })).toBeCloseTo(70 / 1, 6);
    expect(rate({ ...stalled, meteredPerEvent: 0n })).toBeCloseTo(70 / 1, 6);
    const longer = { ...stalled, standsMs: 60_000, meteredPerEvent: dollars('0.0025') };
    expect(rate(longer)).toBeCloseTo((2_000 - 430) / 60.75, 6);
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
    const paying = {
      ...kept,
      spent: dollars('4'),
      spendPerEvent: dollars('0.01'),
      lookEveryMs: 250,
      stopMs: 750,
    };
    expect(checkBudget(inputs(paying)).eventsPerSecond).toBeCloseTo(200, 6);
    expect(checkBudget(inputs({ ...paying, keptForProof: dollars('11') })).pauseAt).toBe(0n);
  });

  test('no price known, no rate told; no budget left, no division by it', () => {
    expect(checkBudget(inputs({ spent: dollars('5') })).eventsPerSecond).toBeNull();
    expect(checkBudget(inputs({ limit: 0n }))).toMatchObject({ state: 'spent', part: 1, eventsPerSecond: 0 });
  });

  test('however short the run and late the meter: paused between 90 % and 101 %, its proof included', () => {
    fc.assert(
      fc.property(
        fc.record({
          lastsSeconds: fc.double({ min: 0.2, max: 120, noNaN: true }),
          eventsPerSecond: fc.integer({ min: 50, max: 20_000 }),
          tickMs: fc.integer({ min: 50, max: 1_000 }),
          meterLateMs: fc.integer({ min: 0, max: 1_000 }),
          lookEveryMs: fc.integer({ min: 50, max: 300 }),
          standsMs: fc.integer({ min: 300, max: 2_800 }),
          lateEvery: fc.integer({ min: 1, max: 20 }),
          stopMs: fc.integer({ min: 0, max: 300 }),
          appliedAfterMs: fc.integer({ min: 0, max: 1_000 }),
          startPart: fc.double({ min: 0, max: 0.5, noNaN: true }),
          proofPart: fc.double({ min: 0, max: 1, noNaN: true }),
          assumed: fc.double({ min: 1, max: 5, noNaN: true }),
          fullPriceFactor: fc.double({ min: 1, max: 5, noNaN: true }),
          restartAtPart: fc.option(fc.double({ min: 0.2, max: 1.2, noNaN: true })),
        }),
        (random) => {
          // An event that is held to cost more than all that is left holds the run: by the first few, what the start costs is told as theirs.
          const scenario = { ...random, startPart: random.startPart / random.fullPriceFactor };
          const { heldAtMs, part } = runUnderBudget(scenario);
          expect(heldAtMs).not.toBeNull();
          expect(part).toBeLessThanOrEqual(1.01);
          expect(part).toBeGreaterThanOrEqual(0.9);
        },
      ),
      { numRuns: 300 },
    );
  });

  test.each([
    [1, 1, 15],
    [20, 1, 5],
    // Four fifths of what it costs are absorbed, which nobody counts on.
    [20, 5, 22],
    [60, 5, 12],
    [120, 5, 4],
  ])(
    'a budget for %d s at the full rate, an event held to cost %d times what it comes to: it is held at most %d s later',
    (lastsSeconds, fullPriceFactor, seconds) => {
      for (const proofPart of [0, 0.25, 1]) {
        const { heldAtMs, part } = runUnderBudget({
          ...asMeasured,
          lastsSeconds,
          fullPriceFactor,
          proofPart,
        });
        expect(part).toBeLessThanOrEqual(1.01);
        expect((heldAtMs ?? Number.NaN) / 1_000 - lastsSeconds).toBeLessThan(seconds);
      }
    },
  );

  test('one that uses an eighth of what it is granted is not held up by what it leaves', () => {
    const lavish = { ...asMeasured, lastsSeconds: 60, grantedPart: 8 };
    const { heldAtMs, part } = runUnderBudget(lavish);
    expect(part).toBeLessThanOrEqual(1.01);
    expect((heldAtMs ?? Number.NaN) / 1_000 - 60).toBeLessThan(5);
  });

  test('one event that was told of before the others does not hold what can go on', () => {
    const early = { spent: dollars('5.3'), spendPerEvent: dollars('5.3') };
    expect(checkBudget(inputs({ ...early, leastPerEvent: dollars('0.01') })).state).toBe('within');
    expect(checkBudget(inputs({ ...early, leastPerEvent: dollars('4.71') })).state).toBe('spent');
    expect(checkBudget(inputs(early)).state, 'none is applied: as is assumed').toBe('spent');
  });

  test('of what costs nothing any rate can be paid for, but not of what its proof costs', () => {
    const free = { spendPerEvent: 0n, lookEveryMs: 1_000, standsMs: 1_000 };
    expect(checkBudget(inputs(free)).eventsPerSecond).toBeNull();
    expect(
      checkBudget(inputs({ ...free, proofPerEvent: dollars('0.1'), spent: 1n })).eventsPerSecond,
    ).toBeCloseTo(100, 6);
  });

  test('spend per hour, from two readings', () => {
    expect(spendPerHour({ spent: 0n, atMs: 0 }, { spent: dollars('0.01'), atMs: 60_000 })).toBe(
      dollars('0.6'),
    );
    expect(spendPerHour({ spent: 0n, atMs: 5 }, { spent: 1n, atMs: 5 })).toBeNull();
  });
});
