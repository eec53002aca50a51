import { execFileSync, spawnSync } from 'node:child_process';
import { CoverageQuery } from '@spillway/shared/api/pipeline';
import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import {
  brushWindow,
  coverageStepMs,
  holes,
  nudge,
  partlyWords,
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
  namedSources,
  problemsOf,
  refusedWords,
} from '../../src/features/new-backfill/model/draft.ts';
import {
  finishSuggestions,
  limitedBy,
  quoteBodyOf,
  startBodyOf,
} from '../../src/features/new-backfill/model/goals.ts';
import {
  linkedWindow,
  parseNewBackfillSearch,
  searchOfWindow,
} from '../../src/features/new-backfill/model/new-backfill-search.ts';
import { checkAgainstSchema } from '../../src/features/new-backfill/model/schema-check.ts';
import {
  refusedIds,
  sourcesAtFirst,
  tickedAtFirst,
  tickProblem,
  tickWords,
} from '../../src/features/new-backfill/model/source-ticks.ts';
import { countingSteps, sumOf, windowWords } from '../../src/features/new-backfill/model/window-count.ts';

const day = 86_400_000;
const from = Date.UTC(2001, 0, 1);
const scale: Scale = { fromMs: from, toMs: from + 10 * day, stepMs: day };

describe('brush', () => {
  it.each([
    [{ asked: 3, uncounted: [] }, null],
    [{ asked: 1, uncounted: ['a'] }, null],
    [{ asked: 3, uncounted: ['b'] }, 'Without b, which is not counted.'],
    [
      { asked: 9, uncounted: ['b', 'c', 'd', 'e', 'f'] },
      'Without b, c, d and 2 more, which are not counted.',
    ],
  ])('says without which sources the map is: %j', (sources, words) => {
    expect(partlyWords(sources)).toBe(words);
  });

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

  it('joins neighbouring steps into holes', () => {
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

describe('count of the window', () => {
  const hour = 3_600_000;
  const range = { fromMs: from + 13, toMs: from + 7_240 * day + 17 };

  it.each([
    ['an hour of twenty years', from + day, from + day + hour, hour, true],
    ['a day', from + day, from + 2 * day, day, true],
    ['a month from an odd hour', from + 5 * hour, from + 31 * day, hour, true],
    ['what the history begins with', range.fromMs, from + 7 * day, day, true],
    ['all of it', range.fromMs, range.toMs, 28 * day, true],
    ['minutes inside an hour', from + 60_000, from + 120_000, hour, false],
    ['years from an odd hour', from + 5 * hour, from + 700 * day, 12 * hour, false],
  ])(
    '%s is asked in steps that count it alone, where there are any',
    (_what, fromMs, toMs, stepMs, isExact) => {
      expect(countingSteps({ fromMs, toMs }, range)).toEqual({ stepMs, isExact });
    },
  );

  it('is unknown as soon as one step is', () => {
    const step = { startMs: from, expected: 10, stored: 4 };
    expect(sumOf([step, step])).toEqual({ expected: 20, stored: 8 });
    expect(sumOf([step, { ...step, expected: null }])).toEqual({ expected: null, stored: 8 });
    expect(sumOf([step, { ...step, stored: null }])).toEqual({ expected: 20, stored: null });
  });

  const hourLong = { fromMs: from, toMs: from + hour };
  const counted = { expected: 1_877, stored: 1_877, isOfAll: true, roundedToMs: null };
  it.each([
    [undefined, '1 h: counting what it holds…'],
    [null, '1 h: what is stored is unknown'],
    [counted, '1 h: 1,877 events expected, 1,877 stored, 0 missing'],
    [
      { ...counted, stored: 7, roundedToMs: 6 * hour },
      '1 h: about 1,877 events expected, 7 stored, 1,870 missing, counted in whole steps of 6 h',
    ],
    [
      { ...counted, stored: null },
      '1 h: 1,877 events expected; what of them is stored is known to your consumers alone',
    ],
    [{ ...counted, expected: null }, '1 h: 1,877 events stored; how many there should be is not counted yet'],
  ])('in words: %j', (count, words) => {
    expect(windowWords(hourLong, count)).toBe(words);
  });
});

const draft: Draft = {
  sourceIds: ['east', 'west'],
  window: { fromMs: from, toMs: from + 31 * day },
  subwindow: 'PT1H',
  limitBy: 'rate',
  sharePercent: 50,
  eventsPerSecond: 5_000,
  finishBy: '',
  maxCost: '',
  concurrency: 2,
  budget: '',
  isolated: false,
  reason: ' feed was down ',
};
const all = ['east', 'west'];
const problemsFor = (change: Partial<Draft>) => {
  const changed = { ...draft, ...change };
  return checkDraft(changed, bodyOf(changed, 'flights', all), checkAgainstSchema);
};

describe('the sources that are ticked', () => {
  const source = (id: string, fromDay: number, toDay: number) => ({
    id,
    range: {
      from: new Date(from + fromDay * day).toISOString(),
      to: new Date(from + toDay * day).toISOString(),
    },
    failure: null,
  });
  const span = (fromDay: number, toDay: number) => ({
    fromMs: from + fromDay * day,
    toMs: from + toDay * day,
  });
  const [short, long, late] = [source('short', 0, 5), source('long', 0, 90), source('late', 60, 90)];
  const uncounted = { ...source('new', 0, 0), range: null };
  const failed = { ...short, id: 'failed', failure: { code: 'source_denied', detail: 'wrong password' } };

  it.each([
    ['without a window', null, ['short', 'long', 'late', 'new']],
    ['in what all but one hold', span(1, 2), ['short', 'long', 'new']],
    ['up to where another begins', span(5, 60), ['long', 'new']],
    ['over all', span(0, 90), ['short', 'long', 'late', 'new']],
    ['while a window is typed', span(6, 5), ['short', 'long', 'late', 'new']],
  ])('are by default those the window touches, but for one that has failed: %s', (_what, window, ids) => {
    expect(tickedAtFirst([failed, short, long, late, uncounted], window)).toEqual(ids);
    expect(sourcesAtFirst([failed, short, long, late, uncounted])).toEqual(['short', 'long', 'late', 'new']);
  });

  it('are all where all have failed, or the window touches none', () => {
    expect(tickedAtFirst([failed], null)).toEqual(['failed']);
    expect(tickedAtFirst([short, late], span(6, 7))).toEqual(['short', 'late']);
  });

  it('are all where more are touched than a request may name: then none is', () => {
    const many = Array.from({ length: 65 }, (_, at) => source(`s${at}`, 0, 90));
    const ticked = tickedAtFirst([...many, late], span(1, 2));
    expect(ticked).toHaveLength(66);
    expect(tickedAtFirst([...many.slice(1), late], span(1, 2))).toHaveLength(64);
    expect(tickProblem([...many, late], ticked, span(1, 2))).toEqual({});
  });

  it.each([
    ['nothing', ['short', 'long'], span(1, 2), {}],
    [
      'every one of them at once',
      ['short', 'long', 'late'],
      span(10, 20),
      {
        sourceIds:
          'The window does not touch short (1 Jan 2001 – 6 Jan 2001 UTC) and late (2 Mar 2001 – 1 Apr 2001 UTC).',
      },
    ],
    [
      'the window, where it touches none',
      ['short'],
      span(10, 20),
      { from: 'The window does not touch what the sources hold: short (1 Jan 2001 – 6 Jan 2001 UTC).' },
    ],
    ['none that nobody named', ['short', 'long', 'late', 'new'], span(10, 20), {}],
  ])('are refused for what the window does not touch: %s', (_what, ticked, window, problems) => {
    expect(tickProblem([short, long, late, uncounted], ticked, window)).toEqual(problems);
  });

  describe('of which retention has removed the beginning', () => {
    // A millisecond behind the second that people would read.
    const wholeFrom = new Date(from + 3 * day + 6 * 3_600_000 + 1).toISOString();
    const whole = '4 Jan 2001 06:00:01 UTC';
    const clicks = { ...source('clicks', 4, 90), wholeFrom };
    const taps = { ...source('taps', 5, 90), wholeFrom: new Date(from + 5 * day).toISOString() };
    const sources = [short, clicks, taps];

    it.each([
      ['nothing, where all is there', ['short', 'clicks', 'taps'], span(5, 6), {}, []],
      [
        'nothing of what is not touched',
        ['short', 'clicks'],
        span(0, 4),
        {
          sourceIds: 'The window does not touch clicks (5 Jan 2001 – 1 Apr 2001 UTC).',
        },
        ['clicks'],
      ],
      ['nothing that nobody ticked', ['short'], span(0, 90), {}, []],
      ['while a window is typed', ['short', 'clicks'], span(6, 5), {}, []],
      [
        'the one, named or not',
        ['short', 'clicks', 'taps'],
        span(4, 10),
        {
          sourceIds:
            'Retention has removed what taps held before 6 Jan 2001 UTC: begin the window no earlier, or untick it.',
        },
        ['taps'],
      ],
      [
        'every one of them at once',
        ['short', 'clicks', 'taps'],
        span(0, 10),
        {
          sourceIds: `Retention has removed what clicks held before ${whole} and taps held before 6 Jan 2001 UTC: begin the window no earlier, or untick them.`,
        },
        ['clicks', 'taps'],
      ],
      [
        'the window, where it is all that are touched',
        ['clicks'],
        span(0, 10),
        { from: `Retention has removed what clicks held before ${whole}: begin the window no earlier.` },
        ['clicks'],
      ],
    ])('are refused for what is not there any more: %s', (_what, ticked, window, problems, refused) => {
      expect(tickProblem(sources, ticked, window)).toEqual(problems);
      expect(refusedIds(sources, ticked, window)).toEqual(refused);
    });

    it('are refused together with what is not touched, and with what is left out alone', () => {
      expect(tickProblem([short, late, clicks, long], ['short', 'late', 'clicks'], span(0, 10))).toEqual({
        sourceIds: `The window does not touch late (2 Mar 2001 – 1 Apr 2001 UTC). Retention has removed what clicks held before ${whole}: begin the window no earlier, or untick it.`,
      });
      expect(refusedIds([short, late, clicks], ['short', 'late', 'clicks'], span(0, 10))).toEqual(['clicks']);
      expect(tickProblem([late, clicks], ['late', 'clicks'], span(0, 10))).toEqual({
        from: `Retention has removed what clicks held before ${whole}: begin the window no earlier.`,
      });
    });

    it('say it beside the tick', () => {
      const statistics = {
        step: 'PT1M',
        countedAt: '2026-11-01T00:00:00.000Z',
        fingerprint: 'f',
        exact: true,
        rowsQuarantined: 0,
      };
      const counted = { ...clicks, failure: null, events: 1_234, state: 'connected', statistics } as const;
      const held = '1,234 events, 5 Jan 2001 – 1 Apr 2001 UTC';
      expect(tickWords(counted, null)).toBe(held);
      expect(tickWords(counted, span(5, 6))).toBe(held);
      expect(tickWords(counted, span(0, 1))).toBe(`${held} · the window does not touch it`);
      expect(tickWords({ ...counted, state: 'disconnected' }, span(0, 10))).toBe(
        `${held} · live feed disconnected · the window asks for what its retention has removed: it is whole from ${whole} on`,
      );
      expect(tickWords({ ...counted, range: null, events: null, statistics: null }, span(6, 7))).toBe(
        'not counted yet',
      );
      expect(tickWords({ ...counted, statistics: { ...statistics, rowsQuarantined: 3 } }, span(5, 6))).toBe(
        `${held} · 3 rows would be quarantined`,
      );
    });
  });
});

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
    expect(bodyOf({ ...draft, isolated: true }, 'flights', all)).toMatchObject({ isolated: true });
    expect(problemsFor({ isolated: true })).toEqual({});
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
    ['no time to finish by', { limitBy: 'finish', finishBy: '31 Feb' }, 'finishBy'],
    ['no money', { limitBy: 'cost', maxCost: '0.00' }, 'maxCost'],
    ['a budget of nothing', { budget: '-1' }, 'budget'],
    ['half a reader', { concurrency: 1.5 }, 'concurrency'],
    ['endless reason', { reason: 'x'.repeat(501) }, 'reason'],
  ] as const)('%s is told at its field', (_name, change, field) => {
    expect(Object.keys(problemsFor(change as Partial<Draft>))).toContain(field);
  });

  it('puts the server’s refusal where its pointer points', () => {
    expect(fieldAt('/limits/eventsPerSecond')).toBe('rate');
    expect(fieldAt('/body/window/to')).toBe('to');
    expect(fieldAt('/quoteId')).toBe('form');
    expect(fieldAt('/limits/budget/amount')).toBe('budget');
    expect(fieldAt('/finishBy')).toBe('finishBy');
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

  it.each([
    [{ form: 'No database.' }, 'No database.'],
    [{ from: 'Too early.' }, 'Too early.'],
    [{ from: 'Too early.', budget: 'No prices.' }, 'Too early. 1 more: see the fields marked above.'],
    [
      { from: 'Too early.', budget: 'No prices.', form: 'Refused.' },
      'Refused. 2 more: see the fields marked above.',
    ],
  ])('says of the refusal %j beside the button: %s', (problems, words) => {
    expect(refusedWords(problems)).toBe(words);
  });

  it('reads a window from the address, and nothing that is none', () => {
    expect(parseNewBackfillSearch({ from: '2001-01-01T00:00:00Z', to: 'soon', pipeline: true })).toEqual({
      from: '2001-01-01T00:00:00Z',
    });
  });

  it('is a window where it names one, and the same again when that is written into it', () => {
    const span = { fromMs: from, toMs: from + 7 * day };
    expect(linkedWindow({ ...searchOfWindow(span) })).toEqual(span);
    expect(linkedWindow({ from: '2001-01-01T00:00:00Z' })).toBeNull();
    expect(linkedWindow({ from: 'foo', to: 'bar' })).toBeNull();
    expect(linkedWindow({ from: 2001, to: 2002 })).toBeNull();
  });
});

describe('goals', () => {
  const quote = {
    id: 'qt_1',
    limits: { eventsPerSecond: 1_234, share: null, concurrency: 2, budget: null },
  };

  it('are asked for instead of a rate, and start as the rate they were solved to', () => {
    const finish: Draft = { ...draft, limitBy: 'finish', finishBy: '2026-11-27 06:00' };
    const asked = quoteBodyOf(finish, 'flights', all, 'USD');
    expect(asked).toMatchObject({ finishBy: '2026-11-27T06:00:00Z', limits: { concurrency: 2 } });
    expect(asked?.limits).not.toHaveProperty('eventsPerSecond');
    expect(startBodyOf(finish, quote, 'flights', all, 'USD')).toMatchObject({
      limits: { eventsPerSecond: 1_234, concurrency: 2 },
      quoteId: 'qt_1',
      reason: 'feed was down',
    });
    const cost: Draft = { ...draft, limitBy: 'cost', maxCost: '40', budget: '50' };
    expect(quoteBodyOf(cost, 'flights', all, 'EUR')).toMatchObject({
      maxCost: { amount: '40', currency: 'EUR' },
      limits: { budget: { amount: '50', currency: 'EUR' } },
    });
  });

  it('are nothing until they stand', () => {
    expect(
      quoteBodyOf({ ...draft, limitBy: 'finish', finishBy: '2026-02-30' }, 'flights', all, 'USD'),
    ).toBeNull();
    expect(quoteBodyOf({ ...draft, limitBy: 'cost', maxCost: '40' }, 'flights', all, null)).toBeNull();
  });

  it('a reason changes no quote, and a rate is started as it is', () => {
    expect(quoteBodyOf(draft, 'flights', all, 'USD')).toEqual(
      quoteBodyOf({ ...draft, reason: 'other' }, 'flights', all, 'USD'),
    );
    // Whether somebody is there to read it depends on whom it asks for.
    expect(quoteBodyOf({ ...draft, isolated: true }, 'flights', all, 'USD')).toMatchObject({
      isolated: true,
    });
    expect(startBodyOf(draft, quote, 'flights', all, null).limits?.eventsPerSecond).toBe(5_000);
    expect(startBodyOf(draft, null, 'flights', all, null)).not.toHaveProperty('quoteId');
  });

  it('suggests times that lie ahead, in whole minutes', () => {
    const now = Date.UTC(2026, 10, 26, 5, 30, 20);
    expect(finishSuggestions(now).map(({ ms }) => new Date(ms).toISOString().slice(0, 16))).toEqual([
      '2026-11-26T06:31',
      '2026-11-26T13:31',
      '2026-11-27T06:00',
    ]);
    expect(limitedBy('finish', draft, now)).toEqual({ limitBy: 'finish', finishBy: '2026-11-26 06:31' });
    expect(limitedBy('finish', { ...draft, finishBy: 'x' }, now)).toEqual({ limitBy: 'finish' });
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

  it('names the setting that is missing where there is no token, before anything is sent', () => {
    const text = curlText('http://127.0.0.1:7878', bodyOf(draft, 'flights', all));
    const { status, stdout, stderr } = spawnSync('sh', ['-c', text.replace(/^curl/, 'echo')], { env: {} });
    expect(status).not.toBe(0);
    expect(stdout.toString()).toBe('');
    expect(stderr.toString()).toContain('SPILLWAY_ADMIN_TOKEN: set it to an API token');
  });

  it('quotes a quote', () => {
    expect(shellQuote("it's")).toBe("'it'\\''s'");
  });
});

describe('the sources that coverage is asked of', () => {
  const ids = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`);
  it.each([
    [ids(1), ids(3), ids(1)],
    [ids(3), ids(3), []],
    [ids(64), ids(65), ids(64)],
    [ids(65), ids(65), []],
    [[], ids(3), []],
  ])('are as many as can be named, and all of them by naming none: %#', (ticked, all, named) => {
    const source = namedSources(ticked, all);
    expect(source).toEqual(named);
    const range = { from: '2001-01-01T00:00:00Z', to: '2001-01-02T00:00:00Z', step: 'PT1H' };
    expect(Value.Check(CoverageQuery, { ...range, ...(source.length === 0 ? {} : { source }) })).toBe(true);
  });
});
