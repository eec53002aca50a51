import fc from 'fast-check';
import { Value } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import { Quote } from '../../src/api/quote.ts';
import { learn } from '../../src/cost/coefficients.ts';
import { emptyMeter, meteredOf, observe, settle } from '../../src/cost/meter.ts';
import { atomsOf, parseAmount } from '../../src/cost/money.ts';
import { LIVE } from '../../src/cost/slots.ts';
import { estimateOf } from '../../src/quote/estimate.ts';
import { quoteOf, reckon } from '../../src/quote/quote.ts';
import type { QuoteInputs } from '../../src/quote/quote-inputs.ts';
import { aPriceBook } from '../cost/a-price-book.ts';
import { aModel, aQuote } from './a-quote.ts';

const codes = (over: Partial<QuoteInputs>) => quoteOf(aQuote(over)).warnings.map(({ code }) => code);
const dollars = (amount: string) => parseAmount(amount) as bigint;
const overage = aPriceBook({ spendCounts: 'overage' });

const worlds = fc.record({
  liveEventsPerSecond: fc.integer({ min: 0, max: 20_000 }),
  replayAmplification: fc.constantFrom(1, 3, 50),
  ceilingEventsPerSecond: fc.integer({ min: 10, max: 80_000 }),
  priceBook: fc
    .record({
      cores: fc.double({ min: 0, max: 3, noNaN: true }),
      storeOperationsPerSecond: fc.integer({ min: 0, max: 30_000 }),
      streamBytes: fc.integer({ min: 0, max: 3_000_000 }),
    })
    .map((provisioned) => aPriceBook({ provisioned, spendCounts: 'overage' })),
});

