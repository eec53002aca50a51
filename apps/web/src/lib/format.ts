/**
 * Numbers as people read them. Unknown is the word "unknown", never 0 and never an empty cell; every quantity
 * that has a unit carries it.
 */
import { spanText } from '@spillway/shared/time/span';

export const unknown = 'unknown';

type Maybe = number | null | undefined;

const whole = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });
const upToTwo = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 2 });
const upToOne = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 1 });

const oneDigit = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 1 });

export function known(value: Maybe): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** 1234567 -> "1,234,567". */
export function formatCount(value: Maybe): string {
  return known(value) ? whole.format(value) : unknown;
}

/** The server's sentences hold bare numbers: "18943 events/s" reads "18,943 events/s" here, as everywhere else. Times, ids and decimals stay. */
export function groupDigits(text: string): string {
  return text.replace(/(?<![\w.:-])\d{4,}(?![\w:-]|\.\d)/g, (digits) => formatCount(Number(digits)));
}

/** For axes and tight places: 1234 -> "1.2k", 2500000 -> "2.5M". */
export function formatCompact(value: Maybe): string {
  if (!known(value)) return unknown;
  const size = Math.abs(value);
  if (size >= 1e9) return `${upToOne.format(value / 1e9)}G`;
  if (size >= 1e6) return `${upToOne.format(value / 1e6)}M`;
  if (size >= 1e4) return `${whole.format(value / 1e3)}k`;
  if (size >= 1e3) return `${upToOne.format(value / 1e3)}k`;
  return upToTwo.format(value);
}

/** Events per second without its unit: whole numbers from ten up, one decimal below. */
export function formatRateNumber(value: Maybe): string {
  if (!known(value)) return unknown;
  return Math.abs(value) >= 10 || Number.isInteger(value) ? whole.format(value) : upToOne.format(value);
}

export function formatRate(value: Maybe): string {
  return known(value) ? `${formatRateNumber(value)} events/s` : unknown;
}

export interface Quantity {
  readonly value: string;
  /** Empty where the value is unknown. */
  readonly unit: string;
}

/** Milliseconds in the unit that reads best: 0.4 ms, 23 ms, 1.8 s, 4 min 10 s, 3 h 12 min, 2 d 4 h. */
export function milliseconds(value: Maybe): Quantity {
  if (!known(value)) return { value: unknown, unit: '' };
  // The unit is chosen by the rounded value: "1 s", not "1,000 ms".
  // A little is not nothing: 0.01 ms is never "0 ms".
  if (value > 0 && value < 0.1) return { value: oneDigit.format(value), unit: 'ms' };
  if (value < 9.95) return { value: upToOne.format(value), unit: 'ms' };
  if (Math.round(value) < 1_000) return { value: whole.format(value), unit: 'ms' };
  const tenths = Math.round(value / 100);
  if (tenths < 600) return { value: upToOne.format(tenths / 10), unit: 's' };
  return { value: formatSpan(tenths * 100), unit: '' };
}

export function formatMs(value: Maybe): string {
  const { value: number, unit } = milliseconds(value);
  return unit === '' ? number : `${number} ${unit}`;
}

/** A span of time in at most two units, rounded down: "45 s", "4 min 10 s", "3 h 12 min", "2 d 4 h". */
export function formatSpan(spanMs: Maybe): string {
  return known(spanMs) ? spanText(spanMs) : unknown;
}

/** How long something is likely to take: to the nearest second. */
export function formatEstimate(seconds: Maybe): string {
  return known(seconds) ? spanText(Math.round(seconds) * 1_000) : unknown;
}

interface Eta {
  readonly low: number;
  readonly likely: number;
  readonly high: number;
}

/** "4 min (3 min 10 s to 6 min)". */
export function formatEta(eta: Eta | null): string {
  const { likely, range } = etaParts(eta);
  return range === null ? likely : `${likely} (${range})`;
}

/** For a narrow place, one below the other. `range` is null where there is none. */
export function etaParts(eta: Eta | null): { readonly likely: string; readonly range: string | null } {
  if (eta === null) return { likely: unknown, range: null };
  const [low, likely, high] = [eta.low, eta.likely, eta.high].map(formatEstimate);
  return { likely: likely ?? unknown, range: low === high ? null : `${low} to ${high}` };
}

export function formatBytes(value: Maybe): string {
  if (!known(value)) return unknown;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = value;
  let unit = 0;
  while (size >= 1_024 && unit < units.length - 1) {
    size /= 1_024;
    unit += 1;
  }
  return `${unit === 0 ? whole.format(size) : upToOne.format(size)} ${units[unit]}`;
}

/** 0.318 -> "32 %". A part that is not quite all of it is never rounded up to 100 %, nor a little down to 0 %. */
export function formatRatio(ratio: Maybe): string {
  return known(ratio) ? formatPercent(ratio * 100) : unknown;
}

export function formatPercent(percent: Maybe): string {
  if (!known(percent)) return unknown;
  if (percent > 99 && percent < 100) return `${upToOne.format(Math.min(percent, 99.9))} %`;
  if (percent > 0 && percent < 1) return `${upToOne.format(Math.max(percent, 0.1))} %`;
  return `${whole.format(percent)} %`;
}
