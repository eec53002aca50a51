/**
 * Money on a screen: unknown is a word, columns share their decimals. Amounts stay exact until the last digit that is written (money-text.ts);
 * only widths of bars and places on a chart are doubles.
 */
import type { Money } from '@spillway/shared/api/primitives';
import { atomsOf, moneyOf, parseAmount } from '@spillway/shared/cost/money';
import { amountText, decimalsNeeded, moneyText } from '@spillway/shared/cost/money-text';
import { unknown } from './format.ts';

type Maybe = Money | null | undefined;

/** As many decimals as this amount needs; see `money-text.ts`. */
export function decimalsOf(money: Maybe): number {
  return money == null ? 2 : decimalsNeeded(atomsOf(money));
}

/** The same number of decimals for all of a column, so that their points stand below each other: as many as its largest amount needs. */
export function decimalsOfAll(amounts: readonly Maybe[]): number {
  const present = amounts.filter((money) => money != null);
  return decimalsOf(present.toSorted((a, b) => compareMoney(b, a))[0]);
}

/** Without the currency. */
export function formatMoneyNumber(money: Maybe, decimals?: number): string {
  return money == null ? unknown : amountText(atomsOf(money), ownOf(money, decimals));
}

export function formatMoney(money: Maybe, decimals?: number): string {
  return money == null ? unknown : moneyText(money, ownOf(money, decimals));
}

/** Nothing is "0.00" also beside what needs more: six zeros would pass for a figure. */
function ownOf(money: Money, decimals: number | undefined): number {
  return decimals === undefined || atomsOf(money) === 0n ? decimalsOf(money) : decimals;
}

interface MoneyRange {
  readonly low: Money;
  readonly likely: Money;
  readonly high: Money;
}

/**
 * "0.24 to 0.38", with the decimals of what is likely: both stand beside it; "about 0.24" where so many decimals do not tell them apart. Null: the
 * three are one.
 */
export function formatMoneyBounds(
  { low, likely, high }: MoneyRange,
  decimals = decimalsOf(likely),
): string | null {
  if (compareMoney(low, high) === 0) return null;
  const [from, to] = [formatMoneyNumber(low, decimals), formatMoneyNumber(high, decimals)];
  if (from !== to) return `${from} to ${to}`;
  return from.startsWith('<') ? from : `about ${from}`;
}

/** "0.30 USD (0.24 to 0.38)"; one figure where the three are one. */
export function formatMoneyRange(range: MoneyRange | null | undefined): string {
  if (range == null) return unknown;
  const bounds = formatMoneyBounds(range);
  const likely = formatMoney(range.likely);
  return bounds === null ? likely : `${likely} (${bounds})`;
}

/** In a column of figures nothing is "0": a row of zeros would look like an amount. */
export function formatMoneyCell(money: Maybe, decimals: number): string {
  return money != null && atomsOf(money) === 0n ? '0' : formatMoneyNumber(money, decimals);
}

function compareMoney(a: Money, b: Money): number {
  const [left, right] = [atomsOf(a), atomsOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Null where nothing is known, or where they are not of one currency. */
export function sumMoney(amounts: readonly Money[]): Money | null {
  const currency = amounts[0]?.currency;
  if (currency === undefined || amounts.some((money) => money.currency !== currency)) return null;
  return moneyOf(
    amounts.reduce((sum, money) => sum + atomsOf(money), 0n),
    currency,
  );
}

/** part ÷ whole as a double, for bars; null where the whole is nothing or one is unknown. */
export function moneyRatio(part: Maybe, whole: Maybe): number | null {
  if (part == null || whole == null) return null;
  const all = atomsOf(whole);
  return all === 0n ? null : Number((atomsOf(part) * 1_000_000n) / all) / 1_000_000;
}

/** For places on a chart. */
export function moneyDouble(money: Money): number {
  return Number(money.amount);
}

/** Of a place on a chart, as amounts are written; `whole`: with the decimals of what it is a part of. Below 10¹². */
export function doubleText(amount: number, whole = amount): string {
  const [atoms, of] = [amount, whole].map((each) => parseAmount(each.toFixed(12)) ?? 0n) as [bigint, bigint];
  return amountText(atoms, decimalsNeeded(atoms === 0n ? atoms : of));
}

/** An amount as somebody types it; null where it is none, or not above zero. */
export function parseTypedMoney(text: string, currency: string): Money | null {
  const amount = typedAmount(text);
  return amount === null || /^[0.]+$/.test(amount) ? null : { amount, currency };
}

/**
 * Null: it is no amount. A comma groups thousands, as where amounts are shown: whoever means a decimal mark by it ("0,50") is asked again, and not
 * taken to mean a hundred times as much.
 */
export function typedAmount(text: string): string | null {
  const typed = text.trim();
  const amount = typed.replaceAll(',', '');
  const isGrouped = !typed.includes(',') || /^[1-9]\d{0,2}(,\d{3})+(\.\d+)?$/.test(typed);
  return isGrouped && /^\d{1,12}(\.\d{1,12})?$/.test(amount) ? amount : null;
}
