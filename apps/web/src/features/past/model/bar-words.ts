/** What the time bar says: pure, with the time passed in. */
import type { Timeline } from '@spillway/shared/api/past';
import { formatCount, formatMs, formatRate, known } from '../../../lib/format.ts';
import { formatClock, formatInstant } from '../../../lib/instant.ts';
import type { BarRange, SpanName } from './time-bar.ts';

/** "12 min ago", in one unit: it stands beside a time that is told to the second. */
export function agoWords(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  return seconds < 86_400
    ? `${Math.floor(seconds / 3_600)} h ago`
    : `${formatCount(Math.floor(seconds / 86_400))} d ago`;
}

/** What a step longer than a second holds; null: every second by itself. */
export function stepWords(step: string): string | null {
  if (step === 'PT10S')
    return '10-second means; lengths, lags and latencies are the worst of the ten, states and causes those of the worst second.';
  if (step === 'PT1M')
    return '1-minute means; lengths, lags and latencies are the worst of the minute, states and causes those of its worst second.';
  return null;
}

/** The clock alone says which moment it is for half a day; beyond that the date does too. */
export function timeWords(atMs: number, nowMs: number): string {
  return `${Math.abs(nowMs - atMs) < 43_200_000 ? formatClock(atMs) : formatInstant(atMs)} UTC`;
}

export function momentWords(atMs: number, nowMs: number): string {
  return atMs > nowMs + 1_000
    ? timeWords(atMs, nowMs)
    : `${timeWords(atMs, nowMs)}, ${agoWords(nowMs - atMs)}`;
}

/** The left edge of the bar. */
export function edgeWords({ fromMs, toMs }: BarRange): string {
  if (toMs - fromMs > 3_700_000) return formatInstant(fromMs);
  return toMs - fromMs > 900_000 ? formatClock(fromMs).slice(0, 5) : formatClock(fromMs);
}

/** Beside the word "Live". */
export function recordedWords({ recordedFrom, from }: Timeline, span: SpanName): string {
  if (recordedFrom === null) return 'nothing is recorded yet';
  return Date.parse(recordedFrom) <= Date.parse(from)
    ? 'drag the handle, or use the arrow keys, to look back'
    : `recorded since ${span === 'PT1H' ? formatClock(recordedFrom) : formatInstant(recordedFrom)} UTC`;
}

/** What of the bar is known of a moment, until the screen shows all of it. The last minute is not on the bar yet. */
export function binWords({ bins, binMs, to }: Timeline, atMs: number): string {
  const bin = bins.find(({ at }) => atMs >= at && atMs < at + binMs);
  if (bin === undefined) return Date.parse(to) - atMs < 60_000 ? '' : 'not recorded';
  return [
    known(bin.liveFreshnessMsP99) ? `live ${formatMs(bin.liveFreshnessMsP99)} fresh at worst` : null,
    known(bin.replayEventsPerSecond) ? `replay ${formatRate(bin.replayEventsPerSecond)}` : null,
  ]
    .filter((part) => part !== null)
    .join(' · ');
}
