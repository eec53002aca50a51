import type { Backfill, Effective, Limits } from '@spillway/shared/api/backfill';
import { describe, expect, it } from 'vitest';
import { usedRate } from '../../src/features/backfill/model/applied.ts';
import {
  isNarrowed,
  narrowed,
  parseBackfillsSearch,
  readStates,
  sameStates,
  writeStates,
} from '../../src/features/backfill/model/backfills-search.ts';
import { bindingSentence, bindingWords, ceilingBars } from '../../src/features/backfill/model/ceilings.ts';
import { currentOf, shownOnNow } from '../../src/features/backfill/model/current.ts';
import { expectedWords, ofExpected } from '../../src/features/backfill/model/expected.ts';
import { lanePaths, laneShare } from '../../src/features/backfill/model/heat-strip.ts';
import {
  describeChange,
  describeLimits,
  draftOf,
  patchOf,
  sameLimits,
} from '../../src/features/backfill/model/limits.ts';
import { mayGrow, moreRows, shownWords } from '../../src/features/backfill/model/quarantine.ts';
import { codeFromFragment, codeFromInput } from '../../src/features/session/model/sign-in-code.ts';
import { describeMarker } from '../../src/features/telemetry/model/markers.ts';
import { hotkeys } from '../../src/lib/hotkeys.ts';

const effective: Effective = {
  eventsPerSecond: 7_640,
  binding: 'share',
  ceilings: [
    { reason: 'operator', eventsPerSecond: null, detail: 'no rate set' },
    { reason: 'live_first', eventsPerSecond: 15_280, detail: 'capacity less live less headroom' },
    { reason: 'share', eventsPerSecond: 7_640, detail: '20 % of 38,200 events/s' },
  ],
};

it.each([
  [{ eventsExpected: 1_234, eventsEstimated: null }, '1,234', ' of 1,234 events'],
  [
    { eventsExpected: null, eventsEstimated: { low: 500, likely: 1_000, high: 2_000 } },
    'about 1,000',
    ' of about 1,000 events, estimated',
  ],
  [{ eventsExpected: null, eventsEstimated: null }, 'unknown', ' events; expected: unknown'],
])('%j is %s', (progress, figure, words) => {
  expect(expectedWords(progress)[0]).toBe(figure);
  expect(ofExpected(progress)).toBe(words);
});

it.each([
  { shown: 1, limit: 50, quarantined: 1, words: '1 event', more: null, grows: false },
  { shown: 50, limit: 50, quarantined: 50, words: '50 events', more: null, grows: false },
  { shown: 50, limit: 50, quarantined: 51, words: 'The first 50 of 51 events', more: 200, grows: false },
  // Counted and not yet listed, or read by two attempts: a longer page would not have it.
  { shown: 2, limit: 50, quarantined: 3, words: 'The first 2 of 3 events', more: null, grows: true },
  { shown: 0, limit: 50, quarantined: 3, words: 'The first 0 of 3 events', more: null, grows: true },
  {
    shown: 200,
    limit: 200,
    quarantined: 1_234,
    words: 'The first 200 of 1,234 events',
    more: null,
    grows: false,
  },
  // The list may be ahead of the figures.
  { shown: 3, limit: 50, quarantined: 2, words: '3 events', more: null, grows: false },
])('of $quarantined events in quarantine, $shown of up to $limit shown: $words', (given) => {
  expect(shownWords(given)).toBe(given.words);
  expect(moreRows(given)).toBe(given.more);
  expect(mayGrow(given)).toBe(given.grows);
});

