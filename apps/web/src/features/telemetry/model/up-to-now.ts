import type { LinePoint } from './paths.ts';

const SECOND_MS = 1_000;

/**
 * The line of a rate up to the moment that is shown. A second tells only of what is at work in it: after the last in which it was told the line lies at what is
 * shown now, and never ends at a number that stands nowhere.
 */
export function upToNow(points: readonly LinePoint[], now: LinePoint): readonly LinePoint[] {
  const told = points.filter(({ value }) => value !== null);
  const last = told.at(-1);
  if (last === undefined || now.value === null || last.at >= now.at) return points;
  const rested = { at: Math.min(last.at + SECOND_MS, now.at), value: now.value };
  return [...points.slice(0, points.lastIndexOf(last) + 1), rested, now];
}
