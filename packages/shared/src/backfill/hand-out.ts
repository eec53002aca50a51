/**
 * Which runs the next claim gets.
 *
 * Between backfills: on an isolated worker those that no other worker gets; then those that have none (each of them may publish something, and
 * can not without one); then the higher priority; among equals the one that uses the least of its concurrency, then the one that was
 * served longest ago, then the older. What was given out before and is missing now, `call-back.ts` has asked back.
 * Within a backfill: what was given back before anything new, then the lane that is furthest behind in event time, so that
 * the lanes walk the window nearly together (sources that share a file decode it once, and the cold working set stays small).
 */
import { type LaneShape, subwindowStart } from './lane.ts';
import { runEnd } from './run-sizing.ts';

export interface LaneWork extends LaneShape {
  readonly sourceId: string;
  readonly subwindows: number;
  readonly nextIndex: number;
}

/** A run given back, or a proof not yet given: to be handed out as it stands. */
export interface PendingRun {
  readonly id: string;
  readonly sourceId: string;
  readonly fromIndex: number;
}

/** Whoever may have another lease. */
export interface Claimant {
  readonly backfillId: string;
  readonly priority: number;
  /** Order of creation. */
  readonly ordinal: number;
  readonly concurrency: number;
  /** When a lease of it was last given out or came back, monotonic, ms; -Infinity: none has been. */
  readonly lastServedMs: number;
}

export interface BackfillWork extends Claimant {
  /** For isolated workers alone. */
  readonly isolated: boolean;
  readonly leased: number;
  /** What one of its leases may expect, events/s. */
  readonly eventsPerSecondPerLease: number;
  /** Lanes with a slot. */
  readonly lanes: readonly LaneWork[];
  readonly pending: readonly PendingRun[];
}

export type HandedOut =
  | { readonly type: 'pending'; readonly backfillId: string; readonly runId: string }
  | {
      readonly type: 'new';
      readonly backfillId: string;
      readonly sourceId: string;
      readonly fromIndex: number;
      readonly toIndex: number;
    };

export type ExpectedEvents = (
  sourceId: string,
  range: { readonly from: number; readonly to: number },
) => number | null;

export function handOut(
  works: readonly BackfillWork[],
  max: number,
  expectedEvents: ExpectedEvents,
  worker: { readonly isolated: boolean } = { isolated: false },
): HandedOut[] {
  const handed: HandedOut[] = [];
  let open = works
    .filter((work) => worker.isolated || !work.isolated)
    .map((work) => new OpenWork(work, expectedEvents));
  while (handed.length < max && open.length > 0) {
    const first = open.reduce((best, candidate) => (comesBefore(candidate, best) ? candidate : best));
    const next = first.take();
    if (next === null) open = open.filter((candidate) => candidate !== first);
    else handed.push(next);
  }
  return handed;
}

function comesBefore(a: OpenWork, b: OpenWork): boolean {
  if (a.work.isolated !== b.work.isolated) return a.work.isolated;
  return claimsBefore(a.work, a.leased, b.work, b.leased);
}

/** Which of two comes first with so many leases each. */
export function claimsBefore(a: Claimant, leasesOfA: number, b: Claimant, leasesOfB: number): boolean {
  if ((leasesOfA === 0) !== (leasesOfB === 0)) return leasesOfA === 0;
  if (a.priority !== b.priority) return a.priority > b.priority;
  const [loadOfA, loadOfB] = [leasesOfA / a.concurrency, leasesOfB / b.concurrency];
  if (loadOfA !== loadOfB) return loadOfA < loadOfB;
  if (a.lastServedMs !== b.lastServedMs) return a.lastServedMs < b.lastServedMs;
  return a.ordinal < b.ordinal;
}

class OpenWork {
  readonly work: BackfillWork;
  readonly #expectedEvents: ExpectedEvents;
  readonly #nextIndex: Map<string, number>;
  #pending: readonly PendingRun[];
  #leased: number;

  constructor(work: BackfillWork, expectedEvents: ExpectedEvents) {
    this.work = work;
    this.#expectedEvents = expectedEvents;
    this.#nextIndex = new Map(work.lanes.map((lane) => [lane.sourceId, lane.nextIndex]));
    this.#pending = work.pending;
    this.#leased = work.leased;
  }

  get leased(): number {
    return this.#leased;
  }

  take(): HandedOut | null {
    if (this.#leased >= this.work.concurrency) return null;
    const taken = this.#takePending() ?? this.#takeNew();
    if (taken !== null) this.#leased += 1;
    return taken;
  }

  #takePending(): HandedOut | null {
    const lanes = new Map(this.work.lanes.map((lane) => [lane.sourceId, lane]));
    const at = (run: PendingRun) => subwindowStart(lanes.get(run.sourceId) as LaneWork, run.fromIndex);
    const ready = this.#pending.filter((run) => lanes.has(run.sourceId));
    if (ready.length === 0) return null;
    const first = ready.reduce((best, run) => (at(run) < at(best) ? run : best));
    this.#pending = this.#pending.filter((run) => run !== first);
    return { type: 'pending', backfillId: this.work.backfillId, runId: first.id };
  }

  #takeNew(): HandedOut | null {
    const next = (lane: LaneWork) => this.#nextIndex.get(lane.sourceId) as number;
    const unfinished = this.work.lanes.filter((lane) => next(lane) < lane.subwindows);
    if (unfinished.length === 0) return null;
    const lane = unfinished.reduce((best, candidate) =>
      subwindowStart(candidate, next(candidate)) < subwindowStart(best, next(best)) ? candidate : best,
    );
    const fromIndex = next(lane);
    const toIndex = runEnd({
      lane,
      fromIndex,
      eventsPerSecond: this.work.eventsPerSecondPerLease,
      leases: Math.ceil(this.work.concurrency / unfinished.length),
      expectedEvents: (range) => this.#expectedEvents(lane.sourceId, range),
    });
    this.#nextIndex.set(lane.sourceId, toIndex);
    return { type: 'new', backfillId: this.work.backfillId, sourceId: lane.sourceId, fromIndex, toIndex };
  }
}