describe('the quote', () => {
  test('is what the contract says', () => {
    const quote = { id: 'qt_1', ...quoteOf(aQuote()) };
    expect([...Value.Errors(Quote, quote)]).toEqual([]);
    expect(quote).toMatchObject({
      events: { low: 1e6, likely: 1e6, high: 1e6 },
      bytes: 16_000_000,
      subwindows: 744,
      warnings: [],
      goal: null,
      expiresAt: '2026-01-01T00:15:00.000Z',
    });
    // A hundred seconds at the rate and the proof, of runs that took a twentieth longer than was modelled.
    expect(quote.durationSeconds?.likely).toBeGreaterThan(105);
    expect(quote.durationSeconds?.likely).toBeLessThan(125);
    expect(quote.cost?.likely.currency).toBe('USD');
    expect(quote.frontier.length).toBeGreaterThanOrEqual(24);
  });

  test('parts of the items are the whole, and the range holds what is likely', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const { cost } = quoteOf(aQuote(world));
        if (cost === null) return;
        const sum = cost.items.reduce(
          (atoms, { total }) => atoms + (total === null ? 0n : atomsOf(total)),
          0n,
        );
        expect(sum).toBe(atomsOf(cost.likely));
        expect(atomsOf(cost.low)).toBeLessThanOrEqual(sum);
        expect(atomsOf(cost.high)).toBeGreaterThanOrEqual(sum);
      }),
    );
  });

  test('frontier: by rising rate never later, never a lower peak, never less overage', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const { frontier } = quoteOf(aQuote(world));
        for (const [index, faster] of frontier.entries()) {
          const slower = frontier[index - 1];
          if (slower === undefined) continue;
          expect(faster.durationSeconds).toBeLessThanOrEqual(slower.durationSeconds * (1 + 1e-9));
          expect(faster.peakStreamLength).toBeGreaterThanOrEqual(slower.peakStreamLength * (1 - 1e-9));
          expect(faster.peakStreamBytes).toBeGreaterThanOrEqual(slower.peakStreamBytes * (1 - 1e-9));
          expect(atomsOf(faster.peakSpendPerHour)).toBeGreaterThanOrEqual(atomsOf(slower.peakSpendPerHour));
          expect(atomsOf(faster.overage)).toBeGreaterThanOrEqual(atomsOf(slower.overage));
          expect(atomsOf(faster.cost)).toBeGreaterThanOrEqual(atomsOf(slower.cost));
        }
      }),
    );
  });

  test('the same total at every rate that the store keeps up with; a lower one, a lower peak', () => {
    const kept = quoteOf(aQuote()).frontier.filter(({ eventsPerSecond }) => eventsPerSecond < 30_000);
    expect(kept.length).toBeGreaterThan(10);
    expect(new Set(kept.map(({ cost }) => cost.amount)).size).toBe(1);
    expect(atomsOf(kept[0]!.peakSpendPerHour)).toBeLessThan(atomsOf(kept.at(-1)!.peakSpendPerHour) / 20n);
    // What live leaves of 5,000 operations/s and of a core absorbs all of a slow one, and not all of a fast one.
    expect(Number(kept[0]!.overage.amount)).toBeLessThan(Number(kept.at(-1)!.overage.amount));
  });

  test('peak spend is that of the proof where it is dearer than the replay: ten times its rate, a row of the store for each event', () => {
    const book = aPriceBook();
    const free = Object.fromEntries(
      Object.keys(book.prices).map((name) => [name, '0']),
    ) as typeof book.prices;
    const run = {
      events: 1_000_000,
      usage: { rowsAttempted: 1_000_000n, storeReads: 1_000_000n },
      seconds: 100,
      modelled: { seconds: 100, streamByteMs: 1 },
      longestPauseMs: null,
    };
    const peakOf = (prices: Partial<typeof free>) =>
      quoteOf(
        aQuote({
          coefficients: learn([run]),
          limits: { ...aQuote().limits, eventsPerSecond: 1_000 },
          priceBook: aPriceBook({
            prices: { ...free, ...prices },
            provisioned: { cores: 0, storeOperationsPerSecond: 0, streamBytes: 0 },
          }),
        }),
      ).peak?.spendPerHour.amount;
    expect(peakOf({ storeReadsPerMillion: '1' })).toBe('36.00');
    expect(peakOf({ storeWritesPerMillion: '1' })).toBe('3.60');
    expect(peakOf({ storeReadsPerMillion: '1', storeWritesPerMillion: '20' })).toBe('72.00');
  });

  // A million rows in a hundred seconds. Of 5,000 a second half are absorbed, and of the other half what the rest of its first and last minute hold.
  test.each([
    [0, '0.35'],
    [1_000, '0.456'],
    [6_000, '1.00'],
  ])(
    'live takes of what is provisioned first: at %i of 5,000 operations/s, 10,000/s pay for %s of 1.00',
    (live, paid) => {
      const { cost } = quoteOf(aQuote({ liveUse: { ...aQuote().liveUse, storeOperationsPerSecond: live } }));
      expect(cost?.items.find(({ item }) => item === 'store_writes')?.overage?.amount).toBe(paid);
    },
  );

  test('what is overage is what the meter says of such runs, wherever in a minute they begin, on the mean', () => {
    const paid = { cores: 0, storeOperationsPerSecond: 5_000, streamBytes: 0 };
    const live = 1_000;
    // Rows alone, evenly over the time of the run, as many runs as begin at every second of a minute.
    const metered = (rows: number, seconds: number) => {
      let beyond = 0;
      for (let second = 0; second < 60; second++) {
        const [startedAtMs, atMs] = [1_000 * second, Math.round(1_000 * (second + seconds))];
        const until = Math.ceil(atMs / 60_000) * 60_000;
        const tick = (series: string, account: string, from: number, to: number, attempted: number) => ({
          ...{ series, sequence: 1, startedAtMs: from, atMs: to, shared: {} },
          own: { [account]: { rowsAttempted: BigInt(attempted) } },
        });
        const state = [
          tick('live', LIVE, 0, until, (live * until) / 1_000),
          tick('run', 'bf', startedAtMs, atMs, rows),
        ].reduce(observe, emptyMeter);
        const { total, absorbed } = meteredOf(
          settle(state, paid, until + 60_000),
          'bf',
          paid,
          until + 60_000,
        );
        beyond += Number((total.rowsAttempted ?? 0n) - (absorbed.rowsAttempted ?? 0n));
      }
      return beyond / 60;
    };
    for (const eventsPerSecond of [2_000, 5_000, 10_000, 30_000])
      for (const events of [20_000, 200_000, 1_000_000, 10_000_000]) {
        const { cost } = quoteOf(
          aQuote({
            lanes: [
              { sourceId: 'east', basis: 'counted', events: { low: events, likely: events, high: events } },
            ],
            limits: { eventsPerSecond, share: null, concurrency: 2, budget: null },
            priceBook: { ...aPriceBook(), provisioned: paid },
            liveUse: { cores: 0, storeOperationsPerSecond: live, streamBytes: 0 },
          }),
        );
        const writes = cost?.items.find(({ item }) => item === 'store_writes');
        const quoted = (Number(writes?.overage?.amount) / Number(writes?.total?.amount)) * events;
        const seen = metered(events, events / eventsPerSecond);
        expect(Math.abs(quoted - seen), `${events} at ${eventsPerSecond}/s`).toBeLessThan(0.01 * events);
      }
  });

  test.each([
    [{ eventsPerSecond: 10_000, share: 0.1 }, 4_000],
    [{ eventsPerSecond: 3_000, share: 0.1 }, 3_000],
    [{ eventsPerSecond: 10_000, share: null }, 10_000],
    [{ eventsPerSecond: null, share: 0.05 }, 2_000],
    [{ eventsPerSecond: null, share: null }, 8_000],
  ])('rate and share hold both, as in the governor: %o is %i events/s', (limits, rate) => {
    const { peak } = quoteOf(aQuote({ limits: { ...aQuote().limits, ...limits } }));
    expect(peak?.eventsPerSecond).toBe(rate);
  });

  test('a quote of 1,563,840 subwindows takes no longer than one of few', () => {
    const times = Array.from({ length: 200 }, () => {
      const before = performance.now();
      quoteOf(
        aQuote({
          subwindows: 1_563_840,
          goal: { kind: 'max_cost', spend: dollars('0.5') },
          priceBook: overage,
        }),
      );
      return performance.now() - before;
    }).toSorted((a, b) => a - b);
    expect(times[197]).toBeLessThan(100);
  });
});

