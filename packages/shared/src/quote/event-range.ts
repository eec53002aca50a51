/** How many events a quote is about, and how well that is known. */

/** `counted`: exact per step; `estimated`: from totals or a sample; `unknown`: nobody has looked. */
export interface LaneEvents {
  readonly sourceId: string;
  readonly basis: 'counted' | 'estimated' | 'unknown';
  /** Counted: its bounds differ by the steps the window cuts. Null: unknown. */
  readonly events: EventRange | null;
  /** Why its source has failed, whatever was known of it before. Null or absent: it has not. */
  readonly failure?: string | null;
}

export interface EventRange {
  readonly low: number;
  readonly likely: number;
  readonly high: number;
}

/** Without counts events may be spread unevenly: half to twice what their mean rate says. */
export const ESTIMATED_FACTOR = 2;

/** A part of a source whose events are known in total only. */
export function estimatedEvents(
  total: number,
  window: { readonly from: number; readonly to: number },
  range: { readonly from: number; readonly to: number },
): EventRange {
  const ms = Math.max(0, Math.min(window.to, range.to) - Math.max(window.from, range.from));
  const part = range.to > range.from ? ms / (range.to - range.from) : 0;
  const likely = Math.round(total * part);
  if (part >= 1) return { low: total, likely: total, high: total };
  return estimatedRange(likely, total);
}

/** Around what is likely, but no more than there are. */
export function estimatedRange(likely: number, total: number): EventRange {
  return {
    low: Math.floor(likely / ESTIMATED_FACTOR),
    likely,
    high: Math.max(likely, Math.min(total, Math.ceil(likely * ESTIMATED_FACTOR))),
  };
}

/** Where nobody has counted anything, not even a total: a quarter to four times the mean rate of what is known beside it. */
const BEYOND_FACTOR = 4;

/** Events of a window of which `total` are known to lie in `range`, from an earlier replay; the window may reach past it. */
export function eventsBeyond(
  total: number,
  window: { readonly from: number; readonly to: number },
  range: { readonly from: number; readonly to: number },
): EventRange {
  const within = estimatedEvents(total, window, range);
  const insideMs = Math.max(0, Math.min(window.to, range.to) - Math.max(window.from, range.from));
  const beyond = (total * (window.to - window.from - insideMs)) / (range.to - range.from);
  return {
    low: within.low + Math.floor(beyond / BEYOND_FACTOR),
    likely: within.likely + Math.round(beyond),
    high: within.high + Math.ceil(beyond * BEYOND_FACTOR),
  };
}

/**
 * Of all lanes; null when one is unknown, since nothing can be said of the sum then. Where there may be any (of a part of a minute the mean may be less
 * than half an event), one is what is likely: what is reckoned from none would have no range, however many there may be.
 */
export function sumEvents(lanes: readonly LaneEvents[]): EventRange | null {
  let sum: EventRange = { low: 0, likely: 0, high: 0 };
  for (const { events } of lanes) {
    if (events === null) return null;
    sum = { low: sum.low + events.low, likely: sum.likely + events.likely, high: sum.high + events.high };
  }
  return sum.likely === 0 && sum.high > 0 ? { ...sum, likely: 1 } : sum;
}
