/** The price book as somebody edits it: texts, until they are saved. */
import type { PutPriceBook } from '@spillway/shared/api/cost';
import { priceBookRefusals } from '@spillway/shared/cost/price-book';
import { formatBytes, formatCount } from '../../../lib/format.ts';
import { typedAmount } from '../../../lib/money.ts';
import { itemWords, priceNames, priceUnits, provisionWords, spendWords } from './item-words.ts';

export interface PriceBookDraft {
  readonly title: string;
  readonly currency: string;
  readonly prices: PutPriceBook['prices'];
  /** Memory in MiB: nobody thinks of it in bytes. */
  readonly provisioned: Readonly<Record<keyof PutPriceBook['provisioned'], number | null>>;
  readonly spendCounts: PutPriceBook['spendCounts'];
}

/** By JSON pointer into the price book. */
export type PriceBookProblems = Readonly<Record<string, string>>;

const MIB = 2 ** 20;

export function draftOfBook(book: PutPriceBook): PriceBookDraft {
  const { title, currency, prices, provisioned, spendCounts } = book;
  return {
    title,
    currency,
    prices: { ...prices },
    provisioned: { ...provisioned, streamBytes: provisioned.streamBytes / MIB },
    spendCounts,
  };
}

/** What a missing number stands for is refused by its pointer, never sent as 0. */
export function bookOfDraft(draft: PriceBookDraft): PutPriceBook {
  const { title, currency, prices, provisioned, spendCounts } = draft;
  const number = (value: number | null) => value ?? Number.NaN;
  return {
    title: title.trim(),
    currency: currency.trim().toUpperCase(),
    prices: Object.fromEntries(
      priceNames.map((name) => [name, typedAmount(prices[name]) ?? prices[name].trim()]),
    ) as PutPriceBook['prices'],
    provisioned: {
      cores: number(provisioned.cores),
      storeOperationsPerSecond: number(provisioned.storeOperationsPerSecond),
      streamBytes: Math.round(number(provisioned.streamBytes) * MIB),
    },
    spendCounts,
  };
}

/** The server's own rules, before it is asked; whether the currency may change it knows alone. */
export function problemsOfBook(book: PutPriceBook): PriceBookProblems {
  const problems: Record<string, string> = {};
  if (book.title === '' || book.title.length > 200)
    problems['/title'] = 'Give it a title of 1 to 200 characters.';
  for (const { pointer, detail } of priceBookRefusals(book)) problems[pointer] ??= detail;
  return problems;
}

/** The server's refusal: pointers into the request become pointers into the price book. */
export function refusedFields(
  errors: readonly { readonly pointer: string; readonly detail: string }[],
): PriceBookProblems {
  return Object.fromEntries(
    errors.map(({ pointer, detail }) => [pointer.replace(/^#?\/?(body\/)?(priceBook)?\/?/, '/'), detail]),
  );
}

export function sameBook(a: PutPriceBook, b: PutPriceBook): boolean {
  return changesOfBook(a, b).length === 0;
}

/** What changed from one to the other, in words. */
export function changesOfBook(before: PutPriceBook, after: PutPriceBook): string[] {
  const changes: string[] = [];
  const compare = (what: string, from: string, to: string) => {
    if (from !== to) changes.push(`${what}: ${from} → ${to}`);
  };
  compare('title', before.title, after.title);
  compare('currency', before.currency, after.currency);
  for (const name of priceNames) {
    const [item, unit] = priceUnits[name];
    compare(`${itemWords[item]}, ${unit}`, before.prices[name], after.prices[name]);
  }
  compare('cores', String(before.provisioned.cores), String(after.provisioned.cores));
  for (const name of ['storeOperationsPerSecond', 'streamBytes'] as const)
    compare(
      provisionWords[name][0],
      provisionText(name, before.provisioned[name]),
      provisionText(name, after.provisioned[name]),
    );
  compare('spend counts', spendWords[before.spendCounts], spendWords[after.spendCounts]);
  return changes;
}

export function provisionText(name: keyof PutPriceBook['provisioned'], amount: number): string {
  if (amount === 0) return 'none';
  if (name === 'streamBytes') return formatBytes(amount);
  if (name === 'cores' && amount === 1) return '1 core';
  return `${formatCount(amount)} ${provisionWords[name][1]}`;
}
