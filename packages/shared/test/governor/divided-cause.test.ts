/**
 * Which ceiling is named for what the division took. The oracle knows nothing of the reasons: it raises one ceiling after the other
 * and looks whether the backfill becomes quicker.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Ceiling } from '../../src/api/backfill.ts';
import { decide } from '../../src/governor/decide.ts';
import { dividePipeline } from '../../src/governor/divide-pipeline.ts';
import { aGuard, ceiling } from './a-guard.ts';

interface Asked {
  readonly eventsPerSecond: number | null;
  readonly share: number | null;
  readonly priority: number;
}
interface Pipeline {
  readonly capacity: number;
  readonly replayShare: number;
  readonly ceilings: { readonly live_first: number; readonly adaptive: number; readonly stream: number };
  readonly backfills: readonly Asked[];
}

function divided({ capacity, replayShare, ceilings, backfills }: Pipeline) {
  const guard = aGuard({
    liveFirst: ceiling('live_first', ceilings.live_first),
    adaptive: ceiling('adaptive', ceilings.adaptive),
    stream: ceiling('stream', ceilings.stream),
  });
  const rates = dividePipeline(
    capacity,
    backfills.map(({ priority, eventsPerSecond, share }, index) => ({
      backfillId: `${index}`,
      priority,
      decision: decide({
        state: 'running',
        holds: [],
        replayPaused: false,
        staggered: false,
        slotWait: null,
        limits: { eventsPerSecond, share },
        pipeline: { capacityEventsPerSecond: capacity, replayShare },
        replayWorkers: 1,
        isolated: false,
        guard,
      }),
      share: share ?? (eventsPerSecond === null ? replayShare : null),
      demand: null,
    })),
  );
  return backfills.map((_, index) => {
    const effective = rates.get(`${index}`);
    if (effective === undefined) throw new Error('a backfill was left out');
    return effective;
  });
}

describe('the cause of a divided rate', () => {
  test('two explicit rates that live leaves too little for: live, for both', () => {
    const two = divided({
      capacity: 10_000,
      replayShare: 0.2,
      ceilings: { live_first: 3_924, adaptive: 9_000, stream: 20_000 },
      backfills: [
        { eventsPerSecond: 3_000, share: null, priority: 0 },
        { eventsPerSecond: 3_000, share: null, priority: 0 },
      ],
    });
    for (const one of two) {
      expect(one).toMatchObject({ eventsPerSecond: 1_962, binding: 'live_first' });
      expect(one.ceilings.find(({ reason }) => reason === 'live_first')).toEqual({
        reason: 'live_first',
        eventsPerSecond: 1_962,
        detail: 'at 3924, divided among 2 backfills',
      });
      expect(one.ceilings.find(({ reason }) => reason === 'share')?.eventsPerSecond).toBeNull();
    }
  });

  test('a lower priority that is left nothing names what ran out, and that it comes after the others', () => {
    const [high, low] = divided({
      capacity: 10_000,
      replayShare: 0.2,
      ceilings: { live_first: 5_000, adaptive: 800, stream: 20_000 },
      backfills: [
        { eventsPerSecond: 1_500, share: null, priority: 1 },
        { eventsPerSecond: 500, share: null, priority: 0 },
      ],
    });
    expect(high).toMatchObject({ eventsPerSecond: 800, binding: 'adaptive' });
    expect(low).toMatchObject({ eventsPerSecond: 0, binding: 'adaptive' });
    expect(low?.ceilings.find(({ reason }) => reason === 'adaptive')?.detail).toBe(
      'at 800, divided among 2 backfills, higher priorities first',
    );
  });

  const above = (min: number, max: number) => fc.double({ min, max, noNaN: true });
  const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null });
  const pipelines: fc.Arbitrary<Pipeline> = fc
    .record({
      capacity: above(1_000, 20_000),
      replayShare: above(0.01, 1),
      left: above(0.01, 0.98),
      adaptive: above(10, 20_000),
      stream: above(10, 20_000),
      backfills: fc.array(
        fc.record({
          priority: fc.integer({ min: 0, max: 2 }),
          eventsPerSecond: maybe(above(10, 20_000)),
          share: maybe(above(0.01, 1)),
        }),
        { minLength: 1, maxLength: 5 },
      ),
    })
    .map(({ left, adaptive, stream, backfills, capacity, replayShare }) => ({
      capacity,
      replayShare: replayShare * 1.000_23,
      // Live never leaves as much as there is.
      ceilings: {
        live_first: left * capacity,
        adaptive: adaptive * 1.000_03,
        stream: stream * 1.000_07,
      },
      // Of two that are equally low neither helps alone: no two numbers are the same.
      backfills: backfills.map(({ priority, eventsPerSecond, share }, index) => ({
        priority,
        eventsPerSecond: eventsPerSecond && eventsPerSecond * (1.000_11 + index * 0.000_13),
        share: share && share * (1.000_17 + index * 0.000_19),
      })),
    }));

  /** The pipeline with that ceiling of that backfill raised; null: it has none of that kind. */
  function raised(all: Pipeline, index: number, reason: Ceiling['reason'], by: number): Pipeline | null {
    const ofPipeline = reason as keyof Pipeline['ceilings'];
    if (all.ceilings[ofPipeline] !== undefined)
      return { ...all, ceilings: { ...all.ceilings, [ofPipeline]: all.ceilings[ofPipeline] * by } };
    const asked = all.backfills[index] as Asked;
    const share = asked.share ?? (asked.eventsPerSecond === null ? all.replayShare : null);
    const more = reason === 'share' ? { share } : { eventsPerSecond: asked.eventsPerSecond };
    const [key, value] = Object.entries(more)[0] as [string, number | null];
    return value === null
      ? null
      : { ...all, backfills: all.backfills.with(index, { ...asked, [key]: value * by }) };
  }

  const raisable = ['live_first', 'adaptive', 'stream', 'operator', 'share'] as const;
  const LITTLE = 1.01;
  const PLENTY = 10_000;
  /** Quicker by more than arithmetic is wrong. */
  const SLACK = 1e-6;

  test('raising the ceiling that is named makes it quicker, and raising no other does', () => {
    fc.assert(
      fc.property(pipelines, (all) => {
        const equals = new Set(all.backfills.map(({ priority }) => priority)).size === 1;
        for (const [index, { eventsPerSecond: before, binding }] of divided(all).entries()) {
          const gains = (reasons: readonly Ceiling['reason'][], by: number) => {
            const more = reasons.reduce((one, reason) => raised(one, index, reason, by) ?? one, all);
            return (divided(more)[index]?.eventsPerSecond ?? 0) > before + SLACK;
          };
          const others = raisable.filter((reason) => reason !== binding);
          expect(gains(others, PLENTY)).toBe(false);
          // One that comes after others has to wait until they have enough.
          const helping = raisable.filter((reason) => gains([reason], LITTLE) || gains([reason], PLENTY));
          // Where one of a higher priority takes what is raised, several stand in the way at once, and no single one helps.
          if (helping.length > 0 || equals) expect(helping).toEqual([binding]);
        }
      }),
      { numRuns: 2_000, endOnFailure: true },
    );
  });
});
