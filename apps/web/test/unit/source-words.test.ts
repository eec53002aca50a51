import { expect, it } from 'vitest';
import { retentionNote } from '../../src/features/sources/model/source-words.ts';

it.each([
  ['nothing, where nothing has been removed', {}, null],
  [
    'a time that can be typed',
    { wholeFrom: '2001-01-03T06:00:00.000Z' },
    'retention has removed what was before 3 Jan 2001 06:00 UTC',
  ],
  [
    'the next second, where it is within one: a window that began in it would be refused',
    { wholeFrom: '2001-01-03T23:59:59.001Z' },
    'retention has removed what was before 4 Jan 2001 UTC',
  ],
])('tells of a source from when on it is whole: %s', (_what, source, words) => {
  expect(retentionNote(source)).toBe(words);
});
