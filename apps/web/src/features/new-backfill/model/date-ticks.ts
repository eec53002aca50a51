import { dayMs, hourMs } from '../../../lib/duration.ts';
import type { Span } from './brush.ts';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Round dates inside the span: months where it is long, then days, then hours; at most `most`. */
export function dateTicks(span: Span, most: number): number[] {
  const length = span.toMs - span.fromMs;
  if (length / dayMs > 62) return monthTicks(span, most);
  const steps = [hourMs, 3 * hourMs, 6 * hourMs, 12 * hourMs, dayMs, 2 * dayMs, 7 * dayMs, 14 * dayMs];
  const step = steps.find((candidate) => length / candidate <= most) ?? 28 * dayMs;
  const ticks: number[] = [];
  for (let tick = Math.ceil(span.fromMs / step) * step; tick < span.toMs; tick += step) ticks.push(tick);
  return ticks;
}

function monthTicks(span: Span, most: number): number[] {
  const first = new Date(span.fromMs);
  const starts: number[] = [];
  for (let month = first.getUTCMonth(); ; month += 1) {
    const start = Date.UTC(first.getUTCFullYear(), month, 1);
    if (start >= span.toMs) break;
    if (start >= span.fromMs) starts.push(start);
  }
  const every = Math.ceil(starts.length / most);
  return starts.filter((_, index) => index % every === 0);
}

export function formatDateTick(tick: number, span: Span): string {
  const at = new Date(tick);
  const length = span.toMs - span.fromMs;
  if (length / dayMs > 62) return `${months[at.getUTCMonth()]} ${at.getUTCFullYear()}`;
  const day = `${at.getUTCDate()} ${months[at.getUTCMonth()]}`;
  return at.getUTCHours() === 0 ? day : `${day} ${String(at.getUTCHours()).padStart(2, '0')}:00`;
}
