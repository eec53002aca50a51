import type { Backfill } from '@spillway/shared/api/backfill';
import type { Alert, Drill } from '@spillway/shared/api/governor';
import type { Moment } from '@spillway/shared/api/past';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drillAt } from '../../src/features/drills/model/drill-at.ts';
import { backfillAt } from '../../src/features/past/model/backfill-at.ts';
import {
  agoWords,
  binWords,
  edgeWords,
  momentWords,
  recordedWords,
  stepWords,
} from '../../src/features/past/model/bar-words.ts';
import { chunkOf, momentAt, nearest, nextChunk, stepMsAt } from '../../src/features/past/model/chunks.ts';
import { momentMs, parsePastSearch } from '../../src/features/past/model/past-search.ts';
import {
  markNear,
  marksOf,
  momentAfterKey,
  momentAtPlace,
  nextMark,
  placeOf,
  rangeOf,
  spanFor,
} from '../../src/features/past/model/time-bar.ts';

const now = Date.UTC(2026, 0, 31, 14, 15, 0);
const minute = 60_000;
const hour = 60 * minute;
const range = { fromMs: now - hour, toMs: now };
const moment = (at: number, change: Partial<Moment> = {}) =>
  ({ at, backfills: [], backfillsLeftOut: 0, ...change }) as unknown as Moment;

describe('the moment of the address', () => {
  it.each([
    ['2026-01-31T14:03:21Z', Date.UTC(2026, 0, 31, 14, 3, 21)],
    ['2026-01-31T14:03:21.900Z', Date.UTC(2026, 0, 31, 14, 3, 21)],
    ['yesterday', null],
    ['2026-01-31', null],
    ['2026-01-31T14:03:21+01:00', null],
    ['2026-13-31T14:03:21Z', null],
    ['2026-02-30T14:03:21Z', null],
  ])('%s', (text, expected) => {
    expect(momentMs(text)).toBe(expected);
  });

  it('is kept as it was typed, so that what is no time never shows the present', () => {
    expect(parsePastSearch({})).toEqual({});
    expect(parsePastSearch({ at: '' })).toEqual({});
    expect(parsePastSearch({ at: 12 })).toEqual({ at: '12' });
    expect(parsePastSearch({ at: 'banana', pipeline: 'x' })).toEqual({ at: 'banana' });
  });
});

describe('chunks of the past', () => {
  it('are as fine as the past is kept, and coarser a little before the server drops the finer', () => {
    expect(
      [0, 57, 59, 61, 23 * 60, 23 * 60 + 55, 30 * 24 * 60].map((ago) => stepMsAt(now - ago * minute, now)),
    ).toEqual([1_000, 1_000, 10_000, 10_000, 10_000, 60_000, 60_000]);
  });

  it('contain their moment, and a little before it; a neighbour in the same chunk asks for nothing new', () => {
    fc.assert(
      fc.property(fc.nat(10 ** 9), fc.constantFrom(1_000, 10_000, 60_000), (seconds, stepMs) => {
        const at = now - seconds * 1_000;
        const chunk = chunkOf(at, stepMs);
        expect(at - chunk.fromMs).toBeGreaterThanOrEqual(Math.min(5_000, stepMs));
        expect(at).toBeLessThan(chunk.toMs);
        expect((chunk.toMs - chunk.fromMs) / stepMs, 'what one answer may hold').toBeLessThanOrEqual(60);
        const soon = nextChunk(at, stepMs);
        const apart = soon === null ? null : Math.abs(soon.toMs - chunk.toMs);
        expect([null, 30 * stepMs]).toContain(apart);
      }),
    );
  });

  it('are fetched ahead on the side that is near', () => {
    const begin = Math.floor(now / 30_000) * 30_000;
    expect(nextChunk(begin + 2_000, 1_000)).toEqual(chunkOf(begin - 1, 1_000));
    expect(nextChunk(begin + 15_000, 1_000)).toBe(null);
    expect(nextChunk(begin + 25_000, 1_000)).toEqual(chunkOf(begin + 30_000, 1_000));
  });

  it('a moment is told by the newest second up to it, for five seconds', () => {
    const items = [now - 9_000, now - 8_000, now - 2_000].map((at) => moment(at));
    const found = (at: number, stepMs = 1_000) => momentAt(items, at, stepMs)?.at ?? null;
    expect(found(now - 8_000)).toBe(now - 8_000);
    expect(found(now - 4_000)).toBe(now - 8_000);
    expect(found(now - 3_000), 'five seconds are over').toBe(null);
    expect(found(now - 9_500), 'nothing later stands for it').toBe(null);
    expect(found(now + 20_000, 60_000)).toBe(now - 2_000);
    expect(nearest(items, now - 5_500)?.at).toBe(now - 8_000);
    expect(nearest([], now)).toBe(null);
  });
});

