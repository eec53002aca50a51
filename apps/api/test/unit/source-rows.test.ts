/** How rows of files and tables are read: times, measures, whose they are, how many. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parseEventTime } from '../../src/adapters/source-rows/event-time.ts';
import { RowReading } from '../../src/adapters/source-rows/row.ts';
import { sourceMap } from '../../src/adapters/source-rows/source-map.ts';
import { StepCounts } from '../../src/adapters/source-rows/step-counts.ts';
import { refusalOf } from '../../src/adapters/store-postgres/storable.ts';

const noon = Date.UTC(2001, 0, 1, 12);

describe('an event time', () => {
  test.each([
    ['2001-01-01T12:00:00Z', noon],
    ['2001-01-01 12:00:00', noon],
    ['2001-01-01T12:00:00.9999Z', noon + 999],
    ['2001-01-01T14:00:00+02:00', noon],
    ['2001-01-01T06:30:00-0530', noon],
    ['2001-01-01 13:00:00+01', noon],
    ['2001-01-01', noon - 12 * 3_600_000],
    ['0001-01-01', Date.parse('0001-01-01T00:00:00Z')],
    ['2001-02-30', null],
    ['2001-01-01T24:00:00Z', null],
    ['2001-01-01T12:00:60Z', null],
    ['January 1, 2001', null],
    ['', null],
    [noon, null],
  ])('as text: %j', (value, expected) => {
    expect(parseEventTime(value, 'text')).toBe(expected);
  });

  test.each([
    [1.5, 'seconds', 1500],
    ['978350400.123456789', 'seconds', noon + 123],
    [noon, 'milliseconds', noon],
    [-0.5, 'milliseconds', -1],
    ['978350400123999', 'microseconds', noon + 123],
    ['-1', 'microseconds', -1],
    ['978350400123999999', 'nanoseconds', noon + 123],
    [Number('978350400123999999'), 'nanoseconds', noon + 124],
    [8.7e15, 'milliseconds', null],
    ['soon', 'milliseconds', null],
    [null, 'milliseconds', null],
    [true, 'seconds', null],
  ] as const)('%j %s', (value, format, expected) => {
    expect(parseEventTime(value, format)).toBe(expected);
  });

  it('is what Date makes of any instant', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
        (date) => {
          expect(parseEventTime(date.toISOString(), 'text')).toBe(date.getTime());
        },
      ),
    );
  });
});

describe('a row', () => {
  const reading = new RowReading(
    { time: 't', key: 'k', value: 'v', id: 'i' },
    'milliseconds',
    sourceMap({ a: ['x'], b: null }),
  );
  const place = { line: 1, endByte: 1, endLine: 2 };
  test.each([
    ['an event', { time: 1, key: 'x', value: 5, id: 'e' }, 0, null],
    ['an event of every other key', { time: 1, key: 'y', value: '-5.000', id: 7 }, 1, null],
    ['without a time', { time: null, key: 'y', value: 1, id: 'e' }, 1, 'missing_field'],
    ['without a key', { time: 1, key: undefined, value: 1, id: 'e' }, 0, 'missing_field'],
    ['without an id', { time: 1, key: 'x', value: 1, id: null }, 0, 'missing_field'],
    ['with a key that is a number', { time: 1, key: 3, value: 1, id: 'e' }, 0, 'unparsable'],
    [
      'with a measure that is no integer',
      { time: 1, key: 'x', value: 1.5, id: 'e' },
      0,
      'value_out_of_range',
    ],
    [
      'with a measure too large to be exact',
      { time: 1, key: 'x', value: '9007199254740993', id: 'e' },
      0,
      'value_out_of_range',
    ],
    ['with an empty id', { time: 1, key: 'x', value: 1, id: '' }, 0, 'missing_field'],
    ['with a NUL in its id', { time: 1, key: 'x', value: 1, id: 'e\0' }, 0, 'unparsable'],
    ['with half a surrogate pair in its id', { time: 1, key: 'x', value: 1, id: '\ud800' }, 0, 'unparsable'],
    ['with an id that is too long', { time: 1, key: 'x', value: 1, id: 'e'.repeat(401) }, 0, 'unparsable'],
    ['with an id that is just not', { time: 1, key: 'x', value: 1, id: 'e'.repeat(400) }, 0, null],
    ['with a key that is empty', { time: 1, key: '', value: 1, id: 'e' }, 1, null],
    ['with a NUL in its key', { time: 1, key: 'y\0', value: 1, id: 'e' }, 1, 'unparsable'],
    ['with a key that is too long', { time: 1, key: 'k'.repeat(401), value: 1, id: 'e' }, 1, 'unparsable'],
    ['of before 1970', { time: -1, key: 'x', value: 1, id: 'e' }, 0, 'value_out_of_range'],
    ['of 2200', { time: Date.UTC(2200, 0), key: 'x', value: 1, id: 'e' }, 0, 'value_out_of_range'],
    ['of just before', { time: Date.UTC(2200, 0) - 1, key: 'x', value: 1, id: 'e' }, 0, null],
  ])('%s', (_name, fields, source, code) => {
    const row = reading.row(place, fields);
    expect([row.source, row.fault?.code ?? null]).toEqual([source, code]);
  });

  it('that the store could not hold is none, and any other is held: one rule for both', () => {
    const name = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 3 }),
      fc.nat({ max: 3 }).map((more) => '\u{1f600}'.repeat(199 + more)),
      fc.constantFrom('\0', '\udfff', ''),
    );
    const time = fc.constantFrom(-1, 0, Date.UTC(2200, 0) - 1, Date.UTC(2200, 0));
    fc.assert(
      fc.property(name, name, time, (id, key, at) => {
        const row = reading.row(place, { time: at, key, value: 1, id });
        const stored = refusalOf({ id, sourceId: 'b', key, at, value: 1 });
        expect(row.fault === null).toBe(stored === null);
        if (row.fault === null) expect([row.id, row.key, row.at]).toEqual([id, key, at]);
      }),
    );
  });

  it('names a measure of minus nothing as nothing: the hash is of its decimal', () => {
    expect(Object.is(reading.row(place, { time: 1, key: 'x', value: -0, id: 'e' }).value, 0)).toBe(true);
  });
});

it('refuses to give a key, or all the others, to two sources', () => {
  expect(() => sourceMap({ a: ['x'], b: ['x'] })).toThrow(/"x" feeds both a and b/);
  expect(() => sourceMap({ a: null, b: null })).toThrow(/every other key feeds both a and b/);
});

describe('counts', () => {
  it('know the rows that are no events by source, and of an estimate not', () => {
    const counting = new StepCounts(['a', 'b', 'c']);
    counting.add(0, 0);
    counting.quarantine(0);
    counting.quarantine(1, 5);
    counting.quarantine(1, 0);
    expect(counting.counts(60_000)).toMatchObject({ estimated: false, quarantined: { a: 1, b: 5, c: 0 } });
    expect(counting.counts(60_000, true)).toMatchObject({ estimated: true, quarantined: null });
  });

  it('are the same in any steps that hold whole minutes, and stay within their counters', () => {
    const time = fc.integer({ min: -3, max: 400 }).map((hours) => hours * 3_600_000 + 59_999);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: 1 }), time), { minLength: 1, maxLength: 60 }),
        fc.constantFrom(1, 60_000, 90_000, 3_600_000),
        fc.constantFrom(1, 5, 100),
        (events, finestMs, pagesMax) => {
          const counting = new StepCounts(['a', 'b'], pagesMax);
          for (const [source, at] of events) counting.add(source, at);
          const { stepMs, from, counts } = counting.counts(finestMs);
          expect([stepMs % finestMs, Math.abs(from % stepMs)]).toEqual([0, 0]);
          for (const [source, id] of ['a', 'b'].entries()) {
            const expected = new Map<number, number>();
            for (const [own, at] of events)
              if (own === source) {
                const step = Math.floor(at / stepMs) - from / stepMs;
                expected.set(step, (expected.get(step) ?? 0) + 1);
              }
            const found = [...(counts[id] ?? []).entries()].filter(([, count]) => count > 0);
            expect(new Map(found)).toEqual(new Map([...expected].sort(([one], [other]) => one - other)));
          }
        },
      ),
    );
  });
});
