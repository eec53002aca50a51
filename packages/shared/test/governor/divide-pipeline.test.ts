import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Effective } from '../../src/api/backfill.ts';
import { UNKNOWN_CAPACITY_EVENTS_PER_SECOND } from '../../src/governor/capacity.ts';
import { decide } from '../../src/governor/decide.ts';
import { dividePipeline } from '../../src/governor/divide-pipeline.ts';
import { aGuard, ceiling } from './a-guard.ts';

const shareOf = (eventsPerSecond: number): Effective => ({
  eventsPerSecond,
  binding: 'share',
  ceilings: [{ reason: 'share', eventsPerSecond, detail: 'its share' }],
});
const explicit = (eventsPerSecond: number): Effective => ({
  eventsPerSecond,
  binding: 'operator',
  ceilings: [],
});
const rates = (divided: ReadonlyMap<string, Effective>) =>
  Object.fromEntries([...divided].map(([id, { eventsPerSecond }]) => [id, eventsPerSecond]));

describe('a pipeline’s rate among its backfills', () => {
  test('two on the same share get that share together', () => {
    const divided = dividePipeline(10_000, [
      { backfillId: 'a', priority: 0, decision: shareOf(2_000), share: 0.2, demand: null },
      { backfillId: 'b', priority: 0, decision: shareOf(2_000), share: 0.2, demand: null },
    ]);
    expect(rates(divided)).toEqual({ a: 1_000, b: 1_000 });
    expect(divided.get('a')?.ceilings[0]).toMatchObject({
      reason: 'share',
      eventsPerSecond: 1_000,
      detail: 'its share, divided among 2 backfills',
    });
  });

  test('explicit rates come on top, all together within the capacity', () => {
    const divided = dividePipeline(10_000, [
      { backfillId: 'a', priority: 0, decision: shareOf(5_000), share: 0.5, demand: null },
      { backfillId: 'b', priority: 1, decision: explicit(8_000), share: null, demand: null },
    ]);
    expect(rates(divided)).toEqual({ a: 2_000, b: 8_000 });
  });

  test('an explicit rate above what there is is held to the capacity, and says so', () => {
    const decision = { ...explicit(50_000), ceilings: shareOf(0).ceilings };
    const divided = dividePipeline(10_000, [
      { backfillId: 'a', priority: 0, decision, share: null, demand: null },
    ]);
    expect(divided.get('a')).toMatchObject({
      eventsPerSecond: 10_000,
      ceilings: [{ detail: 'its share, held to the capacity' }],
    });
  });

  test('what one does not use, the other has', () => {
    const divided = dividePipeline(10_000, [
      { backfillId: 'a', priority: 0, decision: shareOf(100), share: 0.5, demand: null },
      { backfillId: 'b', priority: 0, decision: shareOf(5_000), share: 0.5, demand: null },
    ]);
    expect(rates(divided)).toEqual({ a: 100, b: 4_900 });
  });

  test('what the reader of one leaves lying, the other has, whatever the priority; a tenth stays to show that it is back', () => {
    const divided = (demand: number) =>
      dividePipeline(10_000, [
        { backfillId: 'slow', priority: 5, decision: shareOf(2_000), share: 0.2, demand },
        { backfillId: 'quick', priority: 0, decision: shareOf(2_000), share: 0.2, demand: null },
      ]);
    expect(rates(divided(300))).toEqual({ slow: 300, quick: 1_700 });
    expect(rates(divided(0))).toEqual({ slow: 200, quick: 1_800 });
    expect(divided(300).get('slow')?.ceilings[0]?.detail).toBe(
      'its share, divided among 2 backfills, by what they use',
    );
  });

  test('one alone has its rate, whatever it uses', () => {
    const decision = shareOf(2_000);
    const divided = dividePipeline(10_000, [
      { backfillId: 'a', priority: 0, decision, share: 0.2, demand: 5 },
    ]);
    expect(divided.get('a')).toEqual(decision);
  });

  test('an unknown capacity leaves explicit rates alone', () => {
    expect(
      rates(
        dividePipeline(null, [
          { backfillId: 'a', priority: 0, decision: explicit(500), share: null, demand: null },
        ]),
      ),
    ).toEqual({ a: 500 });
  });

  test('all explicit rates together stay within the safe rate of an unknown capacity, and say so', () => {
    const decision = decide({
      state: 'running',
      holds: [],
      replayPaused: false,
      staggered: false,
      slotWait: null,
      limits: { eventsPerSecond: 400, share: null },
      pipeline: { capacityEventsPerSecond: null, replayShare: 0.2 },
      replayWorkers: 1,
      isolated: false,
      guard: aGuard({}),
    });
    const divided = dividePipeline(
      null,
      ['a', 'b', 'c', 'd'].map((backfillId) => ({
        backfillId,
        priority: 0,
        decision,
        share: null,
        demand: null,
      })),
    );
    const safe = UNKNOWN_CAPACITY_EVENTS_PER_SECOND;
    expect(rates(divided)).toEqual({ a: safe / 4, b: safe / 4, c: safe / 4, d: safe / 4 });
    const one = divided.get('a');
    expect(one?.binding).toBe('capacity_unknown');
    expect(one?.ceilings.find(({ reason }) => reason === 'capacity_unknown')).toMatchObject({
      eventsPerSecond: safe / 4,
      detail: expect.stringContaining('divided among 4 backfills'),
    });
  });

  test('what live leaves is divided, and named', () => {
    const decision: Effective = {
      eventsPerSecond: 600,
      binding: 'live_first',
      ceilings: [ceiling('live_first', 600), ceiling('share', 5_000)],
    };
    const divided = dividePipeline(10_000, [
      { backfillId: 'a', priority: 0, decision, share: 0.5, demand: null },
      { backfillId: 'b', priority: 0, decision, share: 0.5, demand: null },
    ]);
    expect(rates(divided)).toEqual({ a: 300, b: 300 });
    expect(divided.get('a')).toMatchObject({
      binding: 'live_first',
      ceilings: [
        { eventsPerSecond: 300, detail: 'at 600, divided among 2 backfills' },
        { eventsPerSecond: 5_000 },
      ],
    });
  });

  const rate = fc.double({ min: 0, max: 20_000, noNaN: true });
  const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null });
  const pipeline = fc.record({
    capacity: fc.double({ min: 1, max: 20_000, noNaN: true }),
    replayShare: fc.double({ min: 0, max: 1, noNaN: true }),
    guard: fc
      .record({
        hardStop: fc.constantFrom(null, null, null, 'silent'),
        floorEventsPerSecond: fc.double({ min: 0, max: 1_000, noNaN: true }),
        liveFirst: maybe(rate).map((value) => ceiling('live_first', value)),
        adaptive: maybe(rate).map((value) => ceiling('adaptive', value)),
        storm: maybe(fc.constant(0)).map((value) => ceiling('storm', value)),
        stream: maybe(rate).map((value) => ceiling('stream', value)),
      })
      .map(aGuard),
    backfills: fc.array(
      fc.record({
        priority: fc.integer({ min: 0, max: 2 }),
        eventsPerSecond: maybe(rate),
        share: maybe(fc.double({ min: 0, max: 1, noNaN: true })),
        demand: maybe(rate),
      }),
      { minLength: 1, maxLength: 5 },
    ),
  });
  const divided = ({
    capacity,
    replayShare,
    guard,
    backfills,
  }: typeof pipeline extends fc.Arbitrary<infer T> ? T : never) =>
    dividePipeline(
      capacity,
      backfills.map(({ priority, demand, ...limits }, index) => ({
        backfillId: `${index}`,
        priority,
        decision: decide({
          state: 'running',
          holds: [],
          replayPaused: false,
          staggered: false,
          slotWait: null,
          limits,
          pipeline: { capacityEventsPerSecond: capacity, replayShare },
          replayWorkers: 1,
          isolated: false,
          guard,
        }),
        share: limits.share ?? (limits.eventsPerSecond === null ? replayShare : null),
        demand,
      })),
    );
  const slack = 1e-6;

  test('all together never exceed the capacity, nor what the pipeline as a whole may have', () => {
    fc.assert(
      fc.property(pipeline, (all) => {
        const { guard, capacity } = all;
        const total = [...divided(all).values()].reduce((sum, one) => sum + one.eventsPerSecond, 0);
        const limits = [guard.liveFirst, guard.adaptive, guard.storm].map(
          (one) => one.eventsPerSecond ?? Infinity,
        );
        const protecting = Math.max(guard.floorEventsPerSecond, Math.min(...limits));
        const most = Math.min(capacity, protecting, guard.stream.eventsPerSecond ?? Infinity);
        expect(total).toBeLessThanOrEqual((guard.hardStop === null ? most : 0) + slack);
      }),
    );
  });

  test('those on a share never have more than the largest share together, explicit rates or not beside them', () => {
    fc.assert(
      fc.property(pipeline, (all) => {
        const effective = divided(all);
        let pooled = 0;
        let pool = 0;
        for (const [index, { eventsPerSecond, share }] of all.backfills.entries()) {
          const own = effective.get(`${index}`)?.eventsPerSecond ?? 0;
          expect(own).toBeLessThanOrEqual((eventsPerSecond ?? Infinity) + slack);
          if (eventsPerSecond !== null && share === null) continue;
          pooled += own;
          pool = Math.max(pool, (share ?? all.replayShare) * all.capacity);
        }
        expect(pooled).toBeLessThanOrEqual(pool + slack);
      }),
    );
  });

  test('nothing is left over while someone on an explicit rate could still use it', () => {
    fc.assert(
      fc.property(pipeline, (all) => {
        const explicitOnly = {
          ...all,
          guard: aGuard(),
          backfills: all.backfills.map((one) => ({
            ...one,
            eventsPerSecond: one.eventsPerSecond ?? 100,
            share: null,
          })),
        };
        const total = [...divided(explicitOnly).values()].reduce((sum, one) => sum + one.eventsPerSecond, 0);
        const wanted = explicitOnly.backfills.reduce((sum, one) => sum + one.eventsPerSecond, 0);
        expect(total).toBeCloseTo(Math.min(all.capacity, wanted), 3);
      }),
    );
  });

  test('whatever is lowered says so in the ceiling that it names', () => {
    fc.assert(
      fc.property(pipeline, (all) => {
        for (const { eventsPerSecond, binding, ceilings } of divided(all).values()) {
          const named = ceilings.find(({ reason }) => reason === binding);
          expect(named?.eventsPerSecond ?? Infinity).toBeLessThanOrEqual(eventsPerSecond + slack);
          for (const one of ceilings)
            expect(one.eventsPerSecond ?? Infinity).toBeGreaterThanOrEqual(eventsPerSecond - slack);
        }
      }),
    );
  });
});
