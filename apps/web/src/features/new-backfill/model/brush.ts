import type { Coverage } from '@spillway/shared/api/pipeline';

/**
 * Choosing a window on the coverage map. Positions are fractions of the map's width; windows are epoch ms, half-open,
 * and always lie on the map's steps, inside its range, and at least one step long.
 */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Scale extends Span {
  readonly stepMs: number;
}

/** From where the pointer went down to where it is now, in either direction: every step that was touched. */
export function brushWindow(scale: Scale, downFraction: number, currentFraction: number): Span {
  const low = Math.min(downFraction, currentFraction);
  const high = Math.max(downFraction, currentFraction);
  return {
    fromMs: Math.max(scale.fromMs, stepStart(scale, low)),
    toMs: Math.min(scale.toMs, stepStart(scale, high) + scale.stepMs),
  };
}

/** One edge moved by whole steps, for the arrow keys; the other edge stays. */
export function nudge(scale: Scale, span: Span, edge: 'from' | 'to', steps: number): Span {
  const move = (ms: number) => ms + steps * scale.stepMs;
  return edge === 'from'
    ? { ...span, fromMs: clamp(move(span.fromMs), scale.fromMs, span.toMs - scale.stepMs) }
    : { ...span, toMs: clamp(move(span.toMs), span.fromMs + scale.stepMs, scale.toMs) };
}

/** Where a time stands on the map, 0 to 1. */
export function fractionAt(span: Span, ms: number): number {
  return clamp((ms - span.fromMs) / (span.toMs - span.fromMs), 0, 1);
}

export interface CoverageStep {
  readonly startMs: number;
  /** Null: nobody has counted the source here. */
  readonly expected: number | null;
  /** Null: it is in a store that is not ours. */
  readonly stored: number | null;
}

const NAMED_MAX = 3;

/** Without which sources the map is; null: it is of all that were asked for, or of none. */
export function partlyWords({ asked, uncounted }: Coverage['sources']): string | null {
  if (uncounted.length === 0 || uncounted.length === asked) return null;
  const more = uncounted.length - NAMED_MAX;
  const named = `${uncounted.slice(0, NAMED_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return `Without ${named}, which ${uncounted.length === 1 ? 'is' : 'are'} not counted.`;
}

/** Neighbouring steps in which something is missing, as windows: what a click on a hole selects, and what "largest hole" means. */
export function holes(scale: Scale, steps: readonly CoverageStep[]): (Span & { readonly missing: number })[] {
  const found: { fromMs: number; toMs: number; missing: number }[] = [];
  for (const step of steps) {
    const missing = step.expected === null || step.stored === null ? 0 : step.expected - step.stored;
    if (missing <= 0) continue;
    const toMs = Math.min(scale.toMs, step.startMs + scale.stepMs);
    const last = found.at(-1);
    if (last !== undefined && last.toMs === step.startMs) {
      last.toMs = toMs;
      last.missing += missing;
    } else {
      found.push({ fromMs: Math.max(scale.fromMs, step.startMs), toMs, missing });
    }
  }
  return found;
}

const stepsMs = [
  3_600_000,
  3 * 3_600_000,
  6 * 3_600_000,
  12 * 3_600_000,
  86_400_000,
  7 * 86_400_000,
  28 * 86_400_000,
];

/** The finest step that keeps the map under `most` bars. */
export function coverageStepMs(spanMs: number, most = 200): number {
  return (
    stepsMs.find((step) => spanMs / step <= most) ??
    28 * 86_400_000 * Math.ceil(spanMs / (28 * 86_400_000) / most)
  );
}

/** Steps lie on multiples of their length since the epoch, as the API counts them. */
function stepStart(scale: Scale, fraction: number): number {
  const last = scale.toMs - 1;
  const atMs = Math.min(last, scale.fromMs + clamp(fraction, 0, 1) * (scale.toMs - scale.fromMs));
  return Math.floor(atMs / scale.stepMs) * scale.stepMs;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
