import { expect, it } from 'vitest';
import { shownAtFirst } from '../../src/features/alerts/model/alert-words.ts';

const alerts = (text: string) =>
  [...text].map((letter, id) => ({
    id,
    severity: letter === 'c' ? ('critical' as const) : ('warning' as const),
  }));

it.each([
  ['', []],
  ['wwwwww', [0, 1, 2, 3, 4, 5]],
  ['wwwwwww', [0, 1, 2, 3, 4]],
  ['wwwwwwwc', [0, 1, 2, 3, 7]],
  ['cccccccw', [0, 1, 2, 3, 4, 5, 6, 7]],
  ['cccwccccw', [0, 1, 2, 4, 5, 6, 7]],
  ['wcwwwwcww', [0, 1, 2, 3, 6]],
])('of %j the first few are shown, all critical ones before any other', (severities, ids) => {
  expect(shownAtFirst(alerts(severities)).map(({ id }) => id)).toEqual(ids);
});
