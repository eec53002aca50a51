import { describe, expect, test } from 'vitest';
import { ceilingReasons } from '../../src/api/backfill.ts';
import { type DecideInputs, decide, UNKNOWN_CAPACITY_EVENTS_PER_SECOND } from '../../src/governor/decide.ts';

const running: DecideInputs = {
  state: 'running',
  holds: [],
  replayPaused: false,
  slotsHeld: 1,
  limits: { eventsPerSecond: null, share: null },
  pipeline: { capacityEventsPerSecond: 10_000, replayShare: 0.5 },
  replayWorkers: 1,
};

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
    ['no slot', { slotsHeld: 0 }, 0, 'hold'],
    ['no worker', { replayWorkers: 0 }, 0, 'no_worker'],
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
  ] as const)('%s', (_name, inputs, eventsPerSecond, binding) => {
    expect(decide({ ...running, ...inputs })).toMatchObject({ eventsPerSecond, binding });
  });

  test('always carries every ceiling, each once, with a reason in words', () => {
    const { ceilings } = decide({ ...running, holds: ['operator'] });
    const reasons = ceilings.map((ceiling) => ceiling.reason);
    expect(new Set(reasons).size).toBe(reasons.length);
    expect(reasons).toEqual(
      expect.arrayContaining(['operator', 'share', 'hold', 'capacity_unknown', 'no_worker']),
    );
    for (const ceiling of ceilings) {
      expect(ceilingReasons).toContain(ceiling.reason);
      expect(ceiling.detail).not.toBe('');
    }
    expect(ceilings.find((ceiling) => ceiling.reason === 'share')?.eventsPerSecond).toBe(5_000);
  });
});