describe('goals', () => {
  const seconds = fc.integer({ min: 1, max: 100_000 });

  test('finishBy: met, and by no lower rate; or the fastest there is', () => {
    fc.assert(
      fc.property(worlds, seconds, (world, withinSeconds) => {
        const inputs = aQuote({ ...world, goal: { kind: 'finish_by', withinSeconds } });
        const { goal, durationSeconds, limits } = quoteOf(inputs);
        if (goal === null) return;
        const at = (eventsPerSecond: number) =>
          quoteOf({ ...inputs, goal: null, limits: { ...inputs.limits, eventsPerSecond } }).durationSeconds
            ?.likely ?? Infinity;
        expect(limits).toMatchObject({ eventsPerSecond: goal.eventsPerSecond, share: null });
        if (goal.met) {
          expect(durationSeconds?.likely).toBeLessThanOrEqual(withinSeconds);
          if (goal.eventsPerSecond > 1) expect(at(goal.eventsPerSecond - 1)).toBeGreaterThan(withinSeconds);
        } else {
          expect(goal.detail).toMatch(/^Impossible/);
          expect(at(Math.floor(Math.min(80_000, world.ceilingEventsPerSecond)))).toBeGreaterThan(
            withinSeconds,
          );
        }
      }),
      { numRuns: 60 },
    );
  });

  test('maxCost: met, and by no higher rate; or the cheapest there is', () => {
    fc.assert(
      fc.property(worlds, fc.bigInt({ min: 1n, max: 3_000_000_000_000n }), (world, spend) => {
        const inputs = aQuote({ ...world, goal: { kind: 'max_cost', spend } });
        const { goal } = quoteOf(inputs);
        if (goal === null) return;
        const highest = Math.floor(Math.min(80_000, world.ceilingEventsPerSecond));
        const at = (eventsPerSecond: number) => {
          const one = quoteOf({ ...inputs, goal: null, limits: { ...inputs.limits, eventsPerSecond } });
          return atomsOf(one.frontier.find((point) => point.eventsPerSecond === eventsPerSecond)!.spend);
        };
        expect(at(goal.eventsPerSecond)).toBe(atomsOf(goal.cost!));
        if (goal.met) {
          expect(atomsOf(goal.cost!)).toBeLessThanOrEqual(spend);
          if (goal.eventsPerSecond < highest) expect(at(goal.eventsPerSecond + 1)).toBeGreaterThan(spend);
        } else {
          expect(at(1)).toBeGreaterThan(spend);
          expect(atomsOf(goal.cost!)).toBe(at(1));
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('CPU that goes with time', () => {
  /** 15 µs an event and a quarter of a core; CPU is what is paid for. */
  const run = (eventsPerSecond: number) => {
    const seconds = 1e6 / eventsPerSecond;
    return {
      events: 1e6,
      usage: { cpuMs: BigInt(Math.round(15_000 + 250 * seconds)), rowsAttempted: 1_000_000n },
      seconds,
      modelled: { seconds, streamByteMs: 1 },
      longestPauseMs: null,
    };
  };
  const coefficients = learn([run(2_000), run(5_000), run(20_000)]);
  const { prices, ...book } = aPriceBook({ spendCounts: 'everything' });
  const dear = { ...book, prices: { ...prices, computePerCoreHour: '100' } };
  const compute = (rate: number) => {
    const limits = { ...aQuote().limits, eventsPerSecond: rate };
    const { cost, durationSeconds } = quoteOf(aQuote({ coefficients, limits }));
    return {
      quoted: Number(cost?.items.find(({ item }) => item === 'compute')?.quantity),
      used: 15_000 + 250 * (durationSeconds?.likely ?? Number.NaN),
    };
  };

  test('is quoted for the time that the run takes', () => {
    for (const rate of [1_000, 10_000, 30_000])
      expect(compute(rate).quoted / compute(rate).used).toBeCloseTo(1, 2);
    expect(compute(1_000).quoted).toBeGreaterThan(5 * compute(10_000).quoted);
  });

  test('at 0 events/s none is spent, however long that is', () => {
    const quote = quoteOf(aQuote({ coefficients, limits: { ...aQuote().limits, eventsPerSecond: 0 } }));
    expect(quote.peak?.spendPerHour.amount).toBe('0.00');
  });

  test('maxCost is the fastest rate within it also where the slowest is not the cheapest; or the cheapest there is', () => {
    fc.assert(
      fc.property(worlds, fc.integer({ min: 1, max: 60 }), (world, tenths) => {
        const spend = dollars((tenths / 10).toFixed(1));
        const priceBook = { ...dear, provisioned: world.priceBook.provisioned };
        const inputs = aQuote({ ...world, priceBook, coefficients, goal: { kind: 'max_cost', spend } });
        const quote = quoteOf(inputs);
        const { goal } = quote;
        if (goal === null || goal.cost === null) return;
        const at = (eventsPerSecond: number) => {
          const one = quoteOf({ ...inputs, goal: null, limits: { ...inputs.limits, eventsPerSecond } });
          return atomsOf(one.frontier.find((point) => point.eventsPerSecond === eventsPerSecond)!.spend);
        };
        expect(atomsOf(goal.cost)).toBe(at(goal.eventsPerSecond));
        expect(goal.met).toBe(atomsOf(goal.cost) <= spend);
        if (!goal.met)
          for (const point of quote.frontier)
            expect(atomsOf(point.spend)).toBeGreaterThanOrEqual(atomsOf(goal.cost));
        else
          for (const { eventsPerSecond, spend: other } of quote.frontier)
            if (eventsPerSecond > goal.eventsPerSecond + 1) expect(atomsOf(other)).toBeGreaterThan(spend);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a rate at which it never ends', () => {
  const standing = quoteOf(aQuote({ limits: { ...aQuote().limits, eventsPerSecond: 0 } }));
  // All of the store is live's, and on a shared stream there is no floor for replay.
  const stuck = aQuote({
    model: { ...aModel, route: 'shared' },
    liveEventsPerSecond: aModel.storeRowsPerSecond,
    ceilingEventsPerSecond: 2_000,
  });

  test('at 0 events/s nothing is spent, and there is no end to have a cost', () => {
    expect(standing).toMatchObject({
      durationSeconds: null,
      cost: null,
      peak: { eventsPerSecond: 0, spendPerHour: { amount: '0.00' } },
    });
    expect(standing.warnings).toContainEqual({
      code: 'never_ends',
      detail: 'At 0 events/s nothing is replayed and nothing is spent: it never ends.',
    });
    // What another rate would come to is still to be seen.
    expect(standing.frontier.length).toBeGreaterThan(20);
  });

  test('of one that publishes and does not get to its end nobody can say what it costs', () => {
    const quote = quoteOf(stuck);
    expect(quote).toMatchObject({ durationSeconds: null, cost: null });
    expect(quote.warnings.map(({ code }) => code)).toContain('never_ends');
  });

  test('an estimate of it has none, and says why', () => {
    const made = { quoteId: null, madeAt: '2026-01-01T00:00:00.000Z', late: false };
    const estimate = estimateOf(reckon(aQuote({ limits: { ...aQuote().limits, share: 0 } })), made);
    expect(estimate).toMatchObject({ cost: null, modelled: null });
    expect(estimate.missing).toContain('it never ends');
  });

  test.each([
    [{ kind: 'max_cost', spend: dollars('100') } as const],
    [{ kind: 'finish_by', withinSeconds: 1e6 } as const],
  ])('no goal is met by it: %o', (goal) => {
    const quote = quoteOf({ ...stuck, goal });
    expect(quote.goal).toMatchObject({ met: false, cost: null });
    expect(quote.goal?.detail).toMatch(/^Impossible: /);
  });
});

describe('a rate that is next to nothing', () => {
  test.each([0, 5e-324, 1e-305, 1e-300, 1e-9])(
    '%d events/s never end; at no rate is there an error',
    (rate) => {
      const quote = quoteOf(aQuote({ limits: { ...aQuote().limits, eventsPerSecond: rate } }));
      expect([...Value.Errors(Quote, { id: 'qt_1', ...quote })]).toEqual([]);
      expect(quote).toMatchObject({ durationSeconds: null, peak: { streamLength: 0 }, stream: null });
      expect(quote.frontier.every(({ durationSeconds }) => durationSeconds < 1e10)).toBe(true);
    },
  );

  test('one that ends has its time, however late', () => {
    const { durationSeconds } = quoteOf(aQuote({ limits: { ...aQuote().limits, eventsPerSecond: 0.001 } }));
    expect(durationSeconds?.likely).toBeGreaterThan(1e9);
  });
});

describe('what a quote does not know, it says', () => {
  test('of a source that has failed what failed, of another that nobody has looked at it', () => {
    const unknown = { basis: 'unknown', events: null } as const;
    const lanes = [
      { sourceId: 'east', ...unknown, failure: 'wrong password' },
      { sourceId: 'west', ...unknown },
    ];
    expect(quoteOf(aQuote({ lanes })).warnings).toContainEqual({
      code: 'events_unknown',
      detail: 'east has failed (wrong password). Nobody has looked at west yet: nothing can be reckoned.',
    });
  });

  test('of one that has failed since it was counted, that a backfill would fail', () => {
    const events = { low: 10, likely: 10, high: 10 };
    const lanes = [{ sourceId: 'east', basis: 'counted', events, failure: 'wrong password' }] as const;
    expect(quoteOf(aQuote({ lanes })).warnings).toContainEqual({
      code: 'source_failed',
      detail: 'east has failed (wrong password): so would a backfill of it.',
    });
  });

  const lane = {
    sourceId: 'east',
    basis: 'estimated',
    events: { low: 5e5, likely: 1e6, high: 2e6 },
  } as const;

  test.each<[string, Partial<QuoteInputs>]>([
    ['no_statistics', { lanes: [lane] }],
    ['events_unknown', { lanes: [{ sourceId: 'east', basis: 'unknown', events: null }] }],
    ['capacity_unknown', { capacityEventsPerSecond: null, model: null, ceilingEventsPerSecond: null }],
    ['coefficients_assumed', { coefficients: learn([]) }],
    ['rate_above_fastest', { limits: { ...aQuote().limits, eventsPerSecond: 60_001 } }],
    [
      'rate_above_fastest',
      { limits: { ...aQuote().limits, eventsPerSecond: null, share: 1 }, ceilingEventsPerSecond: 9_000 },
    ],
    ['rate_above_safe', { safeRate: { eventsPerSecond: 100, why: '' } }],
    ['stream_fills', { limits: { ...aQuote().limits, eventsPerSecond: 60_000 } }],
    ['stream_over_retention', { retention: { ms: null, entries: 10, bytes: null } }],
    ['goal_impossible', { goal: { kind: 'finish_by', withinSeconds: 1 } }],
    ['goal_tight', { goal: { kind: 'finish_by', withinSeconds: 200 } }],
    ['budget_too_small', { limits: { ...aQuote().limits, budget: { amount: '0.01', currency: 'USD' } } }],
    ['example_prices', { priceBook: aPriceBook({ exampleOf: '2026-11-01' }) }],
  ])('%s', (code, over) => {
    expect(codes(over)).toContain(code);
  });

  test.each([
    [false, 'Once started it waits for a worker: no replay worker has reported in the last seconds.'],
    [
      true,
      'Once started it waits for a worker: it asks for isolated workers, and no replay worker tagged isolated has reported in the last seconds.',
    ],
  ])(
    'nobody is there who could read for it, isolated %s: that it would wait, and for whom',
    (isolated, detail) => {
      const { warnings } = quoteOf(aQuote({ replayWorkers: 0, isolated }));
      expect(warnings).toEqual([{ code: 'no_worker', detail }]);
      expect(codes({ replayWorkers: 1, isolated })).toEqual([]);
    },
  );

  test('a rate that is had is not said to be too much, and a goal asks for none', () => {
    expect(codes({ limits: { ...aQuote().limits, eventsPerSecond: 60_000 } })).not.toContain(
      'rate_above_fastest',
    );
    const goal = { kind: 'finish_by', withinSeconds: 1_000 } as const;
    expect(
      codes({ limits: { ...aQuote().limits, eventsPerSecond: null }, goal, ceilingEventsPerSecond: 2_000 }),
    ).not.toContain('rate_above_fastest');
    const { warnings } = quoteOf(aQuote({ limits: { ...aQuote().limits, eventsPerSecond: 99_999 } }));
    expect(warnings.find(({ code }) => code === 'rate_above_fastest')?.detail).toMatch(
      /^99999 events\/s is more than the 60000 /,
    );
  });

  test('where there may be an event one is likely, so that its range has a width', () => {
    const lanes = [{ sourceId: 'east', basis: 'counted', events: { low: 0, likely: 0, high: 40 } }] as const;
    const { events, cost } = quoteOf(aQuote({ lanes }));
    expect(events).toEqual({ low: 0, likely: 1, high: 40 });
    expect(atomsOf(cost?.high ?? { amount: '0' })).toBeGreaterThan(
      30n * atomsOf(cost?.likely ?? { amount: '1' }),
    );
    const nothing = [{ ...lanes[0], events: { low: 0, likely: 0, high: 0 } }];
    expect(quoteOf(aQuote({ lanes: nothing })).events).toEqual({ low: 0, likely: 0, high: 0 });
  });

  test('a budget is too small where its pause comes before the end, which is before the budget does', () => {
    const budget = (amount: string) => ({
      limits: { ...aQuote().limits, budget: { amount, currency: 'USD' } },
    });
    // Likely 1.108 USD; 97 % of 1.14 are 1.106, of 1.15 they are 1.116.
    expect(codes(budget('1.14'))).toContain('budget_too_small');
    expect(codes(budget('1.15'))).not.toContain('budget_too_small');
  });

  test('what a broker is to keep is sized for the whole peak, also what is applied and not yet trimmed', () => {
    const { stream, peak } = quoteOf(aQuote());
    expect(stream?.trim.keepEntries).toBeGreaterThanOrEqual(2 * (peak?.streamLength ?? Number.NaN) - 2);
    expect(stream?.trim.keepBytes).toBeGreaterThanOrEqual(2 * (peak?.streamBytes ?? Number.NaN) - 2);
  });

  test('bytes are those of the scan that is priced', () => {
    const run = (events: number, sourceBytes: bigint) => ({
      events,
      usage: { sourceBytes },
      seconds: 10,
      modelled: { seconds: 10, streamByteMs: 1 },
      longestPauseMs: null,
    });
    const quote = quoteOf(
      aQuote({ coefficients: learn([run(1_000, 1_000_000n), run(100_000, 1_600_000n)]) }),
    );
    const scan = quote.cost?.items.find(({ item }) => item === 'source_scan');
    expect(String(quote.bytes)).toBe(scan?.quantity);
  });

  test.each<[Partial<QuoteInputs>, string]>([
    [{ goal: { kind: 'finish_by', withinSeconds: 3.9 } }, 'it takes 39 s, and there are 3 s.'],
    [{ goal: { kind: 'max_cost', spend: 1n } }, 'the least it can cost is 1.11 USD, up to'],
    [
      { limits: { ...aQuote().limits, budget: { amount: '0.012345678912', currency: 'USD' } } },
      'pauses it before it is done: 0.0123 USD of a likely 1.11 USD.',
    ],
    [
      { goal: { kind: 'finish_by', withinSeconds: 200 } },
      'at the upper end of the range it takes 4 min 2 s, which is later.',
    ],
    [
      { retention: { ms: null, entries: 10, bytes: null } },
      'At its peak 441 entries of the 10 entries that retention keeps.',
    ],
    [{ retention: { ms: 40, entries: null, bytes: null } }, 'At its peak 45 ms of the 40 ms'],
  ])('figures in sentences are for people: %#', (over, sentence) => {
    const { warnings } = quoteOf(aQuote(over));
    expect(warnings.map(({ detail }) => detail).join(' ')).toContain(sentence);
  });

  test('a source without statistics has a wider range, of events, time and cost', () => {
    const counted = quoteOf(aQuote());
    const estimated = quoteOf(aQuote({ lanes: [lane] }));
    expect(estimated.cost?.likely).toEqual(counted.cost?.likely);
    expect(atomsOf(estimated.cost!.high)).toBeGreaterThan((atomsOf(counted.cost!.high) * 19n) / 10n);
    expect(atomsOf(estimated.cost!.low)).toBeLessThan((atomsOf(counted.cost!.low) * 11n) / 20n);
    expect(estimated.durationSeconds!.high / counted.durationSeconds!.high).toBeCloseTo(2, 2);
  });

  test('however little is known, no run is faster than at its rate: a million events at 10,000/s take 100 s', () => {
    const assumed = quoteOf(aQuote({ coefficients: learn([]) })).durationSeconds!;
    expect(assumed.low).toBe(100);
    expect(assumed.high / assumed.likely).toBeCloseTo(4, 2);
  });

  test('unknown is null, never zero', () => {
    const unknown = quoteOf(aQuote({ lanes: [{ sourceId: 'east', basis: 'unknown', events: null }] }));
    expect(unknown).toMatchObject({
      events: null,
      bytes: null,
      durationSeconds: null,
      cost: null,
      peak: null,
      frontier: [],
    });
    expect(quoteOf(aQuote({ priceBook: null })).cost).toBeNull();
    const goal: QuoteInputs['goal'] = { kind: 'finish_by', withinSeconds: 600 };
    expect(quoteOf(aQuote({ priceBook: null, goal })).goal).toMatchObject({ met: true, cost: null });
    expect(quoteOf(aQuote({ priceBook: null })).durationSeconds).not.toBeNull();
  });

  test('an estimate without runs is four times either way', () => {
    const cost = quoteOf(aQuote({ coefficients: learn([]) })).cost!;
    expect(Number(cost.high.amount) / Number(cost.likely.amount)).toBeCloseTo(4, 6);
  });
});
