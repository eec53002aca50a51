/**
 * How many events a backfill will have met, where its sources are estimated and not counted: what is done, and a range of what is ahead. The run
 * believes its estimate at first and itself later, as the forecast of its spend does (cost/forecast.ts):
 *
 *     p, h    parts of the subwindows that are done, and that have been handed out; what is done lies between the two, m is their middle
 *     own     = done / m
 *     total   = (p · own + k · estimate) / (p + k),  k = 5 %
 *     likely  = done + max(total − done, (1 − m) · total)
 *     low     = done + max(least − done, (1 − h) · least),  least = min(total, estimate) · low / likely of the estimate
 *     high    = done + (1 − p) · most,                      most  = max(total, estimate) · high / likely
 *
 * What is ahead is as uncertain as the estimate was, so the range closes as the run nears its end, holds both what was estimated and what the run has
 * met, and is never below what is done. What was estimated knows nothing of where in the window events lie densely: nor does this.
 */
import type { EventRange } from '../quote/event-range.ts';

const BELIEVED_PART = 0.05;

export interface EstimatedRun {
  /** Before it began; low ≤ likely ≤ high. */
  readonly estimate: EventRange;
  /** Applied, there already, or quarantined. */
  readonly eventsDone: number;
  readonly subwindowsTotal: number;
  readonly subwindowsDone: number;
  /** Done, or under way. */
  readonly subwindowsHandedOut: number;
}

/** Whole events, low ≤ likely ≤ high, none below what is done. With every subwindow done it is what is done. */
export function eventsEstimated(run: EstimatedRun): EventRange {
  const { estimate, eventsDone: done, subwindowsTotal } = run;
  const p = run.subwindowsDone / subwindowsTotal;
  if (p >= 1) return { low: done, likely: done, high: done };
  const h = Math.min(1, Math.max(p, run.subwindowsHandedOut / subwindowsTotal));
  const m = (p + h) / 2;
  const own = p > 0 ? done / m : 0;
  const total = (p * own + BELIEVED_PART * estimate.likely) / (p + BELIEVED_PART);
  const part = (events: number) => (estimate.likely > 0 ? events / estimate.likely : 1);
  const least = Math.min(total, estimate.likely) * part(estimate.low);
  const most = Math.max(total, estimate.likely) * part(estimate.high);
  const likely = done + Math.round(Math.max(total - done, (1 - m) * total));
  return {
    low: done + Math.round(Math.max(least - done, (1 - h) * least)),
    likely,
    high: Math.max(likely, done + Math.round((1 - p) * most)),
  };
}
