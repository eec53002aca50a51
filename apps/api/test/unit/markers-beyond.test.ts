import { describe, expect, test } from 'vitest';
import { MarkersBeyond } from '../../src/control-plane/workers/markers-beyond.ts';

/** A report: when it arrived, when the runs were read, and the markers beyond the end, those with a `!` as the applier stands. */
type Report = readonly [arrivedMs: number, readMs: number, ...markers: string[]];

/** A report in each second of that time that says the same. */
const every = (fromMs: number, toMs: number, ...markers: string[]): Report[] =>
  Array.from({ length: (toMs - fromMs) / 1_000 + 1 }, (_, second) => {
    const atMs = fromMs + second * 1_000;
    return [atMs, atMs, ...markers] as const;
  });

/** What was lost, and when. */
function lostBy(reports: readonly Report[]): string[] {
  const beyond = new MarkersBeyond();
  return reports.flatMap(([arrivedMs, readMs, ...markers]) =>
    beyond
      .lost(
        'replay',
        markers.map((text) => ({ marker: text.replace('!', ''), stands: text.endsWith('!') })),
        { arrivedMs, readMs },
      )
      .map(({ marker, stands }) => `${arrivedMs} ${marker}${stands ? '!' : ''}`),
  );
}

describe('markers are lost', () => {
  test.for<[string, Report[], string[]]>([
    ['after ten seconds', every(0, 10_000, '5'), ['10000 5']],
    ['not a moment earlier', [...every(0, 9_000, '5'), [9_999, 9_999, '5']], []],
    [
      'each from when it was seen',
      [...every(0, 5_000, '5'), ...every(6_000, 16_000, '5', '6')],
      ['10000 5', '16000 6'],
    ],
    [
      'not where one report reached them',
      [...every(0, 5_000, '5'), [6_000, 6_000], ...every(7_000, 16_000, '5')],
      [],
    ],
    [
      'not by two reports that lie ten seconds apart',
      [
        [0, 0, '5'],
        [12_000, 12_000, '5'],
        [12_250, 12_250],
      ],
      [],
    ],
    ['from the end of a silence on', [...every(0, 5_000, '5'), ...every(8_000, 18_000, '5')], ['18000 5']],
    [
      'not by reports that waited together while what they are held against was published',
      [...every(0, 10_000).map(([atMs]) => [atMs, 10_000, '5'] as const), [10_250, 10_250]],
      [],
    ],
    [
      'not by a report that waited ten seconds itself',
      [
        [0, 0, '5'],
        [250, 12_000, '5'],
        [12_250, 12_250],
      ],
      [],
    ],
    ['anew when they were published again at the same place', every(0, 20_000, '5'), ['10000 5']],
  ])('%s', ([, reports, lost]) => {
    expect(lostBy(reports)).toEqual(lost);
  });

  test.for<[string, Report[], string[]]>([
    ['in every report', every(0, 10_000, '5!'), ['10000 5!']],
    ['not in the first', [[0, 0, '5'], ...every(1_000, 10_000, '5!')], ['10000 5']],
    [
      'not in one between',
      [...every(0, 5_000, '5!'), ...every(6_000, 6_000, '5'), ...every(7_000, 10_000, '5!')],
      ['10000 5'],
    ],
    ['not in the last', [...every(0, 9_000, '5!'), [10_000, 10_000, '5']], ['10000 5']],
  ])('and the applier stands if it did %s', ([, reports, lost]) => {
    expect(lostBy(reports)).toEqual(lost);
  });
});
