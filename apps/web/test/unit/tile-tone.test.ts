import type { GovernorView, Signal } from '@spillway/shared/api/governor';
import { describe, expect, it } from 'vitest';
import { freshnessTone, oldestTone } from '../../src/features/now/model/tile-tone.ts';

function governor(...signals: Partial<Signal>[]): GovernorView {
  return {
    signals: signals.map((signal) => ({
      name: 'liveFreshnessMsP99',
      target: 5_000,
      verdict: 'ok',
      failMode: 'bad',
      ...signal,
    })),
  } as GovernorView;
}

describe('the tone of a tile is that of the sentence', () => {
  it.each([
    ['within a generous target', governor({}), 2_000, false, 'calm'],
    ['breached, and the sentence is red', governor({ verdict: 'breached' }), 6_000, true, 'risk'],
    ['breached for a moment', governor({ verdict: 'breached' }), 6_000, false, 'watch'],
    ['unknown, which counts as bad', governor({ verdict: 'unknown' }), null, false, 'watch'],
    ['unknown and left out', governor({ verdict: 'unknown', failMode: 'ignore' }), null, false, 'calm'],
    [
      'without a target, by the limit',
      governor({ target: null, verdict: 'ungoverned' }),
      600,
      false,
      'watch',
    ],
    ['before the governor has looked', null, 1_000, false, 'risk'],
    ['unknown without a target', null, null, false, 'calm'],
  ] as const)('freshness %s', (_name, view, ms, atRisk, tone) => {
    expect(freshnessTone(view, ms, atRisk)).toBe(tone);
  });

  it.each([
    ['younger than freshness may be', governor({}), 2_000, false, 'calm'],
    ['older than freshness may be', governor({}), 6_000, true, 'risk'],
    [
      'by its own target first',
      governor({}, { name: 'liveLagMs', verdict: 'breached' }),
      2_000,
      false,
      'watch',
    ],
    ['without any target, by the limit', null, 1_200, false, 'risk'],
    ['unknown', governor({}), null, true, 'calm'],
  ] as const)('the oldest event %s', (_name, view, ms, atRisk, tone) => {
    expect(oldestTone(view, ms, atRisk)).toBe(tone);
  });
});