describe('the time bar', () => {
  it('reaches back as far as its moment', () => {
    expect([0, 59 * minute, 2 * hour, 25 * hour, 40 * 24 * hour].map(spanFor)).toEqual([
      'PT1H',
      'PT1H',
      'P1D',
      'P30D',
      'P30D',
    ]);
  });

  it('gives no room to what lies before anything was recorded, and is never too short to drag on', () => {
    const iso = (ms: number) => new Date(ms).toISOString();
    const of = (recordedFrom: number | null) =>
      rangeOf({
        from: iso(now - hour),
        to: iso(now),
        recordedFrom: recordedFrom === null ? null : iso(recordedFrom),
      }).fromMs;
    expect(of(now - 5 * hour)).toBe(now - hour);
    expect(of(now - 10 * minute)).toBe(now - 10 * minute);
    expect(of(now - 1_000)).toBe(now - 2 * minute);
    expect(of(null)).toBe(now - 2 * minute);
  });

  it('a place is a moment and back, and its end is the present', () => {
    expect(momentAtPlace(1, range, 1_000)).toBe(null);
    expect(momentAtPlace(-0.3, range, 1_000)).toBe(range.fromMs);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.998, noNaN: true }), (place) => {
        const at = momentAtPlace(place, range, 1_000) as number;
        expect(at % 1_000).toBe(0);
        expect(Math.abs(placeOf(at, range) - place)).toBeLessThan(0.001);
      }),
    );
  });

  const at = now - 10 * minute;
  it.each([
    ['ArrowLeft', at, at - 1_000],
    ['ArrowDown', at, at - 1_000],
    ['ArrowRight', at, at + 1_000],
    ['PageDown', at, at - 30_000],
    ['PageUp', at, at + 30_000],
    ['Home', at, range.fromMs],
    ['End', at, null],
    ['Escape', at, null],
    ['ArrowLeft', null, now - 1_000],
    ['PageDown', null, now - 30_000],
    ['ArrowRight', null, null],
    ['ArrowRight', now - 1_000, null],
    ['ArrowLeft', range.fromMs, range.fromMs],
    ['x', at, undefined],
    ['Tab', at, undefined],
  ])('%s from %s', (key, from, expected) => {
    expect(momentAfterKey(key, from, range, 1_000)).toBe(expected);
  });

  const alert = (raisedAt: number, clearedAt: number | null, severity: Alert['severity'] = 'critical') =>
    ({
      code: 'store_stalled',
      severity,
      detail: 'no answer for 4 s',
      raisedAt: new Date(raisedAt).toISOString(),
      clearedAt: clearedAt === null ? null : new Date(clearedAt).toISOString(),
    }) as Alert;
  const deed = (when: number) => ({
    at: new Date(when).toISOString(),
    actor: 'mira',
    action: 'backfill.pause',
    backfillId: 'bf_12',
    detail: null,
  });
  const marks = marksOf({
    markers: [deed(now - 30 * minute), deed(now - 5 * minute)],
    alerts: [alert(now - 20 * minute - 400, now - 18 * minute), alert(now - 2 * minute, null, 'warning')],
    to: new Date(now).toISOString(),
  });

  it('marks deeds as moments and alerts as stretches; one that is raised reaches to now', () => {
    expect(marks.map(({ kind, untilMs }) => [kind, untilMs])).toEqual([
      ['deed', null],
      ['critical', now - 18 * minute],
      ['deed', null],
      ['warning', now],
    ]);
    expect(marks[0]?.text).toBe('mira paused bf_12');
    expect(marks[1]?.text, 'what it said last is not what it said then').toBe(
      'Store stalled, critical, 13:54:59 – 13:57:00 UTC',
    );
  });

  it('jumps from mark to mark, to the first second that shows it', () => {
    const next = (from: number | null, direction: -1 | 1) => nextMark(marks, from, direction, range, 1_000);
    expect(next(null, -1)).toBe(now - 2 * minute);
    expect(next(now - 5 * minute, -1)).toBe(now - 20 * minute);
    expect(next(now - 30 * minute, -1)).toBe(null);
    expect(next(now - 30 * minute, 1)).toBe(now - 20 * minute);
    expect(next(now - 2 * minute, 1)).toBe(null);
  });

  it('names the mark that is near, a deed before the stretch it lies in', () => {
    expect(markNear(marks, now - 19 * minute, 1_000)?.kind).toBe('critical');
    expect(markNear(marks, now - 5 * minute + 900, 1_000)?.kind).toBe('deed');
    expect(markNear(marks, now - 10 * minute, 1_000)).toBe(null);
    const within = [
      ...marks,
      { atMs: now - 19 * minute + 900, untilMs: null, kind: 'deed' as const, text: 'in it' },
    ];
    expect(markNear(within, now - 19 * minute, 1_000)?.text).toBe('in it');
  });

  it('says how long ago in one unit, and what a longer step holds', () => {
    expect([0, 59_000, 12 * minute + 4_000, 3 * hour, 50 * hour].map(agoWords)).toEqual([
      '0 s ago',
      '59 s ago',
      '12 min ago',
      '3 h ago',
      '2 d ago',
    ]);
    expect(stepWords('PT1S')).toBe(null);
    expect(stepWords('PT10S')).toContain('10-second means');
    expect(stepWords('PT1M')).toContain('1-minute means');
  });
});

