/** The audit in words: what changed, what is filtered, what the chain's verification means. */
import { auditActions } from '@spillway/shared/audit/actions';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { actionChoices } from '../../src/features/audit/model/action-choices.ts';
import { verbOf } from '../../src/features/audit/model/action-words.ts';
import { isNarrowed, narrowed, parseAuditSearch } from '../../src/features/audit/model/audit-search.ts';
import { changesOf, nameOf, summaryOf } from '../../src/features/audit/model/changes.ts';
import { placeOf } from '../../src/features/audit/model/target-link.ts';
import { verdictWords } from '../../src/features/audit/model/verdict-words.ts';

describe('what changed', () => {
  const before = {
    eventsPerSecond: 300,
    share: null,
    concurrency: 2,
    budget: { amount: '5.00', currency: 'EUR' },
  };
  test('of a throttle, the limits that were changed and no others', () => {
    const after = { ...before, eventsPerSecond: 150, share: 0.25 };
    expect(changesOf(before, after)).toEqual([
      { path: 'eventsPerSecond', label: 'Rate', before: '300 events/s', after: '150 events/s' },
      { path: 'share', label: 'Share', before: 'none', after: '25 %' },
    ]);
    expect(summaryOf(before, after)).toBe('Rate: 300 events/s → 150 events/s, Share: none → 25 %');
  });

  test('of many changes two are said, and how many more there are', () => {
    expect(summaryOf({ a: 1, b: 1, c: 1, d: 1 }, { a: 2, b: 2, c: 2, d: 2 })).toBe(
      'A: 1 → 2, B: 1 → 2 and 2 more',
    );
  });

  test('of what was made, what it is; of what was removed, what it was; nothing that says nothing', () => {
    const probe = { title: 'Queue', query: null, intervalMs: 10_000, events: [] };
    expect(changesOf(null, probe)).toEqual([
      { path: 'title', label: 'Title', before: null, after: 'Queue' },
      { path: 'intervalMs', label: 'Interval', before: null, after: '10 s' },
    ]);
    expect(changesOf(probe, null).map(({ before: was, after }) => [was, after])).toEqual([
      ['Queue', null],
      ['10 s', null],
    ]);
    expect(summaryOf(null, probe)).toBeNull();
  });

  test.each([
    ['money', { budget: { amount: '5.00', currency: 'EUR' } }, 'Budget', '5.00 EUR'],
    [
      'a window',
      { window: { from: '2001-01-01T00:00:00Z', to: '2001-02-01T00:00:00Z' } },
      'Window',
      '1 Jan 2001 – 1 Feb 2001 UTC',
    ],
    ['a time', { expiresAt: '2001-01-01T06:00:00.000Z' }, 'Expires at', '1 Jan 2001 06:00 UTC'],
    ['yes and no', { replayPaused: true }, 'Replay paused', 'yes'],
    ['a list', { sourceIds: ['east', 'west'] }, 'Source ids', 'east, west'],
    ['a size', { streamBytes: 2_048 }, 'Stream', '2 KiB'],
    ['a rate by another name', { capacityEventsPerSecond: 12_000 }, 'Capacity', '12,000 events/s'],
    [
      'what lies deeper',
      { signals: { storeCommitMsP99: { target: 250 } } },
      'Signals, store commit p99, target',
      '250 ms',
    ],
    ['one of several', { gaps: [{ id: 'a' }] }, 'Gaps, no. 1, id', 'a'],
  ])('%s reads as people say it', (_, value, label, text) => {
    const other = Object.fromEntries(Object.keys(value).map((name) => [name, null]));
    expect(changesOf(other, value)).toContainEqual(expect.objectContaining({ label, after: text }));
  });

  test.each([
    [null, { title: 'Pager', url: 'https://x' }, 'Pager'],
    [{ name: 'ci', role: 'viewer' }, null, 'ci'],
    [{ title: 'Old' }, { title: 'New' }, 'Old'],
    [{ eventsPerSecond: 1 }, { eventsPerSecond: 2 }, null],
    [null, null, null],
    ['text', 7, null],
  ])('from %j to %j it is called %s', (was, is, name) => expect(nameOf(was, is)).toBe(name));

  test('nothing changes from a value to itself, and every change has two sides that differ', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        expect(changesOf(one, one)).toEqual([]);
        for (const { before: was, after } of changesOf(one, other)) expect(was).not.toBe(after);
      }),
    );
  });
});

describe('filters in the address', () => {
  test.each([
    [
      { actor: 'ada', action: 'backfill', target: 'bf_1' },
      { actor: 'ada', action: 'backfill', target: 'bf_1' },
    ],
    [{ action: 'backfill.throttle' }, { action: 'backfill.throttle' }],
    [{ action: 'Backfill; drop' }, {}],
    [{ from: '2001-01-01T00:00:00Z', to: 'yesterday' }, { from: '2001-01-01T00:00:00Z' }],
    [{ actor: '', target: undefined, cursor: 'x'.repeat(600) }, {}],
    [{ target: 42, other: 'x' }, { target: '42' }],
    [{ actor: ['ada'] }, {}],
    [{ pipeline: 2001 }, { pipeline: '2001' }],
  ])('%j', (search, read) => {
    expect(parseAuditSearch(search)).toEqual(read);
    expect(parseAuditSearch({ ...parseAuditSearch(search) })).toEqual(read);
  });

  test('a filter that changes begins at the newest; an empty one is lifted', () => {
    const search = { actor: 'ada', cursor: 'abc' };
    expect(narrowed(search, { action: 'backfill' })).toEqual({ actor: 'ada', action: 'backfill' });
    expect(narrowed(search, { actor: '' })).toEqual({});
    expect(isNarrowed({ cursor: 'abc', pipeline: 'us' })).toBe(false);
    expect(isNarrowed(search)).toBe(true);
  });

  test('every action can be chosen, and has a word', () => {
    const offered = actionChoices.flatMap(({ items }) => items.map(({ value }) => value));
    for (const action of auditActions) {
      expect(offered).toContain(action);
      expect(verbOf(action)).not.toBe(action);
    }
    expect(new Set(offered).size).toBe(offered.length);
    expect(verbOf('moon.paint')).toBe('moon.paint');
  });
});

test.each([
  ['backfill.throttle', 'bf_1', { screen: 'backfill', id: 'bf_1' }],
  ['subwindow.retry', 'bf_1', { screen: 'backfill', id: 'bf_1' }],
  ['pipeline.configure', 'flights', { screen: 'pipeline', id: 'flights' }],
  ['probe.create', 'pr_1', { screen: 'pipeline', id: null }],
  ['source.disconnect', 'east', { screen: 'pipeline', id: null }],
  ['token.revoke', 'tok_1', { screen: 'settings' }],
  ['webhook.test', 'wh_1', { screen: 'settings' }],
  ['session.create', 'admin', null],
  ['pipeline.remove', 'orders', null],
])('%s of %s is shown by %j', (action, target, place) => expect(placeOf(action, target)).toEqual(place));

test.each([
  [{ intact: true, entries: 1_234, firstBroken: null }, /^All 1,234 entries are as they were written/],
  [{ intact: true, entries: 0, firstBroken: null }, /^Nothing has been recorded/],
  [{ intact: false, entries: 90, firstBroken: 57 }, /^Entry 57 was changed, removed, or cut off/],
])('%j', (verdict, words) => expect(verdictWords(verdict)).toMatch(words));
