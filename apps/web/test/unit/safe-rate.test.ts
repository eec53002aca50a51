import type { Backfill, Limits } from '@spillway/shared/api/backfill';
import type { GovernorView } from '@spillway/shared/api/governor';
import type { Pipeline } from '@spillway/shared/api/pipeline';
import { describe, expect, it } from 'vitest';
import {
  askedRate,
  consequencesOfRaising,
  raisesAboveSafe,
  rateOfOthers,
  throttleSteps,
} from '../../src/features/backfill/model/safe-rate.ts';

const pipeline = {
  capacity: { eventsPerSecond: 40_000 },
  replayShare: 0.5,
  highWaterMark: 20_000,
} as Pipeline;
const unmeasured = { ...pipeline, capacity: { eventsPerSecond: null } } as Pipeline;

function limits(eventsPerSecond: number | null, share: number | null = null): Limits {
  return { eventsPerSecond, share, concurrency: 1, budget: null };
}

function backfill(id: string, of: Limits, change: Partial<Backfill> = {}): Backfill {
  return { id, state: 'running', limits: of, allowedActions: ['throttle', 'pause'], ...change } as Backfill;
}

describe('what limits ask for', () => {
  it.each([
    ['a rate stands for itself', limits(900), pipeline, 900],
    ['a share of capacity', limits(null, 0.1), pipeline, 4_000],
    ['neither: the pipeline’s share', limits(null), pipeline, 20_000],
    ['both: the lower', limits(900, 0.1), pipeline, 900],
    ['a share of what nobody knows', limits(null, 0.1), unmeasured, null],
    ['a rate beside a share of what nobody knows', limits(900, 0.1), unmeasured, 900],
  ] as const)('%s', (_name, of, on, expected) => {
    expect(askedRate(of, on)).toBe(expected);
  });
});

describe('throttling to the safe rate', () => {
  it('gives each running backfill an equal part, and touches only those above it', () => {
    const steps = throttleSteps(
      [
        backfill('bf_1', limits(9_000)),
        backfill('bf_2', limits(1_500)),
        backfill('bf_3', limits(null)),
        backfill('bf_4', limits(9_000), { state: 'paused' }),
      ],
      pipeline,
      6_001,
    );
    expect(steps.map((step) => [step.backfill.id, step.askedEventsPerSecond, step.eventsPerSecond])).toEqual([
      ['bf_1', 9_000, 2_000],
      ['bf_3', 20_000, 2_000],
    ]);
  });

  it('is not offered while nothing above zero is safe, nor while the safe rate is unknown', () => {
    for (const safe of [0, 0.4, null])
      expect(throttleSteps([backfill('bf_1', limits(9_000))], pipeline, safe)).toEqual([]);
  });

  it('leaves alone what the caller may not throttle', () => {
    const theirs = backfill('bf_1', limits(9_000), { allowedActions: [] });
    expect(throttleSteps([theirs], pipeline, 100)).toEqual([]);
  });
});

describe('raising above the safe rate', () => {
  const governor: GovernorView = {
    at: '',
    hardStop: null,
    ceilings: [],
    floorEventsPerSecond: 0,
    adaptivePhase: 'off',
    storm: false,
    signals: [],
    safeRate: { eventsPerSecond: 5_000, why: 'live needs the rest' },
  };

  it.each([
    ['a raise within it', limits(100), limits(4_000), pipeline, 5_000, false],
    ['a raise above it', limits(100), limits(5_001), pipeline, 5_000, true],
    ['a cut that is still above it', limits(9_000), limits(8_000), pipeline, 5_000, false],
    ['a share that comes to more', limits(100), limits(null, 0.5), pipeline, 5_000, true],
    ['any raise where the safe rate is unknown', limits(100), limits(101), pipeline, null, true],
    ['a share of an unknown capacity', limits(100), limits(null, 0.1), unmeasured, 5_000, true],
    [
      'a share that stays one of an unknown capacity',
      limits(null),
      limits(null, 0.1),
      unmeasured,
      null,
      false,
    ],
  ] as const)('%s', (_name, before, after, on, safe, expected) => {
    expect(raisesAboveSafe(before, after, on, safe, 0)).toBe(expected);
  });

  it('counts what the other running backfills of the pipeline are given', () => {
    const at = (eventsPerSecond: number) => ({ effective: { eventsPerSecond, binding: null, ceilings: [] } });
    const own = backfill('bf_1', limits(100), { pipelineId: 'flights', ...at(100) });
    const all = [
      own,
      backfill('bf_2', limits(9_000), { pipelineId: 'flights', ...at(3_000) }),
      backfill('bf_3', limits(9_000), { pipelineId: 'flights', ...at(1_000), state: 'paused' }),
      backfill('bf_4', limits(9_000), { pipelineId: 'other', ...at(1_000) }),
    ];
    const others = rateOfOthers(own, all);
    expect(others).toBe(3_000);
    expect(raisesAboveSafe(limits(100), limits(2_000), pipeline, 5_000, others)).toBe(false);
    expect(raisesAboveSafe(limits(100), limits(2_001), pipeline, 5_000, others)).toBe(true);
    const said = consequencesOfRaising(2_001, governor, pipeline, others);
    expect(said[0]).toContain('You ask for 2,001 events/s, and other backfills have 3,000 events/s of it.');
  });

  it('asks about every raise while the others are not known, and says so', () => {
    const others = rateOfOthers({ id: 'bf_1', pipelineId: 'flights' }, undefined);
    expect(raisesAboveSafe(limits(100), limits(101), pipeline, 5_000, others)).toBe(true);
    expect(raisesAboveSafe(limits(100), limits(99), pipeline, 5_000, others)).toBe(false);
    expect(consequencesOfRaising(101, governor, pipeline, others)[0]).toContain(
      'You ask for 101 events/s; what other backfills have of it is unknown.',
    );
  });

  it('says what it does, and what is not known', () => {
    expect(consequencesOfRaising(9_000, null, pipeline, 0)[0]).toBe('The safe rate is unknown.');
    const said = consequencesOfRaising(9_000, governor, pipeline, 0);
    expect(said[0]).toContain('5,000 events/s: live needs the rest. You ask for 9,000 events/s');
    expect(said.join(' ')).toContain('no target');
    expect(said.join(' ')).toContain('20,000 entries');
  });
});
