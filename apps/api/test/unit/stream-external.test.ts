import type { EnvelopeMapping } from '@spillway/shared/api/external';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entryIdOf, isBefore, justBefore, offsetOfId } from '../../src/adapters/stream-external/entry-id.ts';
import { encoderOf } from '../../src/adapters/stream-external/envelope.ts';
import { type GroupFacts, lookOf, type StreamFacts } from '../../src/adapters/stream-external/progress.ts';

const event = { id: 'f#7', sourceId: 'us', key: 'JFK', at: Date.UTC(2001, 0, 1, 12), value: -3 };

describe('the envelope', () => {
  test('is CloudEvents 1.0 with the id and time of the event', () => {
    expect(JSON.parse(encoderOf()(event, 'bf_1'))).toEqual({
      specversion: '1.0',
      id: 'f#7',
      source: 'us',
      type: 'spillway.event',
      subject: 'JFK',
      time: '2001-01-01T12:00:00.000Z',
      datacontenttype: 'application/json',
      backfillid: 'bf_1',
      data: { key: 'JFK', value: -3 },
    });
  });

  test('takes each field from where the mapping says, and is the same each time', () => {
    const encode = encoderOf({
      source: { text: '/flights' },
      type: { field: 'sourceId' },
      subject: null,
      data: {
        minutes: { field: 'value' },
        airport: { field: 'key' },
        at: { field: 'at' },
        unit: { text: 'min' },
      },
    });
    const text = encode(event, 'bf_1');
    expect(JSON.parse(text)).toEqual({
      specversion: '1.0',
      id: 'f#7',
      source: '/flights',
      type: 'us',
      time: '2001-01-01T12:00:00.000Z',
      datacontenttype: 'application/json',
      backfillid: 'bf_1',
      data: { minutes: -3, airport: 'JFK', at: '2001-01-01T12:00:00.000Z', unit: 'min' },
    });
    expect(encode({ ...event }, 'bf_1')).toBe(text);
  });

  test.each<[string, EnvelopeMapping, object]>([
    ['the subject is left out', {}, { source: 'us', type: 'spillway.event', data: { key: '', value: -3 } }],
    [
      'source and type are as without a mapping',
      { source: { field: 'key' }, type: { field: 'key' }, subject: { field: 'id' } },
      { source: 'us', type: 'spillway.event', subject: 'f#7', data: { key: '', value: -3 } },
    ],
  ])(
    'has no empty attribute, as CloudEvents forbids, where a key is empty: %s',
    (_what, mapping, expected) => {
      const { specversion, id, time, datacontenttype, backfillid, ...rest } = JSON.parse(
        encoderOf(mapping)({ ...event, key: '' }, 'bf_1'),
      );
      expect(rest).toEqual(expected);
    },
  );
});

describe('ids of entries', () => {
  const id = fc.record({ ms: fc.bigInt(0n, 2n ** 64n - 1n), sequence: fc.bigInt(0n, 2n ** 64n - 1n) });

  test('are in the order of their offsets, and nothing lies between one and the last before it', () => {
    fc.assert(
      fc.property(id, id, (a, b) => {
        expect(offsetOfId(a) < offsetOfId(b)).toBe(isBefore(a, b));
        const before = justBefore(b);
        if (isBefore(a, b)) expect(isBefore(before, a)).toBe(false);
      }),
    );
  });
});