describe('what the time bar says', () => {
  const iso = (ms: number) => new Date(ms).toISOString();
  const bar = {
    from: iso(now - hour),
    to: iso(now),
    recordedFrom: iso(now - 2 * hour),
    binMs: 20_000,
    bins: [{ at: now - 10 * minute, liveFreshnessMsP99: 4_000, replayEventsPerSecond: null }],
    markers: [],
    alerts: [],
  };

  it('names the moment by the clock for half a day, then with its date; what has not come is not ago', () => {
    expect(momentWords(now - 12 * minute, now)).toBe('14:03:00 UTC, 12 min ago');
    expect(momentWords(now - 26 * hour, now)).toBe('30 Jan 2026 12:15 UTC, 1 d ago');
    expect(momentWords(now + minute, now)).toBe('14:16:00 UTC');
  });

  it('says how far back it reaches, and what is known of a place', () => {
    expect(edgeWords({ fromMs: now - hour, toMs: now })).toBe('13:15');
    expect(edgeWords({ fromMs: now - 5 * minute, toMs: now })).toBe('14:10:00');
    expect(edgeWords({ fromMs: now - 24 * hour, toMs: now })).toBe('30 Jan 2026 14:15');
    expect(recordedWords({ ...bar, recordedFrom: null }, 'PT1H')).toBe('nothing is recorded yet');
    expect(recordedWords({ ...bar, recordedFrom: iso(now - minute) }, 'PT1H')).toBe(
      'recorded since 14:14:00 UTC',
    );
    expect(recordedWords(bar, 'PT1H')).toContain('arrow keys');
    expect(binWords(bar, now - 10 * minute + 19_000)).toBe('live 4 s fresh at worst');
    expect(binWords(bar, now - 11 * minute)).toBe('not recorded');
    expect(binWords(bar, now - 10_000), 'not on the bar yet').toBe('');
  });
});

describe('a backfill at a moment', () => {
  const iso = (ms: number) => new Date(ms).toISOString();
  const present = (change: Partial<Backfill> = {}) =>
    ({
      id: 'bf_1',
      state: 'running',
      createdAt: iso(now - hour),
      endedAt: null,
      allowedActions: ['pause'],
      ...change,
    }) as Backfill;
  const recorded = { ...present(), state: 'queued', allowedActions: [] } as unknown as Backfill;

  it('is as it was recorded', () => {
    const at = now - 30 * minute;
    expect(backfillAt(present(), moment(at, { backfills: [recorded] }))).toBe(recorded);
  });

  it.each([
    ['before it was started', present(), moment(now - 2 * hour), 'It had not been started yet.'],
    ['that was not recorded', present(), moment(now - minute), 'It was not recorded at this moment.'],
    [
      'of too many',
      present(),
      moment(now - minute, { backfillsLeftOut: 4 }),
      'More backfills were unfinished than are recorded at once, and this was not among those that were.',
    ],
    [
      'that ended only after it',
      present({ state: 'completed', endedAt: iso(now) }),
      moment(now - minute),
      'It was not recorded at this moment.',
    ],
  ])('%s: never what it is now', (_, is, then, expected) => {
    expect(backfillAt(is, then)).toBe(expected);
  });

  it('that had ended is as it is, and nothing can be done to it', () => {
    const ended = present({ state: 'completed', endedAt: iso(now - 10 * minute) });
    expect(backfillAt(ended, moment(now - minute))).toEqual({ ...ended, allowedActions: [] });
  });
});

describe('a drill at a moment', () => {
  const iso = (ms: number) => new Date(ms).toISOString();
  const drill = {
    state: 'finished',
    stalledAt: iso(now - 60_000),
    releasedAt: iso(now - 52_000),
    recoveredAt: iso(now - 40_000),
  } as Drill;
  it.each([
    [61_000, undefined],
    [60_000, 'stalling'],
    [53_000, 'stalling'],
    [52_000, 'recovering'],
    [41_000, 'recovering'],
    [40_000, undefined],
  ])('%s ms ago', (ago, state) => {
    expect(drillAt([drill], now - ago)?.state).toBe(state);
  });
  it('that was released early is told as such from its release on', () => {
    const early = { ...drill, releasedBy: 'dana' };
    expect(drillAt([early], now - 53_000)?.releasedBy).toBeNull();
    expect(drillAt([early], now - 52_000)?.releasedBy).toBe('dana');
  });
  it('that never stalled was none', () => {
    expect(drillAt([{ ...drill, stalledAt: null }], now - 55_000)).toBe(undefined);
  });
});
