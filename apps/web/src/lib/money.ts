/**
 * Money as people read it: "12.34 USD". Amounts stay exact until the last digit that is written; only widths of bars and places on a chart
 * are doubles.
 */
import type { Money } from '@spillway/shared/api/primitives';
import { atomsOf, formatAmount, moneyOf } from '@spillway/shared/cost/money';
import { unknown } from './format.ts';

type Maybe = Money | null | undefined;

const DECIMALS = 12;
/** Digits that say something, where an amount is below one. */
const SIGNIFICANT = 3;
const DECIMALS_MAX = 6;

/** As many decimals as this amount needs: cents, or three significant digits of what is less than one. */
export function decimalsOf(money: Maybe): number {
  if (money == null) return 2;
  const atoms = atomsOf(money);
  const size = atoms < 0n ? -atoms : atoms;
  if (size === 0n || size >= 10n ** BigInt(DECIMALS)) return 2;
  const zeros = DECIMALS - size.toString().length;
  return Math.min(DECIMALS_MAX, Math.max(2, zeros + SIGNIFICANT));
}

/** The same number of decimals for all of a column, so that their points stand below each other: as many as its largest amount needs. */
export function decimalsOfAll(amounts: readonly Maybe[]): number {
  const present = amounts.filter((money) => money != null);
  return decimalsOf(present.toSorted((a, b) => compareMoney(b, a))[0]);
}

/** Without the currency. A little is not nothing: below half of the last digit it reads "<0.01". */
export function formatMoneyNumber(money: Maybe, decimals = decimalsOf(money)): string {
  if (money == null) return unknown;
  const atoms = atomsOf(money);
  const step = 10n ** BigInt(DECIMALS - decimals);
  const rounded = ((atoms + step / 2n) / step) * step;
  if (rounded === 0n && atoms !== 0n) return `<${formatAmount(step)}`;
  const [whole = '0', fraction = ''] = formatAmount(rounded).split('.');
  const digits = fraction.padEnd(decimals, '0');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return decimals === 0 ? grouped : `${grouped}.${digits}`;
}

export function formatMoney(money: Maybe, decimals?: number): string {
  return money == null ? unknown : `${formatMoneyNumber(money, decimals)} ${money.currency}`;
}

/** "0.30 USD (0.24 to 0.38)"; one figure where the three are one. */
export function formatMoneyRange(
  range: { readonly low: Money; readonly likely: Money; readonly high: Money } | null | undefined,
): string {
  if (range == null) return unknown;
  const decimals = decimalsOf(range.likely);
  const [low, high] = [formatMoneyNumber(range.low, decimals), formatMoneyNumber(range.high, decimals)];
  const likely = formatMoney(range.likely, decimals);
  return low === high ? likely : `${likely} (${low} to ${high})`;
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

/** An amount as somebody types it; null where it is none, or not above zero. */
export function parseTypedMoney(text: string, currency: string): Money | null {
  const amount = text.trim().replaceAll(',', '');
  if (!/^\d{1,12}(\.\d{1,12})?$/.test(amount) || /^[0.]+$/.test(amount)) return null;
  return { amount, currency };
}
