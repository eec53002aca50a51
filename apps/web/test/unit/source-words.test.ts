import { expect, it } from 'vitest';
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
it.each([
  ['nothing yet', { events: null, statistics: null }, 'not counted yet', null],
  ['events alone', { events: 1_234, statistics }, '1,234 events', null],
  [
    'one row that is none',
    { events: 1_234, statistics: { ...statistics, rowsQuarantined: 1 } },
    '1,234 events',
    '1 row would be quarantined',
  ],
  [
    'many rows that are none',
    { events: 0, statistics: { ...statistics, rowsQuarantined: 12_345 } },
    '0 events',
    '12,345 rows would be quarantined',
  ],
  [
    'an estimate, which knows nothing of them',
    { events: null, statistics: { ...statistics, exact: false, rowsQuarantined: null } },
    'estimated only',
    'rows that would be quarantined: unknown',
  ],
])('tells what has been counted of a source: %s', (_what, source, events, quarantine) => {
  expect(eventsText(source)).toBe(events);
  expect(quarantineNote(source)).toBe(quarantine);
});
