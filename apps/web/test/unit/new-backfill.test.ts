import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  brushWindow,
  countWithin,
  coverageStepMs,
  holes,
  nudge,
  type Scale,
} from '../../src/features/new-backfill/model/brush.ts';
import { curlText, shellQuote } from '../../src/features/new-backfill/model/curl.ts';
import { dateTicks, formatDateTick } from '../../src/features/new-backfill/model/date-ticks.ts';
import {
  bodyOf,
  checkDraft,
  countSubwindows,
  type Draft,
  fieldAt,
  problemsOf,
} from '../../src/features/new-backfill/model/draft.ts';
import { parseNewBackfillSearch } from '../../src/features/new-backfill/model/new-backfill-search.ts';
import { checkAgainstSchema } from '../../src/features/new-backfill/model/schema-check.ts';

const day = 86_400_000;
const from = Date.UTC(2001, 0, 1);
const scale: Scale = { fromMs: from, toMs: from + 10 * day, stepMs: day };

describe('brush', () => {
  it('takes every step it touches, in either direction', () => {
    expect(brushWindow(scale, 0.25, 0.45)).toEqual({ fromMs: from + 2 * day, toMs: from + 5 * day });
    expect(brushWindow(scale, 0.45, 0.25)).toEqual(brushWindow(scale, 0.25, 0.45));
    expect(brushWindow(scale, 0.31, 0.31)).toEqual({ fromMs: from + 3 * day, toMs: from + 4 * day });
  });

  it('stays inside the map however far the pointer goes', () => {
    expect(brushWindow(scale, -3, 9)).toEqual({ fromMs: scale.fromMs, toMs: scale.toMs });
    const crooked: Scale = { fromMs: from + 1, toMs: from + 10 * day - 5, stepMs: day };
    expect(brushWindow(crooked, 0, 1)).toEqual({ fromMs: crooked.fromMs, toMs: crooked.toMs });
  });

  it('moves an edge by steps, never past the other edge or the map', () => {
    const span = { fromMs: from + 2 * day, toMs: from + 4 * day };
    expect(nudge(scale, span, 'to', 1)).toEqual({ ...span, toMs: from + 5 * day });
    expect(nudge(scale, span, 'to', -9)).toEqual({ ...span, toMs: from + 3 * day });
    expect(nudge(scale, span, 'to', 90)).toEqual({ ...span, toMs: scale.toMs });
    expect(nudge(scale, span, 'from', -90)).toEqual({ ...span, fromMs: scale.fromMs });
  });

  it('joins neighbouring steps into holes and counts the window', () => {
    const steps = [
      { startMs: from, expected: 10, stored: 10 },
      { startMs: from + day, expected: 10, stored: 4 },
      { startMs: from + 2 * day, expected: 10, stored: 0 },
      { startMs: from + 3 * day, expected: null, stored: 0 },
      { startMs: from + 4 * day, expected: 5, stored: 1 },
    ];
    expect(holes(scale, steps)).toEqual([
      { fromMs: from + day, toMs: from + 3 * day, missing: 16 },
      { fromMs: from + 4 * day, toMs: from + 5 * day, missing: 4 },
    ]);
    expect(countWithin(scale, steps, { fromMs: from + day, toMs: from + 3 * day })).toEqual({
      expected: 20,
      stored: 4,
    });
    expect(countWithin(scale, steps, { fromMs: from, toMs: from + 5 * day }).expected).toBeNull();
  });

  it('draws a bounded number of bars for any range', () => {
    for (const days of [0.5, 31, 181, 730, 7_240])
      expect((days * day) / coverageStepMs(days * day)).toBeLessThanOrEqual(200);
    expect(coverageStepMs(181 * day)).toBe(day);
  });

  it('labels months over long ranges and hours over short ones', () => {
    const halfYear = { fromMs: from, toMs: Date.UTC(2001, 6, 1) };
    expect(dateTicks(halfYear, 7).map((tick) => formatDateTick(tick, halfYear))).toEqual([
      'Jan 2001',
      'Feb 2001',
      'Mar 2001',
      'Apr 2001',
      'May 2001',
      'Jun 2001',
    ]);
    const short = { fromMs: from, toMs: from + day };
    expect(dateTicks(short, 4).map((tick) => formatDateTick(tick, short))).toEqual([
      '1 Jan',
      '1 Jan 06:00',
      '1 Jan 12:00',
      '1 Jan 18:00',
    ]);
  });
});

