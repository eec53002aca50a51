import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ceilingReasons, type Effective } from '../../src/api/backfill.ts';
import { UNKNOWN_CAPACITY_EVENTS_PER_SECOND } from '../../src/governor/capacity.ts';
import { type DecideInputs, decide } from '../../src/governor/decide.ts';
import { aGuard, ceiling } from './a-guard.ts';

const running: DecideInputs = {
  state: 'running',
  holds: [],
  replayPaused: false,
  staggered: false,
  slotWait: null,
  limits: { eventsPerSecond: null, share: null },
  pipeline: { capacityEventsPerSecond: 10_000, replayShare: 0.5 },
  replayWorkers: 1,
  isolated: false,
  guard: aGuard(),
};

const rate = fc.double({ min: 0, max: 20_000, noNaN: true });
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null });
const anything: fc.Arbitrary<DecideInputs> = fc.record({
  state: fc.constantFrom('running', 'pausing', 'cancelling', 'paused', 'queued'),
  holds: fc.array(fc.constantFrom('operator', 'budget'), { maxLength: 2 }),
  replayPaused: fc.boolean(),
  staggered: fc.boolean(),
  slotWait: fc.option(fc.constant('waits for a source slot of the pipeline')),
  retryWait: fc.boolean(),
  limits: fc.record({
    eventsPerSecond: maybe(rate),
    share: maybe(fc.double({ min: 0, max: 1, noNaN: true })),
  }),
  pipeline: fc.record({
    capacityEventsPerSecond: maybe(rate),
    replayShare: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  replayWorkers: fc.integer({ min: 0, max: 2 }),
  isolated: fc.boolean(),
  guard: fc
    .record({
      hardStop: maybe(fc.constant('the store is silent')),
      floorEventsPerSecond: rate,
      liveFirst: maybe(rate).map((value) => ceiling('live_first', value)),
      adaptive: maybe(rate).map((value) => ceiling('adaptive', value)),
      storm: maybe(fc.constant(0)).map((value) => ceiling('storm', value)),
      stream: maybe(rate).map((value) => ceiling('stream', value)),
    })
    .map(aGuard),
});
const limitOf = (effective: Effective, reason: Effective['ceilings'][number]['reason']): number =>
  effective.ceilings.find((one) => one.reason === reason)?.eventsPerSecond ?? Number.POSITIVE_INFINITY;

describe('decide', () => {
  test.each([
    ['the pipeline’s share by default', {}, 5_000, 'share'],
    ['its own share', { limits: { eventsPerSecond: null, share: 0.2 } }, 2_000, 'share'],
    ['an explicit rate', { limits: { eventsPerSecond: 700, share: null } }, 700, 'operator'],
    [
      'an explicit rate above the default share stands',
      { limits: { eventsPerSecond: 9_000, share: null } },
      9_000,
      'operator',
    ],
    ['the lower of both', { limits: { eventsPerSecond: 700, share: 0.01 } }, 100, 'share'],
    ['a rate of zero', { limits: { eventsPerSecond: 0, share: null } }, 0, 'operator'],
    ['a hold', { holds: ['operator'] }, 0, 'hold'],
    ['the brake', { replayPaused: true }, 0, 'hold'],
    ['stopping', { state: 'pausing' }, 0, 'hold'],
    ['no slot', { slotWait: 'waits for a source slot of the pipeline' }, 0, 'hold'],
    ['the stagger', { staggered: true }, 0, 'hold'],
    ['a failure that is waited out', { retryWait: true }, 0, 'hold'],
    ['no worker', { replayWorkers: 0 }, 0, 'no_worker'],
    ['no isolated worker', { replayWorkers: 0, isolated: true }, 0, 'no_worker'],
    [
      'a share of nobody knows what',
      { pipeline: { capacityEventsPerSecond: null, replayShare: 0.5 } },
      0,
      'capacity_unknown',
    ],
    [
      'an explicit rate while the capacity is unknown',
      {
        pipeline: { capacityEventsPerSecond: null, replayShare: 0.5 },
        limits: { eventsPerSecond: 9_000, share: null },
      },
      UNKNOWN_CAPACITY_EVENTS_PER_SECOND,
      'capacity_unknown',
    ],
    ['what live leaves', { guard: aGuard({ liveFirst: ceiling('live_first', 300) }) }, 300, 'live_first'],
    ['what the signals allow', { guard: aGuard({ adaptive: ceiling('adaptive', 300) }) }, 300, 'adaptive'],
    ['a storm', { guard: aGuard({ storm: ceiling('storm', 0) }) }, 0, 'storm'],
    [
      'what the budget pays for',
      { budget: { eventsPerSecond: 90, detail: '9 of 10 USD spent' } },
      90,
      'budget',
    ],
    [
      'a budget of which no rate can be told',
      { budget: { eventsPerSecond: null, detail: '' } },
      5_000,
      'share',
    ],
    ['a budget that is spent', { budget: { eventsPerSecond: 0, detail: '' } }, 0, 'budget'],
    ['a filling stream', { guard: aGuard({ stream: ceiling('stream', 40) }) }, 40, 'stream'],
    [
      'a silent store, floor or not',
      { guard: aGuard({ hardStop: 'silent', floorEventsPerSecond: 200 }) },
      0,
      'hard_stop',
    ],
    [
      'the floor against live-first',
      { guard: aGuard({ liveFirst: ceiling('live_first', 0), floorEventsPerSecond: 200 }) },
      200,
      'live_first',
    ],
    [
      'the floor against a storm',
      { guard: aGuard({ storm: ceiling('storm', 0), floorEventsPerSecond: 200 }) },
      200,
      'storm',
    ],
    [
      'no floor against the stream',
      { guard: aGuard({ stream: ceiling('stream', 0), floorEventsPerSecond: 200 }) },
      0,
      'stream',
    ],
    [
      'no floor against the budget',
      { budget: { eventsPerSecond: 90, detail: '' }, guard: aGuard({ floorEventsPerSecond: 200 }) },
      90,
      'budget',
    ],
    [
      'no floor against its share',
      { limits: { eventsPerSecond: null, share: 0.01 }, guard: aGuard({ floorEventsPerSecond: 200 }) },
      100,
      'share',
    ],
    [
      'no floor against the operator',
      { limits: { eventsPerSecond: 50, share: null }, guard: aGuard({ floorEventsPerSecond: 200 }) },
      50,
      'operator',
    ],
    ['of a budget and the hold for it: the budget', { holds: ['budget'] }, 0, 'budget'],
    ['of a hold and no worker: the hold', { holds: ['operator'], replayWorkers: 0 }, 0, 'hold'],
    [
      'of no worker and a silent store: the worker',
      { replayWorkers: 0, guard: aGuard({ hardStop: 'silent' }) },
      0,
      'no_worker',
    ],
    [
      'of a silent store and a rate of zero: the store',
      { limits: { eventsPerSecond: 0, share: null }, guard: aGuard({ hardStop: 'silent' }) },
      0,
      'hard_stop',
    ],
    [
      'of a storm and what live leaves: the storm',
      { guard: aGuard({ storm: ceiling('storm', 0), liveFirst: ceiling('live_first', 0) }) },
      0,
      'storm',
    ],
  ] as const)('%s', (_name, inputs, eventsPerSecond, binding) => {
    expect(decide({ ...running, ...inputs })).toMatchObject({ eventsPerSecond, binding });
  });

  test('the effective rate is never above any ceiling, and the binding one is as low', () => {
    fc.assert(
      fc.property(anything, (inputs) => {
        const effective = decide(inputs);
        const limits = effective.ceilings.map(({ eventsPerSecond }) => eventsPerSecond ?? Infinity);
        expect(effective.eventsPerSecond).toBeLessThanOrEqual(Math.min(...limits));
        if (effective.binding !== null)
          expect(limitOf(effective, effective.binding)).toBe(effective.eventsPerSecond);
      }),
    );
  });

  test('always carries every ceiling, each once, with a reason in words', () => {
    const expected = ceilingReasons.toSorted();
    fc.assert(
      fc.property(anything, (inputs) => {
        const { ceilings } = decide(inputs);
        expect(ceilings.map(({ reason }) => reason).toSorted()).toEqual(expected);
        for (const { detail } of ceilings) expect(detail).not.toBe('');
      }),
    );
  });

  test('a hard stop is zero, whatever the floor', () => {
    fc.assert(
      fc.property(anything, (inputs) => {
        const stopped = decide({ ...inputs, guard: { ...inputs.guard, hardStop: 'silent' } });
        expect(stopped.eventsPerSecond).toBe(0);
      }),
    );
  });

  test('the floor holds against what protects live, and against nothing else', () => {
    fc.assert(
      fc.property(anything, (inputs) => {
        const { guard } = inputs;
        const effective = decide(inputs);
        const above = ['operator', 'share', 'stream', 'hold', 'no_worker', 'capacity_unknown', 'hard_stop'];
        const allowed = Math.min(...above.map((reason) => limitOf(effective, reason as 'operator')));
        if (Number.isFinite(allowed))
          expect(effective.eventsPerSecond).toBeGreaterThanOrEqual(
            Math.min(allowed, guard.floorEventsPerSecond),
          );
        expect(effective.eventsPerSecond).toBeLessThanOrEqual(allowed);
      }),
    );
  });

  test('what protects live is never exceeded by more than the floor', () => {
    fc.assert(
      fc.property(anything, (inputs) => {
        const { storm, liveFirst, adaptive, floorEventsPerSecond } = inputs.guard;
        const protects = [storm, liveFirst, adaptive].map((one) => one.eventsPerSecond ?? Infinity);
        expect(decide(inputs).eventsPerSecond).toBeLessThanOrEqual(
          Math.max(floorEventsPerSecond, Math.min(...protects)),
        );
      }),
    );
  });
});
