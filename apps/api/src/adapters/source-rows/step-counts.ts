/**
 * Events by source and step, counted before anyone knows where they begin and end. A day's steps are kept together, so that a wild time costs
 * a day and not all the years up to it; where that becomes too much, steps become twice as long.
 */
import type { HistoryCounts } from '../../data-plane/ports.ts';

const STEPS_A_PAGE = 1_440;
/** 64 MiB of counters. */
const PAGES_MAX = Math.floor((16 << 20) / STEPS_A_PAGE);
const FINEST_MS = 60_000;

export class StepCounts {
  readonly #ids: readonly string[];
  /** By source: rows that are no events, whenever they were. */
  readonly #quarantined: number[];
  readonly #pagesMax: number;
  #pages: Map<number, Uint32Array>[];
  #size = 0;
  #stepMs = FINEST_MS;

  constructor(ids: readonly string[], pagesMax = PAGES_MAX) {
    this.#ids = ids;
    this.#quarantined = ids.map(() => 0);
    // Steps before and after 1970 never become one.
    this.#pagesMax = Math.max(pagesMax, 2 * ids.length);
    this.#pages = ids.map(() => new Map());
  }

  add(source: number, at: number, events = 1): void {
    this.#addStep(source, Math.floor(at / this.#stepMs), events);
    while (this.#size > this.#pagesMax) this.#coarsen();
  }

  quarantine(source: number, rows = 1): void {
    this.#quarantined[source] = (this.#quarantined[source] as number) + rows;
  }

  /** In steps of `finestMs`, or of the multiple of it that the counts, and their number, allow. */
  counts(finestMs: number, estimated = false): HistoryCounts {
    let first = Number.POSITIVE_INFINITY;
    let last = Number.NEGATIVE_INFINITY;
    for (const { step } of stepsOf(this.#pages)) {
      first = Math.min(first, step);
      last = Math.max(last, step);
    }
    let stepMs = multipleOfBoth(finestMs, this.#stepMs);
    if (first > last) [first, last] = [0, 0];
    const spanMs = (last - first + 2) * this.#stepMs;
    const counters = Math.ceil(spanMs / stepMs) * this.#ids.length;
    stepMs *= Math.max(1, Math.ceil(counters / (this.#pagesMax * STEPS_A_PAGE)));
    const own = (step: number) => Math.floor((step * this.#stepMs) / stepMs);
    const from = own(first);
    const counts = this.#ids.map(() => new Uint32Array(own(last) - from + 1));
    for (const { source, step, events } of stepsOf(this.#pages)) {
      const counted = counts[source] as Uint32Array;
      const place = own(step) - from;
      counted[place] = (counted[place] as number) + events;
    }
    return {
      stepMs,
      estimated,
      from: from * stepMs,
      counts: Object.fromEntries(this.#ids.map((id, source) => [id, counts[source] as Uint32Array])),
      // Of a sample it is neither how many there are nor that there are none.
      quarantined: estimated
        ? null
        : Object.fromEntries(this.#ids.map((id, source) => [id, this.#quarantined[source] as number])),
      laps: null,
    };
  }

  #addStep(source: number, step: number, events: number): void {
    const page = Math.floor(step / STEPS_A_PAGE);
    const pages = this.#pages[source] as Map<number, Uint32Array>;
    let counted = pages.get(page);
    if (counted === undefined) {
      counted = new Uint32Array(STEPS_A_PAGE);
      pages.set(page, counted);
      this.#size += 1;
    }
    const place = step - page * STEPS_A_PAGE;
    counted[place] = (counted[place] as number) + events;
  }

  #coarsen(): void {
    const finer = this.#pages;
    this.#stepMs *= 2;
    this.#size = 0;
    this.#pages = this.#ids.map(() => new Map());
    for (const { source, step, events } of stepsOf(finer))
      this.#addStep(source, Math.floor(step / 2), events);
  }
}

function* stepsOf(
  pagesBySource: readonly ReadonlyMap<number, Uint32Array>[],
): Generator<{ source: number; step: number; events: number }> {
  for (const [source, pages] of pagesBySource.entries())
    for (const [page, counted] of pages)
      for (const [place, events] of counted.entries())
        if (events > 0) yield { source, step: page * STEPS_A_PAGE + place, events };
}

/** The lowest; `finestMs` is a whole number from 1. */
function multipleOfBoth(finestMs: number, stepMs: number): number {
  if (!Number.isSafeInteger(finestMs) || finestMs < 1)
    throw new RangeError('stepMs is a whole number from 1');
  let [a, b] = [finestMs, stepMs];
  while (b > 0) [a, b] = [b, a % b];
  return (finestMs / a) * stepMs;
}
