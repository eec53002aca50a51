import type { BackfillCost, CostItem, MeteredCost } from '@spillway/shared/api/cost';
import { pricePresets } from '@spillway/shared/cost/presets';
import { describe, expect, it } from 'vitest';
import { budgetOutlook, budgetPause, budgetState } from '../../src/features/cost/model/budget-words.ts';
import { comparedRows } from '../../src/features/cost/model/compared.ts';
import { itemParts, sumOfItems } from '../../src/features/cost/model/item-parts.ts';
import { decimalsOfPrices, priceText, quantityText } from '../../src/features/cost/model/item-words.ts';
import { decimalsOfRows, listedCosts } from '../../src/features/cost/model/listed.ts';
import {
  bookOfDraft,
  changesOfBook,
  draftOfBook,
  problemsOfBook,
  provisionText,
  refusedFields,
  sameBook,
} from '../../src/features/cost/model/price-book-draft.ts';
import {
  perHourWords,
  replaySpent,
  spendAgainstBudget,
  spendOf,
  usedOfEstimate,
} from '../../src/features/cost/model/spend.ts';
import { walPerRow } from '../../src/features/cost/model/write-amplification.ts';

const usd = (amount: string) => ({ amount, currency: 'USD' });
const item = (name: CostItem['item'], total: string | null): CostItem => ({
  item: name,
  counter: 'walBytes',
  quantity: total === null ? null : '1',
  total: total === null ? null : usd(total),
  provisioned: total === null ? null : usd('0'),
  overage: total === null ? null : usd(total),
  apportioned: false,
});

describe('a spend beside an estimate', () => {
  const metered = { spend: usd('0.00162'), total: usd('0.00413') };
  it('says what it is of', () => {
    expect(spendOf(metered)).toBe('overage alone');
    expect(spendOf({ ...metered, spend: metered.total })).toBe('everything used');
  });
  it.each([
    [true, 'everything used: 0.00413, 102 % of it'],
    [false, 'everything used: 0.00413 until now, 102 % of it'],
  ])('the estimate is held against what it is of: over %s', (isOver, words) => {
    expect(usedOfEstimate(metered, { likely: usd('0.00406') }, isOver)).toBe(words);
  });
});

describe('a budget', () => {
  const held = [{ reason: 'budget', by: 'spillway', at: '2026-01-01T00:00:00Z' }] as never;
  it.each([
    ['within', 'running', [], 'Within budget', null],
    ['warned', 'paused', [], 'Above 80 %', null],
    ['spent', 'paused', held, 'Spent: replay is paused', 'paused'],
    ['spent', 'pausing', held, 'Spent: replay is pausing…', 'pausing'],
    // Somebody else holds it.
    ['spent', 'paused', [], 'Spent', null],
    // Its proof goes on, or it has ended.
    ['spent', 'verifying', held, 'Spent', null],
    ['spent', 'completed', [], 'Spent', null],
    ['spent', 'cancelled', held, 'Spent', null],
  ] as const)('%s, %s with holds %o: %s', (state, of, holds, words, pause) => {
    const backfill = { state: of, holds: holds as never };
    expect(budgetState({ state }, backfill, null)).toBe(words);
    expect(budgetPause({ state }, backfill)).toBe(pause);
  });

  it.each([
    ['within', 0.9, 'Within budget'],
    ['within', 1, 'Within budget'],
    ['within', 3.04, 'Likely too little'],
    ['warned', 3.04, 'Above 80 %'],
  ] as const)('%s, and at completion likely %s of it: %s', (state, end, words) => {
    expect(budgetState({ state }, { state: 'running', holds: [] }, end)).toBe(words);
  });

  const budget = { pauseAt: usd('9.50'), keptForProof: usd('0.20') };
  it('says what it will do, and nothing of a run that has ended', () => {
    expect(budgetOutlook(budget, { endedAt: null }, 0.5)).toBe(
      'Warns at 80 %, pauses at 9.50 USD: what is under way still costs, and 0.20 USD is kept for the proof. It never cancels. At completion: 50 % of it.',
    );
    expect(budgetOutlook({ ...budget, keptForProof: usd('0') }, { endedAt: null }, null)).toBe(
      'Warns at 80 %, pauses at 9.50 USD: what is under way still costs. It never cancels. At completion: unknown.',
    );
    expect(budgetOutlook(budget, { endedAt: '2026-01-01T00:00:00Z' }, 0.5)).toBeNull();
  });
});

