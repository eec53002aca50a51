/**
 * Exact money. An amount is a bigint of atoms, 10⁻¹² of the currency's unit: a row of a store at 0.20 a million costs 200,000 of them. Doubles
 * never hold money: quantities are integers, prices decimal strings, and the one rounding there is (half to even, in `priceOf`) is made once
 * for each item from its whole quantity, so that it does not matter in how many ticks the quantity came.
 */
import type { Money } from '../api/primitives.ts';

export type Atoms = bigint;

const DECIMALS = 12;
const UNIT = 10n ** BigInt(DECIMALS);
/** Cents are always written. */
const DECIMALS_SHOWN_MIN = 2;
const PATTERN = /^(-?)(\d{1,12})(?:\.(\d{1,12}))?$/;

/** Null: it is no decimal number with at most twelve digits on either side of the point. */
export function parseAmount(text: string): Atoms | null {
  const match = PATTERN.exec(text);
  if (match === null) return null;
  const [, sign, whole, fraction = ''] = match;
  const atoms = BigInt(`${whole}${fraction.padEnd(DECIMALS, '0')}`);
  return sign === '-' ? -atoms : atoms;
}

/** `12.34`, `0.000123`: all digits that are not zero, two decimals at least. `parseAmount` reads it back to the same atoms. */
export function formatAmount(atoms: Atoms): string {
  const size = atoms < 0n ? -atoms : atoms;
  const fraction = (size % UNIT)
    .toString()
    .padStart(DECIMALS, '0')
    .replace(/0+$/, '')
    .padEnd(DECIMALS_SHOWN_MIN, '0');
  return `${atoms < 0n ? '-' : ''}${size / UNIT}.${fraction}`;
}

/** What was validated on its way in; anything else is a bug, and throws. */
export function atomsOf({ amount }: Pick<Money, 'amount'>): Atoms {
  const atoms = parseAmount(amount);
  if (atoms === null) throw new RangeError(`not an amount: ${amount}`);
  return atoms;
}

export function moneyOf(atoms: Atoms, currency: string): Money {
  return { amount: formatAmount(atoms), currency };
}

/** quantity · price / per, to the nearest atom, half to even. `price` is for `per` of whatever the quantity counts; `per` > 0. */
export function priceOf(price: Atoms, quantity: bigint, per: bigint): Atoms {
  return dividedHalfEven(price * quantity, per);
}

/**
 * An amount times a factor that is no money (a part of a range, a share of time). The factor counts to a millionth; 0 or more.
 */
export function scaled(atoms: Atoms, factor: number): Atoms {
  return dividedHalfEven(atoms * BigInt(Math.round(factor * 1_000_000)), 1_000_000n);
}

/** n / d to the nearest integer, half to even; d > 0. */
function dividedHalfEven(n: bigint, d: bigint): bigint {
  if (n < 0n) return -dividedHalfEven(-n, d);
  const quotient = n / d;
  const twice = (n % d) * 2n;
  return twice > d || (twice === d && quotient % 2n === 1n) ? quotient + 1n : quotient;
}
