/**
 * What somebody can use of what it is granted, so that the rest can be lent on: a reader that its source holds up does not keep from
 * others what it leaves lying. Of backfills among each other, and of the workers of one.
 *
 *     every two seconds    used = published ÷ time;  granted = the least it had all that time
 *     unlimited            until used < granted / 2, `patience` times in a row:  demand = used · 1.5
 *     lent                 until used > granted · 0.9: unlimited again, else demand = used · 1.5
 *     patience             1 at first; doubled, up to 16, by a loan that is called back before a minute is over, halved by one that lasted
 *
 * It may always use more than it does, so one that can shows it and has its whole part back two seconds later, or sooner where the counts
 * are good enough to say so (`backWithinMs`). The two limits lie far apart, so that it does not flap where its source is even; one whose
 * source comes in bursts uses little of two seconds and all of one tick, and without patience would be lent and called back with each
 * burst. Patience delays nothing but lending: to give back, and to follow a demand that falls further, takes what it always takes. A demand
 * takes nothing from anyone: `divide` gives what nobody else wants back to whoever may have it.
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

interface Loan {
  /** Events/s; null: as much as it gets. */
  readonly demand: number | null;
  /** Since when, while there is a demand. */
  readonly lentMs: number;
  /** Times of little use in a row, and how many of them it takes to be lent. */
  readonly little: number;
  readonly patience: number;
}

export interface DemandMemory extends Loan {
  /** What is lent is judged by, and what shows that it is wanted back. */
  readonly lending: Span;
  readonly wanting: Span;
}

const SPAN_MS = 2_000;
const UNUSED_PART = 0.5;
const USED_PART = 0.9;
const ROOM = 1.5;
const PATIENCE_MAX = 16;
/** A loan that has lasted so long was right. */
const LASTING_MS = 60_000;
const UNSEEN: Loan = { demand: null, lentMs: 0, little: 0, patience: 1 };

/** `backWithinMs`: for so long all of it must be used to be unlimited again; at most two seconds. */
export function followDemand(
  inputs: DemandInputs,
  before: DemandMemory | null,
  { backWithinMs = SPAN_MS }: { readonly backWithinMs?: number } = {},
): DemandMemory {
  const { nowMs, eventsPublished, grantedEventsPerSecond: granted } = inputs;
  const begun: Span = { sinceMs: nowMs, eventsPublished, leastGranted: granted };
  const { demand, lentMs, little, patience } = before ?? UNSEEN;
  const loan: Loan = { demand, lentMs, little, patience };
  const anew = (now: Loan): DemandMemory => ({ ...now, lending: begun, wanting: begun });
  // Without a grant nothing can be used; and a clock that leapt says nothing about how long it was.
  if (before === null || granted <= 0) return anew(loan);
  const spanMs = nowMs - before.lending.sinceMs;
  if (spanMs < 0 || spanMs > 2 * SPAN_MS) return anew(loan);
  const wanting = continued(before.wanting, granted);
  const wantedMs = nowMs - wanting.sinceMs;
  if (demand !== null && wantedMs >= backWithinMs && partUsed(wanting, inputs) > USED_PART)
    return anew(calledBack(loan, nowMs));
  const lending = continued(before.lending, granted);
  if (spanMs < SPAN_MS) return { ...loan, lending, wanting: wantedMs >= backWithinMs ? begun : wanting };
  if (lending.leastGranted <= 0) return anew(loan);
  const part = partUsed(lending, inputs);
  const wanted = usedEventsPerSecond(lending, inputs) * ROOM;
  if (demand !== null) return anew(part < USED_PART ? { ...loan, demand: wanted } : calledBack(loan, nowMs));
  const soFar = part < UNUSED_PART ? little + 1 : 0;
  return anew(
    soFar < patience ? { ...loan, little: soFar } : { demand: wanted, lentMs: nowMs, little: 0, patience },
  );
}

function calledBack({ lentMs, patience }: Loan, nowMs: number): Loan {
  const lasted = nowMs - lentMs >= LASTING_MS;
  return { ...UNSEEN, patience: lasted ? Math.max(1, patience / 2) : Math.min(PATIENCE_MAX, 2 * patience) };
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
