import type { Coverage } from '@spillway/shared/api/pipeline';
import { describe, expect, it } from 'vitest';
import { askedSources, mergeCoverage } from '../../src/features/pipeline/model/coverage.ts';

const sources = [
  { id: 'a', events: 10 },
  { id: 'b', events: null },
  { id: 'c', events: 30 },
];

it.each([
  ['all of them', ['a', 'b', 'c'], undefined],
  ['all that are counted', ['a', 'c'], undefined],
  ['all but one that is counted, as one that has failed may be', ['b', 'a'], ['a', 'b']],
  ['one', ['c'], ['c']],
  ['none', [], undefined],
])(
  'coverage is asked of what is ticked, and at once where that comes to the same: %s',
  (_, ticked, asked) => {
    expect(askedSources(sources, ticked)).toEqual(asked);
  },
);

describe('coverage of several sources', () => {
  const steps = (...counts: readonly (readonly [number | null, number | null])[]): Coverage['items'] =>
    counts.map(([expected, stored], hour) => ({ start: `2001-01-01T0${hour}:00:00Z`, expected, stored }));
  const of = (id: string, items: Coverage['items'], isCounted = true): Coverage => ({
    step: 'PT1H',
    sources: { asked: 1, uncounted: isCounted ? [] : [id] },
    items,
  });

  it('is the sum of each step', () => {
    const a = of('a', steps([10, 10], [4, 0]));
    expect(mergeCoverage([a])).toEqual(a);
    expect(mergeCoverage([a, of('c', steps([5, 0], [1, 1]))])).toEqual({
      step: 'PT1H',
      sources: { asked: 2, uncounted: [] },
      items: steps([15, 10], [5, 1]),
    });
  });

  it('leaves out of both sides what is not counted, unless nothing is', () => {
    const b = of('b', steps([null, 7], [null, 0]), false);
    const c = of('c', steps([5, 0], [1, 1]));
    expect(mergeCoverage([b, c])).toEqual({
      step: 'PT1H',
      sources: { asked: 2, uncounted: ['b'] },
      items: c.items,
    });
    expect(mergeCoverage([b, of('d', steps([null, 1], [null, 2]), false)])).toMatchObject({
      sources: { asked: 2, uncounted: ['b', 'd'] },
      items: steps([null, 8], [null, 2]),
    });
  });

  it('of a store that is not ours knows nothing of what is stored', () => {
    const a = of('a', steps([10, null]));
    expect(mergeCoverage([a, a]).items).toEqual(steps([20, null]));
  });
});
