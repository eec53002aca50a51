import { describe, expect, test } from 'vitest';
import { RecentGrants } from '../../src/cost/recent-grants.ts';

describe('what was granted lately', () => {
  const unseen = { eventsPublished: 0, waiting: null };
  const grants = new RecentGrants();
  for (const [atMs, eventsPerSecond, eventsHandled] of [
    [0, 0, 0],
    [1_000, 400, 10],
    [2_000, 100, 350],
    [2_500, 40, 420],
  ] as const)
    grants.observe({ atMs, eventsPerSecond, eventsHandled, ...unseen });
  const unknown = (toldAgeMs: number, meterAgeMs: number, stopMs = 0) =>
    grants.unknown({ atMs: 2_500, toldAgeMs, meterAgeMs, stopMs });

  test('what is published counts from the last report on', () => {
    expect(unknown(500, 0)).toEqual({ published: 20, unmetered: 0, eventsPerSecond: 40 });
    expect(unknown(1_000, 0)?.published).toBe(20 + 50);
    expect(unknown(2_500, 0)?.published).toBe(20 + 100 + 400);
  });

  test('the last rate is in use for as long as nothing has been decided since', () => {
    const late = (atMs: number, toldAgeMs: number, stopMs: number) =>
      grants.unknown({ atMs, toldAgeMs, meterAgeMs: 0, stopMs })?.published;
    expect(late(3_500, 500, 0)).toBeCloseTo(0.5 * 40, 9);
    // The 100 that was cut at 2,000, until 2,300; from then on the 40.
    expect(late(3_500, 1_500, 300)).toBeCloseTo(0.3 * 100 + 1.5 * 40, 9);
    expect(late(9_000, 6_500, 0)).toBeCloseTo(6.5 * 40, 9);
  });

  test('a rate is used until its cut is effective, a higher one at once', () => {
    // 40 from 2,500 on; before it the 100 that was cut at 2,000; and before that the 400 that was cut at 1,000.
    expect(unknown(500, 0, 200)?.published).toBeCloseTo(0.2 * 100 + 0.3 * 40 + 0.2 * 40, 9);
    expect(unknown(1_000, 0, 500)?.published).toBeCloseTo(0.5 * 100 + 0.5 * 100 + 0.5 * 40, 9);
    expect(unknown(1_500, 0, 500)?.published).toBeCloseTo(0.5 * 400 + 0.5 * 100 + 0.5 * 100 + 0.5 * 40, 9);
    const raised = new RecentGrants();
    for (const [atMs, eventsPerSecond] of [
      [0, 0],
      [1_000, 10],
      [2_000, 90],
    ] as const)
      raised.observe({ atMs, eventsPerSecond, eventsHandled: 0, ...unseen });
    expect(
      raised.unknown({ atMs: 2_000, toldAgeMs: 1_500, meterAgeMs: 0, stopMs: 400 })?.published,
    ).toBeCloseTo(0.5 * 10 + 1.4 * 90, 9);
  });

  test('what is applied is not metered before the meter has told', () => {
    expect([0, 499, 500, 1_499, 1_500, 1_501, 2_500].map((ageMs) => unknown(0, ageMs)?.unmetered)).toEqual([
      0, 70, 70, 410, 410, 420, 420,
    ]);
  });

  test.for<[string, [atMs: number, published: number, done: number, waiting: number | null][], number]>([
    ['what is not applied', [[0, 100, 20, 80]], 80],
    [
      'what is not applied, where it is not known what waits',
      [
        [0, 100, 90, null],
        [5_000, 100, 90, null],
        [10_000, 100, 90, 0],
      ],
      10,
    ],
    [
      'nothing that was lost',
      [
        [0, 100, 90, 0],
        [5_000, 100, 90, 0],
        [10_000, 100, 90, 0],
      ],
      0,
    ],
    [
      'what was lost, until that is certain',
      [
        [0, 100, 90, 0],
        [5_000, 100, 90, 0],
        [9_999, 100, 90, 0],
      ],
      10,
    ],
    [
      'what was applied and may not have been told',
      [
        [0, 100, 90, 10],
        [5_000, 100, 90, 10],
        [10_000, 100, 90, 0],
      ],
      10,
    ],
    [
      'what was published since it was last seen what waits',
      [
        [0, 100, 90, 0],
        [5_000, 104, 90, 0],
        [10_000, 108, 90, 0],
      ],
      8,
    ],
    [
      'no more than is not applied, whatever others publish there',
      [
        [0, 100, 90, 5_000],
        [5_000, 100, 90, 5_000],
        [10_000, 100, 90, 5_000],
      ],
      10,
    ],
    ['nothing where the store has more than was told', [[0, 100, 120, 0]], 0],
  ])('on the stream is %s', ([, looks, onStream]) => {
    const recent = new RecentGrants();
    for (const [atMs, eventsPublished, eventsHandled, waiting] of looks)
      recent.observe({ atMs, eventsPerSecond: 0, eventsPublished, eventsHandled, waiting });
    expect(recent.onStream()).toBe(onStream);
  });

  test('what it does not remember is unknown', () => {
    expect(unknown(2_500, 0, 1)).toBeNull();
    expect(unknown(0, 2_501)).toBeNull();
    expect(new RecentGrants().unknown({ atMs: 0, toldAgeMs: 0, meterAgeMs: 0, stopMs: 0 })).toBeNull();
    const old = new RecentGrants();
    for (let atMs = 0; atMs <= 60_000; atMs += 250)
      old.observe({ atMs, eventsPerSecond: 8, eventsHandled: atMs, ...unseen });
    const at = { atMs: 60_000, meterAgeMs: 0, stopMs: 300 };
    expect(old.unknown({ ...at, toldAgeMs: 11_000 })?.published).toBeCloseTo(11.3 * 8, 6);
    expect(old.unknown({ ...at, toldAgeMs: 20_000 }), 'bounded').toBeNull();
  });
});
