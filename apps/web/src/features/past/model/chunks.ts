/**
 * Moments are fetched by the chunk, so that stepping to a neighbour asks nobody: thirty steps at a time, on fixed places, so that whoever comes
 * from either side asks for the same.
 */
import type { Moment } from '@spillway/shared/api/past';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const STEPS = 30;
/** A second that was left out is told by the one before it, which may lie in the chunk before. */
const LEAD_MS = 5_000;

export interface Chunk {
  readonly fromMs: number;
  readonly toMs: number;
}

/** How fine the past is kept at that age. Some minutes early: at the edge the server may already have dropped the finer step. */
export function stepMsAt(atMs: number, nowMs: number): number {
  const ageMs = nowMs - atMs;
  if (ageMs < HOUR_MS - 2 * MINUTE_MS) return SECOND_MS;
  return ageMs < 24 * HOUR_MS - 10 * MINUTE_MS ? 10 * SECOND_MS : MINUTE_MS;
}

export function chunkOf(atMs: number, stepMs: number): Chunk {
  const lengthMs = STEPS * stepMs;
  const beginMs = Math.floor(atMs / lengthMs) * lengthMs;
  return { fromMs: beginMs - Math.max(LEAD_MS, stepMs), toMs: beginMs + lengthMs };
}

/** The chunk next to it that will be wanted soon; null while both lie far. */
export function nextChunk(atMs: number, stepMs: number): Chunk | null {
  const lengthMs = STEPS * stepMs;
  const into = atMs - Math.floor(atMs / lengthMs) * lengthMs;
  if (into < lengthMs / 3) return chunkOf(atMs - lengthMs, stepMs);
  return into >= (lengthMs * 2) / 3 ? chunkOf(atMs + lengthMs, stepMs) : null;
}

/** The moment that stands for `atMs`: the newest up to it, unless it lies so far back that it says nothing any more. Null: not recorded. */
export function momentAt(moments: readonly Moment[], atMs: number, stepMs: number): Moment | null {
  const standsForMs = Math.max(LEAD_MS, stepMs);
  const found = moments.findLast(({ at }) => at <= atMs);
  return found !== undefined && atMs - found.at < standsForMs ? found : null;
}

/** While the right one is on its way: the nearest of those at hand. */
export function nearest(moments: readonly Moment[], atMs: number): Moment | null {
  return moments.reduce<Moment | null>(
    (best, each) => (best === null || Math.abs(each.at - atMs) < Math.abs(best.at - atMs) ? each : best),
    null,
  );
}
