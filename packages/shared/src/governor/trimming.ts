/**
 * When what is applied leaves its stream. Backpressure and the stream's ceiling rest on its length, so what is applied and still there has to be
 * little beside the high-water mark, or the gate opens and closes with each trim: after a tenth of the mark, a thousand entries or a quarter of
 * a second, whichever comes first. (Where rows are so dear that a tenth of the mark takes long, a quarter of a second does.)
 */
export const TRIM_AFTER_MS = 250;
const TRIM_AFTER_ENTRIES_MAX = 1_000;
/** Of the high-water mark: what may lie there applied. */
export const UNTRIMMED_PART = 0.1;

/** Entries applied since the last trim that are worth the next, at least 1. */
export function trimAfterEntries(highWaterMark: number): number {
  return Math.max(1, Math.min(TRIM_AFTER_ENTRIES_MAX, Math.floor(UNTRIMMED_PART * highWaterMark)));
}

/** Most that is applied and not yet trimmed, entries, of so much that is applied a second. */
export function untrimmedAt(highWaterMark: number, appliedPerSecond: number): number {
  return Math.min(trimAfterEntries(highWaterMark), (appliedPerSecond * TRIM_AFTER_MS) / 1000);
}
