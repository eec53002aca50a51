/** Numbers as evidence tells them: each with its unit, and how old it is. */
import { spanText } from '@spillway/shared/time/span';

const whole = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 2 });

export function count(value: number): string {
  return whole.format(value);
}

/** "1 source", "4 sources". */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export function rate(eventsPerSecond: number): string {
  return `${eventsPerSecond >= 10 ? whole.format(eventsPerSecond) : fine.format(eventsPerSecond)} events/s`;
}

export function percent(part: number): string {
  return `${Number((part * 100).toFixed(1))} %`;
}

export function milliseconds(ms: number): string {
  if (ms < 1_000) return `${ms >= 10 ? whole.format(ms) : fine.format(ms)} ms`;
  return ms < 60_000 ? `${Number((ms / 1_000).toFixed(1))} s` : spanText(ms);
}

/** "just now", "4 min 10 s ago". A clock that was set back makes nothing younger than now. */
export function ago(atMs: number, nowMs: number): string {
  return nowMs - atMs < 1_000 ? 'just now' : `${spanText(nowMs - atMs)} ago`;
}

/** At most three by name. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3);
  const rest = names.length - shown.length;
  const parts = rest > 0 ? [...shown, `${count(rest)} more`] : shown;
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

/** As a sentence of its own, whatever it ended with. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