describe('ceilings', () => {
  const rates = (publishedEventsPerSecond: number | null) => ({ publishedEventsPerSecond });
  const sentence = (given: Effective) =>
    bindingSentence({ state: 'running', effective: given }, null, undefined);

  it('name the binding one in words', () => {
    expect(sentence(effective)).toBe(
      '7,640 events/s allowed, limited by its share of capacity: 20 % of 38,200 events/s.',
    );
    const detail = 'the capacity has not been measured yet: a share of it means nothing';
    expect(
      sentence({
        eventsPerSecond: 0,
        binding: 'capacity_unknown',
        ceilings: [{ reason: 'capacity_unknown', eventsPerSecond: 0, detail }],
      }),
      'says nothing twice',
    ).toBe(`0 events/s allowed, ${detail}.`);
    const absent = 'no replay worker tagged isolated has reported in the last seconds';
    expect(
      sentence({
        eventsPerSecond: 0,
        binding: 'no_worker',
        ceilings: [{ reason: 'no_worker', eventsPerSecond: 0, detail: absent }],
      }),
    ).toBe(`0 events/s allowed, waits for a worker: ${absent}.`);
    expect(sentence({ ...effective, binding: null })).toBe('7,640 events/s allowed, nothing limits it.');
  });

  it.each([
    ['verifying', 'being proved', 'Nothing is replayed: being proved.'],
    ['queued', 'queued', 'Nothing is replayed: queued.'],
    ['cancelling', 'being cancelled', 'Nothing is replayed: being cancelled.'],
    ['running', 'no rate has been decided yet', 'Nothing is replayed: no rate has been decided yet.'],
  ] as const)('where no rate is decided for it, say what it is: %s', (state, words, told) => {
    const unrated = { state, effective: { eventsPerSecond: 0, binding: null, ceilings: [] } };
    expect(bindingWords(unrated, 0)).toBe(words);
    expect(bindingSentence(unrated, 0, undefined)).toBe(told);
  });

  it('bind only what is used of them by half', () => {
    const running = { state: 'running', effective } as const;
    const cause = 'stream: appends take 62 % of the reader’s time';
    for (const reached of [null, 3_820, 9_000])
      expect(bindingWords(running, reached)).toBe('limited by its share of capacity');
    expect(bindingWords(running, 3_819)).toBe('of 7,640 events/s allowed');
    expect(bindingSentence(running, 535, cause)).toBe(
      `7,640 events/s allowed, of which 7 % is used: no limit holds it back. Why: ${cause}.`,
    );
    expect(bindingSentence(running, 0, undefined)).toBe(
      '7,640 events/s allowed, of which 0 % is used: no limit holds it back.',
    );
    expect(ceilingBars(effective, 535, false).filter(({ binding }) => binding)).toEqual([]);
    expect([
      usedRate(15, rates(14)),
      usedRate(0, rates(85)),
      usedRate(null, rates(9)),
      usedRate(3, rates(null)),
    ]).toEqual([15, 85, 9, 3]);
  });

  it('stand on one scale, the lowest first, those that do not limit last', () => {
    expect(
      ceilingBars(effective, 7_000).map(({ reason, length, binding }) => [reason, length, binding]),
    ).toEqual([
      ['share', 0.5, true],
      ['live_first', 1, false],
      ['operator', null, false],
    ]);
  });

  it('are not made dots by a limit far above all others', () => {
    const wide: Effective = {
      ...effective,
      ceilings: [...effective.ceilings, { reason: 'operator', eventsPerSecond: 9_000_000, detail: '' }],
    };
    expect(
      ceilingBars(wide, 7_000).map(({ length, beyond }) => [length, beyond]),
      'cut off at the end of the scale',
    ).toEqual([
      [0.5, false],
      [1, false],
      [1, true],
      [null, false],
    ]);
  });

  it('have a scale even when everything is nought', () => {
    const stopped: Effective = {
      eventsPerSecond: 0,
      binding: 'hold',
      ceilings: [{ reason: 'hold', eventsPerSecond: 0, detail: '' }],
    };
    expect(ceilingBars(stopped, null)[0]?.length).toBe(0);
  });
});

describe('limits', () => {
  const limits: Limits = { eventsPerSecond: null, share: 0.2, concurrency: 2, budget: null };

  it('are one rate or one share: setting one clears the other', () => {
    const draft = draftOf(limits, 0.5, 1_000);
    expect(draft).toEqual({ by: 'share', eventsPerSecond: 1_000, sharePercent: 20, concurrency: 2 });
    expect(patchOf({ ...draft, sharePercent: 30 }, limits, 0.5)).toEqual({
      eventsPerSecond: null,
      share: 0.3,
    });
    expect(patchOf({ ...draft, by: 'rate', concurrency: 3 }, limits, 0.5)).toEqual({
      eventsPerSecond: 1_000,
      share: null,
      concurrency: 3,
    });
  });

  it.each([
    ['a share beside a rate', { eventsPerSecond: 900, share: 0.1 }],
    ['the pipeline’s own share', { eventsPerSecond: null, share: null }],
    ['a share between two percents', { eventsPerSecond: null, share: 0.125 }],
  ])('%s stays when only the concurrency is changed', (_name, of) => {
    const before = { ...limits, ...of };
    const draft = { ...draftOf(before, 0.5, 1_000), concurrency: 4 };
    expect(patchOf(draft, before, 0.5)).toEqual({ concurrency: 4 });
  });

  it('say what is in force and what somebody changed', () => {
    expect(describeLimits({ ...limits, share: null }, 0.5)).toBe(
      'the pipeline’s default share, 50 % of capacity; concurrency 2',
    );
    const changed = { ...limits, share: null, eventsPerSecond: 1_200 };
    expect(describeChange(limits, changed)).toEqual([
      'rate: no rate → 1,200 events/s',
      'share: 20 % of capacity → no share',
    ]);
    const budget = { amount: '5.00', currency: 'USD' };
    expect(describeChange(limits, { ...limits, budget })).toEqual(['budget: none → 5.00 USD']);
    expect(sameLimits(limits, { ...limits })).toBe(true);
    expect(sameLimits(limits, changed)).toBe(false);
  });
});

