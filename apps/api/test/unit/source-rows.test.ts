/** How rows of files and tables are read: times, measures, whose they are, how many. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parseEventTime } from '../../src/adapters/source-rows/event-time.ts';
import { RowReading } from '../../src/adapters/source-rows/row.ts';
import { sourceMap } from '../../src/adapters/source-rows/source-map.ts';
import { StepCounts } from '../../src/adapters/source-rows/step-counts.ts';

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
  ])('%s', (_name, fields, source, code) => {
    const row = reading.row(place, fields);
    expect([row.source, row.fault?.code ?? null]).toEqual([source, code]);
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