describe('how far the groups are', () => {
  const now = Date.UTC(2026, 0, 1);
  const at = (sequence: number) => entryIdOf(`${now - 1_000}-${sequence}`);
  const offset = (sequence: number) => offsetOfId(at(sequence));
  /** Ten entries, 1 to 10, none removed. */
  const stream: StreamFacts = {
    length: 10,
    newest: at(10),
    oldest: at(1),
    added: 10,
    removed: entryIdOf('0-0'),
  };
  /** Has finished all of them. */
  const group: GroupFacts = {
    name: 'g',
    delivered: at(10),
    read: 10,
    lag: 0,
    pending: 0,
    oldestPending: null,
    nextUndelivered: null,
    countedUndelivered: null,
  };
  const look = (groups: Partial<GroupFacts>[], of: Partial<StreamFacts> = {}) =>
    lookOf(
      { ...stream, ...of },
      groups.map((facts) => ({ ...group, ...facts })),
      now,
    );

  test.each<[string, Partial<GroupFacts>[], Partial<StreamFacts>, object]>([
    [
      'all finished',
      [{}],
      {},
      { position: offset(10), lagEntries: 0, lagMs: 0, finishedEntries: 10, lostEntries: 0 },
    ],
    [
      'an empty stream',
      [{ delivered: at(0), read: 0 }],
      { length: 0, oldest: null, added: 0, newest: at(0) },
      { position: offset(0), lagEntries: 0 },
    ],
    [
      'nothing delivered',
      [{ delivered: at(0), read: 0, lag: 10, nextUndelivered: at(1) }],
      {},
      { position: offset(0), lagEntries: 10, lagMs: 1_000, finishedEntries: 0 },
    ],
    [
      'delivered, and one in the middle is pending',
      [{ pending: 1, oldestPending: at(4) }],
      {},
      { position: offset(3), lagEntries: 1, lagMs: 1_000 },
    ],
    [
      'pending beyond what is delivered next',
      [{ delivered: at(6), lag: 4, pending: 2, oldestPending: at(5), nextUndelivered: at(7) }],
      {},
      { position: offset(4), lagEntries: 6 },
    ],
    [
      'the slowest of two counts',
      [
        { delivered: at(8), lag: 2, nextUndelivered: at(9) },
        { pending: 3, oldestPending: at(2) },
      ],
      {},
      { position: offset(1), lagEntries: 3 },
    ],
    [
      'the last one was removed after it was finished',
      [{ delivered: at(9) }],
      { length: 9, added: 10 },
      { position: offset(10), lagEntries: 0 },
    ],
    [
      'a lag of nil, counted',
      [{ delivered: at(6), read: null, lag: null, nextUndelivered: at(7), countedUndelivered: 4 }],
      {},
      { position: offset(6), lagEntries: 4 },
    ],
    [
      'a lag of nil that nobody counted, of a group that has been given it does not say how many',
      [{ delivered: at(6), read: null, lag: null, nextUndelivered: at(7) }],
      {},
      { position: offset(6), lagEntries: null, finishedEntries: null },
    ],
    [
      'a lag of nil since the last delivered was removed when it was finished',
      [{ delivered: at(6), read: 6, lag: null, pending: 1, oldestPending: at(2), nextUndelivered: at(7) }],
      { length: 9, removed: at(6) },
      { position: offset(1), lagEntries: 5, finishedEntries: 5 },
    ],
    [
      'a lag of nil since one was removed that was not delivered',
      [{ delivered: at(6), read: 6, lag: null, nextUndelivered: at(7), countedUndelivered: 3 }],
      { length: 9, removed: at(8) },
      { lagEntries: 3 },
    ],
    [
      'a lag of nil where all that is there is undelivered',
      [{ delivered: at(4), read: 4, lag: null, nextUndelivered: at(5) }],
      { length: 6, oldest: at(5) },
      { position: offset(4), lagEntries: 6, lostEntries: 0 },
    ],
    [
      'three that were trimmed before they were read',
      [{ delivered: at(4), read: 4, lag: 6, nextUndelivered: at(8) }],
      { length: 3, oldest: at(8) },
      { lostEntries: 3 },
    ],
    [
      'everything trimmed before it was read',
      [{ delivered: at(4), read: 4, lag: 6 }],
      { length: 0, oldest: null },
      { lostEntries: 6 },
    ],
    [
      'trimmed, and the server does not know how much was read',
      [{ delivered: at(4), read: null, lag: null, nextUndelivered: at(8) }],
      { length: 3, oldest: at(8) },
      { lostEntries: 0, lagEntries: 3 },
    ],
    [
      'ids that are no times have no age',
      [{ pending: 1, oldestPending: entryIdOf('5-1') }],
      {},
      { lagMs: null, position: offsetOfId(entryIdOf('5-0')) },
    ],
  ])('%s', (_what, groups, of, expected) => {
    expect(look(groups, of)).toMatchObject(expected);
  });

  test('what is pending or undelivered is never passed, whatever the server says', () => {
    const place = fc.integer({ min: 1, max: 10 });
    fc.assert(
      fc.property(fc.option(place, { nil: null }), fc.option(place, { nil: null }), (pending, next) => {
        const { position } = look([
          {
            oldestPending: pending === null ? null : at(pending),
            nextUndelivered: next === null ? null : at(next),
            countedUndelivered: 1,
            lag: null,
          },
        ]);
        for (const unfinished of [pending, next])
          if (unfinished !== null) expect(position < offset(unfinished)).toBe(true);
      }),
    );
  });
});
