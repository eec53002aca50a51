/** What the chosen window itself holds, told apart from the steps of the map that it touches. */
import { formatCount, formatSpan } from '../../../lib/format.ts';
import type { CoverageStep, Span } from './brush.ts';

export interface WindowCount {
  /** Null: nobody has counted the sources here. */
  readonly expected: number | null;
  /** Null: it is in a store that is not ours. */
  readonly stored: number | null;
  /** False: of those sources that are counted, which are not all. */
  readonly isOfAll: boolean;
  /** The whole steps that were counted, ms, where they reach beyond the window; null: it alone was counted. */
  readonly roundedToMs: number | null;
}

const hourMs = 3_600_000;
/** Coarsest first, each a multiple of those after it: a store keeps buckets of an hour. */
const stepsMs = [28 * 86_400_000, 7 * 86_400_000, 86_400_000, 12 * hourMs, 6 * hourMs, 3 * hourMs, hourMs];
const MOST_STEPS = 2_000;

/**
 * In which steps to ask: the coarsest that both edges of the window lie on, which are few and count nothing beside it. Where those
 * are too many, and where an edge lies inside a bucket, the finest there may be. Beyond `range` the sources hold nothing.
 */
export function countingSteps(
  window: Span,
  range: Span,
): { readonly stepMs: number; readonly isExact: boolean } {
  const edges = [
    ...(window.fromMs > range.fromMs ? [window.fromMs] : []),
    ...(window.toMs < range.toMs ? [window.toMs] : []),
  ];
  const few = stepsMs.filter((stepMs) => (window.toMs - window.fromMs) / stepMs <= MOST_STEPS);
  const exact = few.find((stepMs) => edges.every((edge) => edge % stepMs === 0));
  return { stepMs: exact ?? few.at(-1) ?? 366 * 86_400_000, isExact: exact !== undefined };
}

/** Null as soon as it is of one of the steps. */
export function sumOf(steps: readonly CoverageStep[]): Pick<WindowCount, 'expected' | 'stored'> {
  const sum = (of: 'expected' | 'stored') =>
    steps.reduce<number | null>((total, step) => {
      const value = step[of];
      return total === null || value === null ? null : total + value;
    }, 0);
  return { expected: sum('expected'), stored: sum('stored') };
}

/** `count` undefined: it is not answered yet; null: the store has not said, and is not about to. */
export function windowWords(window: Span, count: WindowCount | null | undefined): string {
  return `${formatSpan(window.toMs - window.fromMs)}: ${countWords(count)}`;
}

function countWords(count: WindowCount | null | undefined): string {
  if (count === undefined) return 'counting what it holds…';
  if (count === null) return 'what is stored is unknown';
  const { expected, stored, roundedToMs } = count;
  const about = roundedToMs === null ? '' : 'about ';
  const rounded = roundedToMs === null ? '' : `, counted in whole steps of ${formatSpan(roundedToMs)}`;
  if (stored === null)
    return `${expected === null ? 'an unknown number of' : about + formatCount(expected)} events expected${expected === null ? '' : rounded}; what of them is stored is known to your consumers alone`;
  return expected === null
    ? `${about}${formatCount(stored)} events stored${rounded}; how many there should be is not counted yet`
    : `${about}${formatCount(expected)} events expected, ${formatCount(stored)} stored, ${formatCount(Math.max(0, expected - stored))} missing${rounded}`;
}