describe('items', () => {
  it('names what costs nothing, and never counts the unknown among it', () => {
    const items = [item('store_wal', '0.5'), item('egress', '0'), item('compute', null)];
    const { shown, free, missing } = itemParts(items);
    expect(shown.map((one) => one.item)).toEqual(['store_wal']);
    expect(free).toEqual(['egress']);
    expect(missing).toEqual(['compute']);
    expect(sumOfItems(items, 'overage')).toEqual(usd('0.50'));
    expect(sumOfItems([item('compute', null)], 'overage')).toBeNull();
  });

  it('shows prices as they were written, their points below each other', () => {
    const [first, ...others] = Object.values(pricePresets);
    const { prices } = (first ?? others[0]) as { prices: Parameters<typeof decimalsOfPrices>[0] };
    const three = decimalsOfPrices({ ...prices, egressPerGib: '0.005', walPerGib: '12' });
    expect(three).toBe(3);
    expect(['0.10', '0.005', '12', '0', '0.00'].map((price) => priceText(price, three))).toEqual([
      '0.100',
      '0.005',
      '12.000',
      '0',
      '0',
    ]);
    expect(priceText('12', 0)).toBe('12');
  });

  it('gives every amount of a column, and the figure and its parts, the same decimals', () => {
    const row = (overage: string, provisioned: string, likely: string) =>
      ({
        metered: { overage: usd(overage), provisioned: usd(provisioned) },
        estimate: { likely: usd(likely) },
        spendPerHour: usd(likely),
      }) as never;
    expect(decimalsOfRows([row('0.000030', '0.00115', '0.0907'), row('0.000021', '0', '0.000018')])).toEqual({
      metered: 5,
      estimated: 4,
      perHour: 4,
    });
    expect(decimalsOfRows([])).toEqual({ metered: 2, estimated: 2, perHour: 2 });
  });

  it.each([
    ['cpuMs', '90000', '1 min 30 s of CPU'],
    ['walBytes', '1073741824', '1 GiB'],
    ['rowsAttempted', '12345', '12,345 rows'],
    ['streamByteMs', '3865470566400000', '1 GiB·h'],
    ['streamByteMs', '294000000', '<0.001 GiB·h'],
    ['streamByteMs', '0', '0 GiB·h'],
    ['walBytes', null, 'unknown'],
  ])('%s %s is %s', (counter, quantity, text) => expect(quantityText(counter, quantity)).toBe(text));

  it('what is nothing on both sides is only named; an unknown side is a row', () => {
    const row = (name: CostItem['item'], estimate: string | null, actual: string | null) => ({
      item: name,
      estimate: estimate === null ? null : usd(estimate),
      actual: actual === null ? null : usd(actual),
      ratio: null,
      apportioned: false,
    });
    const { shown, free } = comparedRows([
      row('egress', '0', '0'),
      row('compute', '0', null),
      row('store_wal', '1', '2'),
    ]);
    expect(shown.map((one) => one.item)).toEqual(['compute', 'store_wal']);
    expect(free).toEqual(['egress']);
  });

  it('log for a row, only where both are known', () => {
    const rows = { rowsAttempted: 10, rowsInserted: 10, rowsNoop: 0, walBytes: 3_000 };
    expect(walPerRow(rows)).toBe(', 300 B a row inserted');
    expect(walPerRow({ ...rows, rowsInserted: 0 })).toBe('');
    expect(walPerRow({ ...rows, walBytes: null })).toBe('');
  });
});

describe('price book', () => {
  const preset = pricePresets['example-own-machines'];

  it('survives the form unchanged, memory in MiB on the way', () => {
    expect(draftOfBook(preset).provisioned.streamBytes).toBe(256);
    expect(sameBook(bookOfDraft(draftOfBook(preset)), preset)).toBe(true);
    expect(problemsOfBook(preset)).toEqual({});
  });

  it('tells each fault at its pointer', () => {
    const draft = draftOfBook(preset);
    const book = bookOfDraft({
      ...draft,
      title: ' ',
      currency: 'XXQ',
      prices: { ...draft.prices, walPerGib: '-1', egressPerGib: 'cheap', sourceScanPerGib: '99999' },
      provisioned: { ...draft.provisioned, cores: null },
    });
    expect(Object.keys(problemsOfBook(book)).sort()).toEqual([
      '/currency',
      '/prices/egressPerGib',
      '/prices/sourceScanPerGib',
      '/prices/walPerGib',
      '/provisioned/cores',
      '/title',
    ]);
    expect(problemsOfBook({ ...preset, currency: 'EUR' })).toEqual({});
  });

  it('takes a comma for what groups thousands, and never drops one that does not', () => {
    const prices = { ...preset.prices, walPerGib: '0,10', egressPerGib: '1,000.50' };
    const book = bookOfDraft({ ...draftOfBook(preset), prices });
    expect(book.prices).toMatchObject({ walPerGib: '0,10', egressPerGib: '1000.50' });
    expect(Object.keys(problemsOfBook(book))).toEqual(['/prices/walPerGib']);
  });

  it('reads the server’s pointers as its own', () => {
    expect(refusedFields([{ pointer: '/priceBook/prices/walPerGib', detail: 'no' }])).toEqual({
      '/prices/walPerGib': 'no',
    });
    expect(refusedFields([{ pointer: '/body/priceBook/currency', detail: 'no' }])).toEqual({
      '/currency': 'no',
    });
    expect(refusedFields([{ pointer: '/prices/walPerGib', detail: 'no' }])).toEqual({
      '/prices/walPerGib': 'no',
    });
  });

  it('says what changed, with units', () => {
    const after = {
      ...preset,
      prices: { ...preset.prices, walPerGib: '0.2' },
      provisioned: { ...preset.provisioned, streamBytes: 0 },
    };
    expect(changesOfBook(preset, after)).toEqual([
      'Write-ahead log, a GiB: 0.10 → 0.2',
      'Stream memory: 256 MiB → none',
    ]);
    expect(provisionText('cores', 0)).toBe('none');
    expect(provisionText('storeOperationsPerSecond', 5_000)).toBe('5,000 operations/s');
  });
});

