import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { healthOf, type SignalReading, verdictOf } from '../../src/governor/signals.ts';
import { aReading } from './a-guard.ts';

describe('is a signal within its target', () => {
  test.each<[string, Partial<SignalReading>, string]>([
    ['far below', { value: 20 }, 'ok'],
    ['a fifth within', { value: 80 }, 'ok'],
    ['less than a fifth within', { value: 80.1 }, 'near'],
    ['at the target', { value: 100 }, 'near'],
    ['beyond it', { value: 100.1 }, 'breached'],
    ['nothing was read', { value: null }, 'unknown'],
    ['not a number', { value: Number.NaN }, 'unknown'],
    ['infinite', { value: Number.POSITIVE_INFINITY }, 'unknown'],
    ['never measured', { ageMs: null }, 'unknown'],
    ['just young enough', { ageMs: 1_000 }, 'ok'],
    ['too old', { ageMs: 1_001 }, 'unknown'],
    ['no target', { target: null, value: 1e9 }, 'ungoverned'],
    ['no target and nothing read', { target: null, value: null }, 'ungoverned'],
    ['worse when low: high', { worseWhen: 'below', target: 0.8, value: 1 }, 'ok'],
    ['worse when low: less than a fifth above', { worseWhen: 'below', target: 0.8, value: 0.95 }, 'near'],
    ['worse when low: below', { worseWhen: 'below', target: 0.9, value: 0.89 }, 'breached'],
    ['worse when low: nothing at all', { worseWhen: 'below', target: 0.9, value: 0 }, 'breached'],
    ['worse when low: negative', { worseWhen: 'below', target: 0.9, value: -1 }, 'breached'],
  ])('%s', (_name, over, verdict) => {
    expect(verdictOf(aReading(over))).toBe(verdict);
  });

  test('worse never looks better', () => {
    const order = ['ok', 'near', 'breached'];
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 1e6, noNaN: true }),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.constantFrom('above' as const, 'below' as const),
        (target, a, b, worseWhen) => {
          const [low, high] = [Math.min(a, b), Math.max(a, b)];
          const rank = (value: number) => order.indexOf(verdictOf(aReading({ target, value, worseWhen })));
          const [better, worse] = worseWhen === 'above' ? [low, high] : [high, low];
          expect(rank(worse)).toBeGreaterThanOrEqual(rank(better));
        },
      ),
    );
  });
});

describe('all signals together', () => {
  const ok = aReading({ name: 'ok' });
  const near = aReading({ name: 'near', value: 95 });
  const breached = aReading({ name: 'breached', value: 200 });
  const unknown = aReading({ name: 'unknown', value: null });
  const ignored = aReading({ name: 'ignored', value: null, failMode: 'ignore' });
  const untargeted = aReading({ name: 'untargeted', value: 1e9, target: null });

  test.each<[string, SignalReading[], string, string | null]>([
    ['none at all', [], 'off', null],
    ['none with a target', [untargeted], 'off', null],
    ['all well', [ok, untargeted], 'ok', null],
    ['within its target, beyond the part that is held', [ok, { ...near, heldPart: 0.9 }], 'breached', 'near'],
    [
      'beyond a part that is held, and far from its target',
      [{ ...ok, value: 73, heldPart: 0.7 }],
      'breached',
      'ok',
    ],
    ['well is well, whatever part is held', [{ ...ok, value: 79, heldPart: 0.9 }], 'ok', null],
    [
      'near is near its target, not the part that is held',
      [{ ...ok, value: 81, heldPart: 0.9 }],
      'near',
      'ok',
    ],
    [
      'the same, worse when low',
      [{ ...ok, worseWhen: 'below', value: 110, heldPart: 0.9 }],
      'breached',
      'ok',
    ],
    ['one near', [ok, near], 'near', 'near'],
    ['one breached', [near, breached, ok], 'breached', 'breached'],
    ['one unreadable counts as bad', [ok, unknown], 'breached', 'unknown'],
    ['not to know is worse than to know the worst', [breached, unknown], 'breached', 'unknown'],
    ['one unreadable that is ignored leaves the others', [ok, ignored], 'ok', null],
    ['only one, and it is ignored: nothing governs', [ignored], 'off', null],
    [
      'ignored is only for what cannot be read',
      [{ ...breached, failMode: 'ignore' }],
      'breached',
      'breached',
    ],
  ])('%s', (_name, readings, health, because) => {
    const report = healthOf(readings);
    expect(report.health).toBe(health);
    expect(report.because?.name ?? null).toBe(because);
    expect(healthOf(readings.toReversed()).health).toBe(health);
  });

  test.each<[string, SignalReading[], number, boolean]>([
    ['nothing governs', [untargeted], 0, false],
    ['nothing is used of the target', [aReading({ value: 0 })], 1, false],
    ['half way to where it is near', [aReading({ value: 40 })], 0.5, false],
    ['the worst counts', [aReading({ value: 0 }), aReading({ value: 60 })], 0.25, false],
    ['worse when low', [aReading({ worseWhen: 'below', value: 250 })], 0.5, false],
    ['near', [ok, near], 0, false],
    ['not quite twice what is held', [aReading({ value: 179, heldPart: 0.9 })], 0, false],
    ['twice what is held', [aReading({ value: 180, heldPart: 0.9 })], 0, true],
    ['one cannot be read', [ok, unknown], 0, true],
    ['that is ignored', [aReading({ value: 40 }), ignored], 0.5, false],
  ])('room, and what is gross: %s', (_name, readings, room, gross) => {
    const report = healthOf(readings);
    expect(report.room).toBeCloseTo(room, 9);
    expect(report.gross).toBe(gross);
  });
});
