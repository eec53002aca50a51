/**
 * What somebody can use of what it is granted, so that the rest can be lent on: a reader that its source holds up does not keep from
 * others what it leaves lying. Of backfills among each other, and of the workers of one.
 *
 *     every two seconds    used = published ÷ time;  granted = the least it had all that time
 *     unlimited            until used < granted / 2:  demand = used · 1.5
 *     lent                 until used > granted · 0.9: unlimited again, else demand = used · 1.5
 *
 * It may always use more than it does, so one that can shows it and has its whole part back two seconds later, or sooner where the counts
 * are good enough to say so (`backWithinMs`). The two limits lie far apart, so that it does not flap. A demand takes nothing from
 * anyone: `divide` gives what nobody else wants back to whoever may have it.
 */
export interface DemandInputs {
  /** Monotonic, ms. */
  readonly nowMs: number;
  /** Since it began. */
  readonly eventsPublished: number;
  readonly grantedEventsPerSecond: number;
}

/** A time under way: when it began, what was published by then, and the least that was granted since. */
interface Span {
  readonly sinceMs: number;
  readonly eventsPublished: number;
  readonly leastGranted: number;
}

export interface DemandMemory {
  /** What is lent is judged by, and what shows that it is wanted back. */
  readonly lending: Span;
  readonly wanting: Span;
  /** Events/s; null: as much as it gets. */
  readonly demand: number | null;
}

const SPAN_MS = 2_000;
const UNUSED_PART = 0.5;
const USED_PART = 0.9;
const ROOM = 1.5;

/** `backWithinMs`: for so long all of it must be used to be unlimited again; at most two seconds. */
export function followDemand(
  inputs: DemandInputs,
  before: DemandMemory | null,
  { backWithinMs = SPAN_MS }: { readonly backWithinMs?: number } = {},
): DemandMemory {
  const { nowMs, eventsPublished, grantedEventsPerSecond: granted } = inputs;
  const begun: Span = { sinceMs: nowMs, eventsPublished, leastGranted: granted };
  const anew = (demand: number | null): DemandMemory => ({ lending: begun, wanting: begun, demand });
  // Without a grant nothing can be used; and a clock that leapt says nothing about how long it was.
  if (before === null || granted <= 0) return anew(before?.demand ?? null);
  const { demand } = before;
  const spanMs = nowMs - before.lending.sinceMs;
  if (spanMs < 0 || spanMs > 2 * SPAN_MS) return anew(demand);
  const wanting = continued(before.wanting, granted);
  if (demand !== null && nowMs - wanting.sinceMs >= backWithinMs && partUsed(wanting, inputs) > USED_PART)
    return anew(null);
  const lending = continued(before.lending, granted);
  const next = { lending, wanting: nowMs - wanting.sinceMs >= backWithinMs ? begun : wanting, demand };
  if (spanMs < SPAN_MS) return next;
  if (lending.leastGranted <= 0) return anew(demand);
  const lends = partUsed(lending, inputs) < (demand === null ? UNUSED_PART : USED_PART);
  return anew(lends ? usedEventsPerSecond(lending, inputs) * ROOM : null);
}

function continued(span: Span, granted: number): Span {
  return { ...span, leastGranted: Math.min(span.leastGranted, granted) };
}

/** Of the least it had; nothing can be said of a time without a grant. */
function partUsed(span: Span, inputs: DemandInputs): number {
  return span.leastGranted <= 0 ? 0 : usedEventsPerSecond(span, inputs) / span.leastGranted;
}

function usedEventsPerSecond({ sinceMs, eventsPublished }: Span, inputs: DemandInputs): number {
  return (Math.max(0, inputs.eventsPublished - eventsPublished) * 1000) / (inputs.nowMs - sinceMs);
}
