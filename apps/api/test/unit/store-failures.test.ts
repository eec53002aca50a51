import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { asPrepared, asText } from '../../src/adapters/store-postgres/calls.ts';
import {
  endsConnection,
  type Failure,
  failureOf,
  retryAfterMs,
} from '../../src/adapters/store-postgres/failures.ts';
import { textArray } from '../../src/adapters/store-postgres/literal.ts';
import { byBytes } from '../../src/data-plane/apply/byte-order.ts';

const answered = (code: string) => Object.assign(new pg.DatabaseError('words', 1, 'error'), { code });
const broken = (code: string) => Object.assign(new Error('words'), { code });

describe('a statement that failed', () => {
  it.each<[unknown, Partial<Failure>]>([
    [answered('40001'), { code: 'store_unavailable', outcome: 'undone', collided: true }],
    [answered('40P01'), { code: 'store_unavailable', outcome: 'undone', collided: true }],
    [answered('40003'), { code: 'store_unavailable', outcome: 'unknown', collided: false }],
    [answered('08006'), { code: 'store_unavailable', outcome: 'unknown', collided: false }],
    [answered('57P01'), { code: 'store_unavailable', outcome: 'unknown', collided: false }],
    [answered('57P02'), { code: 'store_unavailable', outcome: 'unknown', collided: false }],
    [answered('57P03'), { code: 'store_unavailable', outcome: 'undone', collided: false }],
    [answered('57014'), { code: 'store_unavailable', outcome: 'undone', collided: false }],
    [answered('53300'), { code: 'store_unavailable', outcome: 'undone', collided: false }],
    [answered('53100'), { code: 'store_unavailable', outcome: 'undone', collided: false }],
    [answered('25006'), { code: 'store_unavailable', outcome: 'undone', collided: false }],
    [answered('55P03'), { code: 'store_unavailable', outcome: 'undone', collided: false }],
    [answered('SW001'), { code: 'fenced', outcome: 'undone', collided: false }],
    [answered('SW002'), { code: 'store_failed', outcome: 'undone', collided: false }],
    [answered('42P01'), { code: 'store_failed', outcome: 'undone', collided: false }],
    [answered('42501'), { code: 'store_failed', outcome: 'undone', collided: false }],
    [broken('ECONNRESET'), { code: 'store_unavailable', outcome: 'unknown', collided: false }],
    [new Error('Query read timeout'), { code: 'store_unavailable', outcome: 'unknown', collided: false }],
    [new RangeError('NUL'), { code: 'store_failed', outcome: 'undone', collided: false }],
  ])('%s', (error, expected) => {
    expect(failureOf(error, true)).toEqual(expected);
    // Before it was sent nothing can have been done.
    expect(failureOf(error, false).outcome).toBe('undone');
  });
});

it.each<[string, unknown, boolean]>([
  ['taken back as one of several', answered('40001'), false],
  ['refused for good', answered('42P01'), false],
  ['fenced', answered('SW001'), false],
  ['refused by what only reads', answered('25006'), true],
  ['refused as the server ends', answered('57P01'), true],
  ['refused for what passes', answered('53100'), true],
  ['broken off', broken('ECONNRESET'), true],
])('its connection is given up: %s', (_, error, ends) => {
  expect(endsConnection(error, failureOf(error, true))).toBe(ends);
});

describe('it is sent again', () => {
  const collided: Failure = { code: 'store_unavailable', outcome: 'undone', collided: true };
  const lost: Failure = { code: 'store_unavailable', outcome: 'unknown', collided: false };
  const refused: Failure = { code: 'store_failed', outcome: 'undone', collided: false };
  const away: Failure = { code: 'store_unavailable', outcome: 'undone', collided: false };

  it.each<[string, Failure, number, boolean, number | null]>([
    ['after a collision, within a drawn pause', collided, 1, false, 1],
    ['later the longer it goes on', collided, 4, false, 8],
    ['at most 50 ms later', collided, 7, false, 25],
    ['not for ever', collided, 8, false, null],
    ['when an answer is lost of what changes nothing', lost, 1, true, 0],
    ['once', lost, 2, true, null],
    ['never when it may have been committed', lost, 1, false, null],
    ['not when it was refused', refused, 1, true, null],
    ['not at once while nobody answers: whoever asked tries later', away, 1, true, null],
  ])('%s', (_, failure, times, repeatable, afterMs) => {
    expect(retryAfterMs(failure, { times, repeatable, chance: 0.5 })).toBe(afterMs);
  });
});

it('a call is one text, or a name with values', () => {
  const call = { routine: 'spillway.apply_batch', values: ["it's", null, '{1,2}', 'a\\b'] };
  expect(asText(call)).toBe(`select * from spillway.apply_batch('it''s',null,'{1,2}', E'a\\\\b')`);
  expect(asPrepared(call)).toEqual({
    name: 'spillway.apply_batch',
    text: 'select * from spillway.apply_batch($1,$2,$3,$4)',
    values: call.values,
  });
  expect(textArray(['a', 'null', ''])).toBe('{"a","null",""}');
});

it('names are in the order of their bytes, as the store has them', () => {
  const names = [
    '',
    'a',
    'aa',
    'b',
    'z',
    '\u00e9',
    '\ud7ff',
    '\ue000',
    '\uffee',
    '\u{1f6eb}',
    '\u{1f6eb}a',
    '\u{10ffff}',
  ];
  const ordered = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  expect(names.toReversed().toSorted(byBytes)).toEqual(ordered);
});
