import { describe, expect, test } from 'vitest';
import { planBackfill } from '../../src/backfill/plan.ts';

const HOUR_MS = 3_600_000;
const request = {
  window: { from: 0, to: 10 * HOUR_MS },
  subwindowMs: HOUR_MS,
  sources: [{ sourceId: 'east', range: { from: 0, to: 100 * HOUR_MS }, wholeFrom: null }],
  sourcesNamed: false,
};
const west = { sourceId: 'west', range: { from: 20 * HOUR_MS, to: 30 * HOUR_MS }, wholeFrom: null };
/** Something was removed of it. */
const cut = { sourceId: 'cut', range: { from: 3 * HOUR_MS, to: 30 * HOUR_MS }, wholeFrom: 2 * HOUR_MS };

describe('planning a backfill', () => {
  test.each([
    ['a window that ends where it begins', { window: { from: 5, to: 5 } }, 'invalid_window', '/window/to'],
    ['a window of no time', { window: { from: Number.NaN, to: 5 } }, 'invalid_window', '/window/to'],
    ['a subwindow of zero', { subwindowMs: 0 }, 'invalid_subwindow', '/subwindow'],
    ['a subwindow longer than the window', { subwindowMs: 11 * HOUR_MS }, 'invalid_subwindow', '/subwindow'],
    [
      'a window beside the source',
      { window: { from: 200 * HOUR_MS, to: 300 * HOUR_MS } },
      'window_outside_source',
      '/window',
    ],
    [
      'a window beside a source that was named',
      { sources: [...request.sources, west], sourcesNamed: true },
      'window_outside_source',
      '/window',
    ],
    [
      'a window that reaches before what retention has left whole',
      { sources: [cut], window: { from: 2 * HOUR_MS - 1, to: 5 * HOUR_MS } },
      'gap',
      '/window/from',
    ],
    [
      'one that does so beside a source that has it all',
      { sources: [...request.sources, cut] },
      'gap',
      '/window/from',
    ],
    [
      'too many subwindows',
      { subwindowMs: 1, window: { from: 0, to: 30 * HOUR_MS } },
      'too_many_subwindows',
      '/subwindow',
    ],
  ])('refuses %s', (_name, over, code, pointer) => {
    expect(planBackfill({ ...request, ...over })).toMatchObject({ code, pointer });
  });

  test('clips to what the source holds and says so', () => {
    const plan = planBackfill({ ...request, window: { from: -5 * HOUR_MS, to: 3 * HOUR_MS + 1 } });
    expect(plan).toMatchObject({
      window: { from: 0, to: 3 * HOUR_MS + 1 },
      subwindows: 4,
      warnings: [{ code: 'window_clipped' }],
    });
  });
  test('names every source that was named in vain, within bounds', () => {
    const beside = (count: number) =>
      planBackfill({
        ...request,
        sources: [
          ...request.sources,
          ...Array.from({ length: count }, (_, at) => ({ ...west, sourceId: `w${at}` })),
        ],
        sourcesNamed: true,
      });
    const held = 'which holds 1970-01-01T20:00:00.000Z to 1970-01-02T06:00:00.000Z';
    expect(beside(1)).toMatchObject({ detail: `The window does not touch source w0, ${held}.` });
    expect(beside(2)).toMatchObject({
      detail: `The window does not touch source w0, ${held}; nor source w1, ${held}.`,
    });
    expect(beside(64)).toMatchObject({ detail: expect.stringMatching(/w4, [^;]*; nor 59 more\.$/) });
  });
  test('clips what begins where it is whole, though something was removed before', () => {
    const window = { from: 2 * HOUR_MS, to: 5 * HOUR_MS };
    expect(planBackfill({ ...request, sources: [cut], window })).toMatchObject({
      lanes: [{ sourceId: 'cut', laneFrom: 3 * HOUR_MS, laneTo: 5 * HOUR_MS }],
    });
  });
  test('leaves out a source that nobody named', () => {
    expect(planBackfill({ ...request, sources: [...request.sources, west] })).toMatchObject({
      lanes: [{ sourceId: 'east' }],
      warnings: [{ code: 'source_left_out' }],
    });
  });
  test('an hour by default, or the window when it is shorter', () => {
    expect(planBackfill({ ...request, subwindowMs: null })).toMatchObject({
      subwindowMs: HOUR_MS,
      subwindows: 10,
    });
    expect(planBackfill({ ...request, subwindowMs: null, window: { from: 0, to: 60_000 } })).toMatchObject({
      subwindowMs: 60_000,
      subwindows: 1,
    });
  });
});