describe('current backfills', () => {
  const backfill = (id: string, second: number, state: Backfill['state'], revision = 1) =>
    ({ id, state, revision, createdAt: new Date(second * 1_000).toISOString() }) as Backfill;

  it('are in the order of the queue: what runs above what waits, whatever waits more than is listed', () => {
    const atWork = { items: [backfill('b', 2, 'running'), backfill('a', 1, 'pausing')], total: 2 };
    const rest = { items: [backfill('z', 90, 'queued'), backfill('y', 80, 'queued')], total: 70 };
    expect(currentOf(atWork, rest).items.map(({ id }) => id)).toEqual(['a', 'b', 'y', 'z']);
    expect(currentOf(atWork, rest).leftOut).toBe(68);
    expect(currentOf(atWork, { ...rest, total: 2 }).leftOut).toBe(0);
  });

  it('hold one that changed between the two answers once, as it was last', () => {
    const paused = backfill('a', 1, 'paused', 8);
    const one = { items: [backfill('a', 1, 'running', 7)], total: 1 };
    const other = { items: [paused], total: 1 };
    expect(currentOf(one, other).items).toEqual([paused]);
    expect(currentOf(other, one).items).toEqual([paused]);
  });
});

describe('Now', () => {
  it('lists all that is at work, what failed, and the first of what waits', () => {
    const states = ['paused', ...Array(20).fill('queued'), 'running', 'failed', 'cancelling'] as const;
    const all = states.map((state, index) => ({ id: `${index}`, state }) as Backfill);
    expect(shownOnNow(all).map(({ id }) => Number(id))).toEqual([0, 1, 2, 3, 4, 5, 6, 21, 22, 23]);
  });
});

describe('heat-strip', () => {
  it('draws neighbouring bins that look alike as one', () => {
    const paths = lanePaths(
      { sourceId: 'east', done: [1, 1, 0, 0], active: [0, 0, 0.5, 0], failed: [0, 0, 0, 0] },
      100,
      20,
    );
    expect(paths).toEqual({ done: 'M0 0h50v20h-50z', active: 'M50 10h25v10h-25z', failed: '' });
  });

  it('never draws a failure too thin to be seen', () => {
    const paths = lanePaths({ sourceId: 'east', done: [0.99], active: [0], failed: [0.01] }, 100, 20);
    expect(paths.failed).toBe('M0 0h100v5h-100z');
  });

  it('stays small for any number of bins', () => {
    const bins = 100_000;
    const full = (value: number) => new Array<number>(bins).fill(value);
    const paths = lanePaths({ sourceId: 'east', done: full(1), active: full(0), failed: full(0) }, 960, 20);
    expect(paths.done.length).toBeLessThan(40);
    expect(laneShare([1, 0, 0.5, 0.5])).toBe(0.5);
    expect(laneShare([])).toBe(0);
  });
});

