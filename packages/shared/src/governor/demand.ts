/**
 * What a backfill can use of what it is granted, so that the rest can be lent on: a reader that its source holds up does not keep from
 * others what it leaves lying.
 *
 *     every two seconds    used = published ÷ time;  granted = the least it had all that time
 *     unlimited            until used < granted / 2:  demand = used · 1.5
 *     lent                 until used > granted · 0.9: unlimited again, else demand = used · 1.5
 *
 * It may always use more than it does, so one that can shows it and has its whole part back two seconds later. The two limits lie far apart,
 * so that it does not flap. A demand takes nothing from anyone: `divide` gives what nobody else wants back to whoever may have it.
 */
export interface DemandInputs {
  /** Monotonic, ms. */
  readonly nowMs: number;
  /** Since the backfill began. */
  readonly eventsPublished: number;
  readonly grantedEventsPerSecond: number;
}

export interface DemandMemory {
  /** The span under way: when it began, what was published by then, and the least that was granted since. */
  readonly sinceMs: number;
  readonly eventsPublished: number;
  readonly leastGranted: number;
  /** Events/s; null: as much as it gets. */
  readonly demand: number | null;
}

const SPAN_MS = 2_000;
const UNUSED_PART = 0.5;
const USED_PART = 0.9;
const ROOM = 1.5;

export function followDemand(inputs: DemandInputs, before: DemandMemory | null): DemandMemory {
  const { nowMs, eventsPublished, grantedEventsPerSecond: granted } = inputs;
  const begun = { sinceMs: nowMs, eventsPublished, leastGranted: granted };
  // Without a grant nothing can be used; and a clock that leapt says nothing about how long it was.
  if (before === null || granted <= 0) return { ...begun, demand: before?.demand ?? null };
  const spanMs = nowMs - before.sinceMs;
  if (spanMs < 0 || spanMs > 2 * SPAN_MS) return { ...begun, demand: before.demand };
  const leastGranted = Math.min(before.leastGranted, granted);
  if (spanMs < SPAN_MS) return { ...before, leastGranted };
  if (leastGranted <= 0) return { ...begun, demand: before.demand };
  const used = (Math.max(0, eventsPublished - before.eventsPublished) * 1000) / spanMs;
  const lends = used < leastGranted * (before.demand === null ? UNUSED_PART : USED_PART);
  return { ...begun, demand: lends ? used * ROOM : null };
}