const draft: Draft = {
  sourceIds: ['east', 'west'],
  window: { fromMs: from, toMs: from + 31 * day },
  subwindow: 'PT1H',
  limitBy: 'rate',
  sharePercent: 50,
  eventsPerSecond: 5_000,
  concurrency: 2,
  reason: ' feed was down ',
};
const all = ['east', 'west'];
const problemsFor = (change: Partial<Draft>) => {
  const changed = { ...draft, ...change };
  return checkDraft(changed, bodyOf(changed, 'flights', all), checkAgainstSchema);
};

describe('draft of a backfill', () => {
  it('becomes the request it stands for', () => {
    expect(bodyOf(draft, 'flights', all)).toEqual({
      pipelineId: 'flights',
      window: { from: '2001-01-01T00:00:00Z', to: '2001-02-01T00:00:00Z' },
      subwindow: 'PT1H',
      mode: 'fill',
      limits: { eventsPerSecond: 5_000, concurrency: 2 },
      reason: 'feed was down',
    });
    expect(
      bodyOf({ ...draft, sourceIds: ['east'], limitBy: 'share', sharePercent: 20 }, 'flights', all),
    ).toMatchObject({
      sourceIds: ['east'],
      limits: { share: 0.2 },
    });
    expect(problemsFor({})).toEqual({});
    expect(countSubwindows(draft)).toBe(31 * 24 * 2);
  });

  it.each([
    ['no source', { sourceIds: [] }, 'sourceIds'],
    ['no window', { window: null }, 'from'],
    ['backwards', { window: { fromMs: from + day, toMs: from } }, 'to'],
    ['empty', { window: { fromMs: from, toMs: from } }, 'to'],
    ['subwindow of nothing', { subwindow: 'PT0S' }, 'subwindow'],
    ['subwindow longer than the window', { subwindow: 'P32D' }, 'subwindow'],
    ['no duration', { subwindow: 'an hour' }, 'subwindow'],
    ['negative rate', { eventsPerSecond: -1 }, 'rate'],
    ['huge rate', { eventsPerSecond: 10_000_001 }, 'rate'],
    ['no rate', { eventsPerSecond: null }, 'rate'],
    ['share above all of it', { limitBy: 'share', sharePercent: 101 }, 'share'],
    ['no concurrency', { concurrency: null }, 'concurrency'],
    ['too much concurrency', { concurrency: 17 }, 'concurrency'],
    ['half a reader', { concurrency: 1.5 }, 'concurrency'],
    ['endless reason', { reason: 'x'.repeat(501) }, 'reason'],
  ] as const)('%s is told at its field', (_name, change, field) => {
    expect(Object.keys(problemsFor(change as Partial<Draft>))).toContain(field);
  });

  it('puts the server’s refusal where its pointer points', () => {
    expect(fieldAt('/limits/eventsPerSecond')).toBe('rate');
    expect(fieldAt('/body/window/to')).toBe('to');
    expect(fieldAt('/quoteId')).toBe('form');
    expect(
      problemsOf({
        code: 'invalid_request',
        detail: 'no',
        errors: [{ pointer: '/sourceIds/1', detail: 'unknown' }],
      }),
    ).toEqual({ sourceIds: 'unknown' });
    expect(problemsOf({ code: 'window_outside_source', detail: 'outside', errors: [] })).toEqual({
      from: 'outside',
    });
    expect(problemsOf({ code: 'internal_error', detail: 'broken', errors: [] })).toEqual({ form: 'broken' });
  });

  it('reads a window from the address, and nothing that is none', () => {
    expect(parseNewBackfillSearch({ from: '2001-01-01T00:00:00Z', to: 'soon', pipeline: 7 })).toEqual({
      from: '2001-01-01T00:00:00Z',
    });
  });
});

describe('copy as curl', () => {
  it('says the same to a shell as the form says to the server', () => {
    const body = bodyOf({ ...draft, reason: 'mira\'s feed; $HOME `id` \\ "down"' }, 'flights', all);
    const text = curlText('http://127.0.0.1:7878', body);
    // A shell takes the words apart; each ends in NUL so that nothing in them can be mistaken for a separator.
    const script = text.replace(/^curl/, 'print()\n{ printf "%s\\0" "$@"; }\nprint');
    const words = execFileSync('sh', ['-c', script], { env: { SPILLWAY_ADMIN_TOKEN: 'secret' } })
      .toString()
      .split('\0');
    expect(words).toContain('http://127.0.0.1:7878/v1/backfills');
    expect(words).toContain('Authorization: Bearer secret');
    expect(JSON.parse(words[words.indexOf('--data') + 1] ?? '')).toEqual(body);
    expect(text).not.toContain('secret');
  });

  it('quotes a quote', () => {
    expect(shellQuote("it's")).toBe("'it'\\''s'");
  });
});
