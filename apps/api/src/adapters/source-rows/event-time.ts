/** Event times as rows hold them: text or a number, always floored to milliseconds. */
import type { TimeFormat } from '@spillway/shared/api/source';

/** Beyond this a number is not a date (ECMAScript's time range). */
const MAX_TIME = 8.64e15;
const MICROS_PER_MS = 1_000n;
const NANOS_PER_MS = 1_000_000n;

const pattern =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(Z|z|[+-]\d{2}(?::?\d{2})?)?)?$/;

/** Epoch ms. Null: it is no time of this format. */
export function parseEventTime(value: unknown, format: TimeFormat): number | null {
  if (format === 'text') return typeof value === 'string' ? fromText(value) : null;
  const at = fromNumber(value, format);
  return at !== null && Math.abs(at) <= MAX_TIME ? at : null;
}

/** A day that does not exist (30 February) is none; neither is a second 60. */
function fromText(text: string): number | null {
  const match = pattern.exec(text);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return null;
  const at = new Date(0);
  // Not Date.UTC: it takes the years 0 to 99 for those of the last century.
  at.setUTCFullYear(year, month - 1, day);
  if (at.getUTCMonth() !== month - 1) return null;
  const ms = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
  const offset = offsetMs(match[8]);
  return offset === null ? null : at.getTime() + ((hour * 60 + minute) * 60 + second) * 1000 + ms - offset;
}

function offsetMs(text: string | undefined): number | null {
  if (text === undefined || text === 'Z' || text === 'z') return 0;
  const [hours, minutes] = [Number(text.slice(1, 3)), Number(text.slice(3).replace(':', '') || 0)];
  if (hours > 23 || minutes > 59) return null;
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

/** Digits as text are taken too: CSV has nothing else. */
function fromNumber(value: unknown, format: Exclude<TimeFormat, 'text'>): number | null {
  if (typeof value !== 'number' && !(typeof value === 'string' && /^[+-]?\d{1,19}(\.\d{1,9})?$/.test(value)))
    return null;
  if (format === 'seconds') return Math.floor(Number((Number(value) * 1000).toFixed(6)));
  if (format === 'milliseconds') return Math.floor(Number(value));
  // Nanoseconds of this century are beyond what a double counts one by one; a number in JSON has been rounded already, by less than a ms.
  const unit = format === 'microseconds' ? MICROS_PER_MS : NANOS_PER_MS;
  if (typeof value === 'number') return Math.floor(value / Number(unit));
  const whole = BigInt((value.split('.', 1)[0] as string).replace('+', ''));
  const remainder = whole % unit;
  return Number((remainder < 0n ? whole - remainder - unit : whole - remainder) / unit);
}