describe('filters in the address', () => {
  it('keep what is a state and drop the rest', () => {
    expect(parseBackfillsSearch({ state: 'failed,running,nonsense', cursor: 'abc', other: 1 })).toEqual({
      state: 'running,failed',
      cursor: 'abc',
    });
    expect(parseBackfillsSearch({ state: 'nonsense', cursor: 'x'.repeat(513) })).toEqual({});
    expect(parseBackfillsSearch({ state: ['running'] })).toEqual({});
    expect(
      parseBackfillsSearch({ text: ' feed was down ', source: 'west', createdBy: 42, cursor: 'abc' }),
    ).toEqual({ text: 'feed was down', source: 'west', createdBy: '42', cursor: 'abc' });
    expect(parseBackfillsSearch({ text: ' ', source: 'no such thing!', createdBy: 'x'.repeat(101) })).toEqual(
      {},
    );
    expect(narrowed({ state: 'failed', text: 'feed', cursor: 'abc' }, { text: '', source: 'east' })).toEqual({
      state: 'failed',
      source: 'east',
    });
    // The pipeline of the other screens is kept for them, and is no filter.
    expect(narrowed({ pipeline: 'us', text: 'feed' }, { text: '' })).toEqual({ pipeline: 'us' });
    expect([isNarrowed({ cursor: 'abc', pipeline: 'us' }), isNarrowed({ text: 'feed' })]).toEqual([
      false,
      true,
    ]);
    expect(writeStates([])).toBeUndefined();
    expect(sameStates(readStates('paused,queued'), ['queued', 'paused'])).toBe(true);
    expect(sameStates(readStates('paused'), ['queued', 'paused'])).toBe(false);
  });
});

describe('sign-in code', () => {
  it('is found in a fragment, and in whatever was pasted', () => {
    expect(codeFromFragment('#code=abc-DEF_123')).toBe('abc-DEF_123');
    expect(codeFromFragment('#elsewhere')).toBeNull();
    expect(codeFromFragment('#code=')).toBeNull();
    expect(codeFromInput(' Spillway is ready on http://127.0.0.1:7878/#code=abc ')).toBe('abc');
    expect(codeFromInput(' abc ')).toBe('abc');
  });
});

describe('markers', () => {
  it('say who did what to which backfill', () => {
    const marker = {
      at: '2026-01-01T00:00:00Z',
      actor: 'mira',
      action: 'backfill.throttle',
      backfillId: 'bf_12',
      detail: '2,000 events/s',
    };
    expect(describeMarker(marker)).toBe('mira throttled bf_12: 2,000 events/s');
    expect(describeMarker({ ...marker, detail: '→ 2,000 events/s' })).toBe(
      'mira throttled bf_12 → 2,000 events/s',
    );
    expect(describeMarker({ ...marker, backfillId: 'bf_c7dd400e07e54cd6a5b6', detail: null })).toBe(
      'mira throttled bf_c7dd40',
    );
    expect(describeMarker({ ...marker, action: 'drill.start', backfillId: null, detail: null })).toBe(
      'mira drill.start',
    );
  });
});

describe('keys', () => {
  const press = (key: string, more: Partial<KeyboardEvent> = {}) =>
    ({
      key,
      ctrlKey: false,
      metaKey: false,
      altKey: false,
      defaultPrevented: false,
      target: null,
      preventDefault() {},
      ...more,
    }) as KeyboardEvent;

  it('take single keys and sequences, a sequence only within a second', () => {
    let nowMs = 0;
    const pressed: string[] = [];
    const onKey = hotkeys({ 'g n': () => pressed.push('g n'), n: () => pressed.push('n') }, () => nowMs);
    onKey(press('g'));
    onKey(press('n'));
    onKey(press('g'));
    nowMs = 1_500;
    onKey(press('n'));
    expect(pressed).toEqual(['g n', 'n']);
  });

  it('what follows the beginning of a sequence is never a key of its own: "g p" does not pause', () => {
    const pressed: string[] = [];
    const shell = hotkeys({ 'g p': () => pressed.push('pipeline') }, () => 0);
    const row = hotkeys({ p: () => pressed.push('pause') }, () => 0);
    for (const key of ['g', 'p', 'p']) {
      row(press(key));
      shell(press(key));
    }
    expect(pressed).toEqual(['pipeline', 'pause']);
  });

  it('leave keys with a modifier to the browser', () => {
    const pressed: string[] = [];
    const onKey = hotkeys({ p: () => pressed.push('p') }, () => 0);
    onKey(press('p', { ctrlKey: true }));
    onKey(press('p', { metaKey: true }));
    expect(pressed).toEqual([]);
  });

  it('but for one that is bound with it: Ctrl or ⌘, and never without', () => {
    const pressed: string[] = [];
    const onKey = hotkeys({ 'mod+k': () => pressed.push('palette'), k: () => pressed.push('up') }, () => 0);
    onKey(press('k'));
    onKey(press('k', { ctrlKey: true }));
    onKey(press('K', { metaKey: true }));
    onKey(press('k', { ctrlKey: true, altKey: true }));
    onKey(press('g'));
    onKey(press('k', { ctrlKey: true }));
    expect(pressed).toEqual(['up', 'palette', 'palette', 'palette']);
  });
});
