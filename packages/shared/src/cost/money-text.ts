/**
 * Money as people read it: "12.34 USD". Amounts stay exact until the last digit that is written; what is written is for the eye, the exact value
 * stands in a field of its own.
 */
import type { Money } from '../api/primitives.ts';
import { type Atoms, atomsOf, formatAmount } from './money.ts';

const DECIMALS = 12;
/** Digits that say something, where an amount is below one. */
const SIGNIFICANT = 3;
const DECIMALS_MAX = 6;

/** As many decimals as this amount needs: cents, or three significant digits of what is less than one. */
export function decimalsNeeded(atoms: Atoms): number {
  const size = atoms < 0n ? -atoms : atoms;
  if (size === 0n || size >= 10n ** BigInt(DECIMALS)) return 2;
  const zeros = DECIMALS - size.toString().length;
  return Math.min(DECIMALS_MAX, Math.max(2, zeros + SIGNIFICANT));
}

/** Without the currency. A little is not nothing: below half of the last digit it reads "<0.01". */
export function amountText(atoms: Atoms, decimals = decimalsNeeded(atoms)): string {
  const step = 10n ** BigInt(DECIMALS - decimals);
  const half = atoms < 0n ? -step / 2n : step / 2n;
  const rounded = ((atoms + half) / step) * step;
  if (rounded === 0n && atoms !== 0n) return `<${formatAmount(step)}`;
  const [whole = '0', fraction = ''] = formatAmount(rounded).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return decimals === 0 ? grouped : `${grouped}.${fraction.padEnd(decimals, '0')}`;
}

export function moneyText(money: Money, decimals?: number): string {
  return `${amountText(atomsOf(money), decimals)} ${money.currency}`;
}

/** "8.10 of 10.00 USD": both with the decimals of the whole. */
export function partOfMoneyText(part: Atoms, whole: Atoms, currency: string): string {
  const decimals = decimalsNeeded(whole);
  return `${amountText(part, decimals)} of ${amountText(whole, decimals)} ${currency}`;
}
