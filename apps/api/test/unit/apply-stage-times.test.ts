import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Phase, StageTimes } from '../../src/data-plane/apply/stage-times.ts';

describe('the time of two loops', () => {
  const clock = { mono: 0, monotonic: () => clock.mono };
  const spent = (...entered: (['live' | 'replay', Phase] | number)[]) => {
    const times = new StageTimes(clock);
    for (const step of entered) {
      if (typeof step === 'number') clock.mono += step;
      else times.entered(...step);
    }
    const { silentMs } = { silentMs: times.silentMs() };
    return { ...times.drain(), silentMs };
  };
  const none = { preparing: 0, store: 0, pressed: 0, blocked: 0, idle: 0, silentMs: 0 };

  it.each<[string, Parameters<typeof spent>, Partial<Record<Phase | 'silentMs', number>>]>([
    [
      'one works while the other rests: the applier works',
      [['live', 'idle'], ['replay', 'store'], 20, ['replay', 'preparing'], 5, ['replay', 'idle'], 10],
      { store: 20, preparing: 5, idle: 10 },
    ],
    [
      'one is pressed: the store holds the applier up, whatever the other does',
      [['replay', 'pressed'], ['live', 'store'], 5, ['live', 'idle'], 5, ['live', 'preparing'], 5],
      { pressed: 15, silentMs: 15 },
    ],
    [
      'one waits to try again while the other works: held up',
      [['live', 'store'], 10, ['replay', 'blocked'], 10],
      { store: 10, blocked: 10, silentMs: 20 },
    ],
    [
      'an answer that is overdue is held up, though the other is answered',
      [['replay', 'store'], 100, ['live', 'store'], 100, ['live', 'preparing'], 100, ['live', 'idle'], 100],
      { store: 250, pressed: 150, silentMs: 400 },
    ],
    [
      'it is silent for as long as the longest of them has waited',
      [['live', 'store'], 50, ['replay', 'store'], 30, ['live', 'preparing'], 10],
      { store: 90, silentMs: 40 },
    ],
  ])('%s', (_, steps, expected) => {
    expect(spent(...steps)).toEqual({ ...none, ...expected });
  });

  it('adds up to the time that has passed, whatever happens', () => {
    const step = fc.record({
      loop: fc.constantFrom('live' as const, 'replay' as const),
      phase: fc.constantFrom<Phase>('preparing', 'store', 'pressed', 'blocked', 'idle'),
      ms: fc.integer({ min: 0, max: 400 }),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const times = new StageTimes(clock);
        for (const { loop, phase, ms } of steps) {
          times.entered(loop, phase);
          clock.mono += ms;
        }
        const total = Object.values(times.drain()).reduce((sum, ms) => sum + ms, 0);
        expect(total).toBe(steps.reduce((sum, { ms }) => sum + ms, 0));
      }),
    );
  });
});