describe('spend against budget', () => {
  const cost = (spent: string, limit: string | null, state: 'within' | 'warned' | 'spent' = 'within') => ({
    cost: {
      estimate: null,
      metered: { spend: usd(spent) },
      forecast: null,
      comparison: [],
      budget:
        limit === null
          ? null
          : {
              limit: usd(limit),
              spent: usd(spent),
              part: Number(spent) / Number(limit),
              state,
              pauseAt: usd(limit),
            },
    } as unknown as BackfillCost,
  });

  it('is of all budgets together, in the tone of the worst', () => {
    const tile = spendAgainstBudget([cost('1', '10'), cost('0.9', '1', 'warned'), cost('5', null)]);
    expect(tile.percent).toBeCloseTo((1.9 / 11) * 100, 3);
    expect(tile).toMatchObject({
      value: '1.90',
      unit: 'USD',
      note: '17 % of 11.00 USD, the most 90 %; 1 without a budget',
      tone: 'watch',
    });
    expect(spendAgainstBudget([cost('1', '1', 'spent')]).tone).toBe('risk');
  });

  it('without a budget it is the spend; unknown is never 0', () => {
    expect(spendAgainstBudget([cost('0.25', null)])).toMatchObject({
      value: '0.250',
      note: 'by 1 backfill; no budget is set',
      percent: null,
    });
    expect(spendAgainstBudget([{ cost: null }]).value).toBe('unknown');
    expect(spendAgainstBudget(undefined).value).toBe('unknown');
    expect(spendAgainstBudget([]).value).toBe('none');
  });
});

describe('the list of what backfills cost', () => {
  const row = (id: number, metered: boolean) => ({ id, metered: metered ? ({} as MeteredCost) : null });
  const shown = (rows: readonly ReturnType<typeof row>[]) => {
    const { rows: listed, leftOut } = listedCosts(rows);
    return [listed.map(({ id }) => id), leftOut];
  };
  it('has every one with a meter, in order, and few without', () => {
    expect(shown([row(1, false), row(2, true), row(3, false)])).toEqual([[1, 2, 3], 0]);
    const waiting = Array.from({ length: 50 }, (_, id) => row(id, false));
    expect(shown([...waiting, row(50, true), row(51, true)])).toEqual([[0, 1, 2, 3, 4, 5, 6, 7, 50, 51], 42]);
    const metered = Array.from({ length: 30 }, (_, id) => row(id, true));
    expect(shown([...metered, ...waiting])).toEqual([metered.map(({ id }) => id), 50]);
  });
});

describe('replay, spent', () => {
  const metered = (spend: string) => ({ metered: { spend: usd(spend) } as unknown as MeteredCost });
  const waiting = { metered: null };

  it.each([
    [[], 'none', '', 'no backfill is listed'],
    [[metered('0.25')], '0.250', 'USD', 'by the backfill'],
    [[metered('1'), metered('2')], '3.00', 'USD', 'by the 2 backfills'],
    [[metered('1'), waiting, waiting], '1.00', 'USD', 'by 1 of the 3 backfills; 2 not metered yet'],
    [[waiting, waiting], 'unknown', '', 'not metered yet'],
  ] as const)('%j: what is not metered is in no sum, and is said', (backfills, value, unit, note) =>
    expect(replaySpent(backfills, 'USD')).toEqual({ value, unit, note }),
  );
});

it('what is not known of an hour is said in words that stand by themselves', () => {
  expect(perHourWords(usd('0.00371'))).toBe('0.00371 USD an hour');
  expect(perHourWords(null)).toBe('per hour: unknown');
});
