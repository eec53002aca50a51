import { expect, it } from 'vitest';
import { failureWords } from '../../src/features/sources/model/failure-words.ts';
import { eventsText, quarantineNote, retentionNote } from '../../src/features/sources/model/source-words.ts';

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

const statistics = {
  step: 'PT1M',
  countedAt: '2026-11-01T00:00:00.000Z',
  fingerprint: 'f',
  exact: true,
  rowsQuarantined: 0,
};
const failure = { code: 'source_unavailable', detail: 'db.example:5432 does not answer.', address: null };
it.each([
  ['nothing, and why', { events: null, failure, statistics: null }, 'not counted', null],
  ['nothing yet', { events: null, failure: null, statistics: null }, 'not counted yet', null],
  ['events alone', { events: 1_234, failure: null, statistics }, '1,234 events', null],
  [
    'one row that is none',
    { events: 1_234, failure: null, statistics: { ...statistics, rowsQuarantined: 1 } },
    '1,234 events',
    '1 row would be quarantined',
  ],
  [
    'many rows that are none',
    { events: 0, failure: null, statistics: { ...statistics, rowsQuarantined: 12_345 } },
    '0 events',
    '12,345 rows would be quarantined',
  ],
  [
    'an estimate, which knows nothing of them',
    { events: null, failure: null, statistics: { ...statistics, exact: false, rowsQuarantined: null } },
    'estimated only',
    'rows that would be quarantined: unknown',
  ],
])('tells what has been counted of a source: %s', (_what, source, events, quarantine) => {
  expect(eventsText(source)).toBe(events);
  expect(quarantineNote(source)).toBe(quarantine);
});

it.each([
  [failure, 'db.example:5432 does not answer', /^Look at its server/],
  [
    { ...failure, code: 'source_corrupt', address: 'row 7' },
    'db.example:5432 does not answer at row 7',
    /^Replace the file/,
  ],
  [{ ...failure, code: 'not_heard_of' }, 'db.example:5432 does not answer', /^The operations guide/],
])('tells of a failure what it is, and what to do: %j', (of, what, todo) => {
  expect(failureWords(of).what).toBe(what);
  expect(failureWords(of).todo).toMatch(todo);
  expect(failureWords(of).todo).toMatch(/tried again by itself/);
});
