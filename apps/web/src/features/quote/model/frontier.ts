/** The frontier as a picture: rates on a logarithmic axis, since they lie in equal ratios; what lies between two of them is drawn as a line. */
import type { FrontierPoint } from '@spillway/shared/api/quote';
import { moneyDouble } from '../../../lib/money.ts';

export interface RateAxis {
  readonly lowEventsPerSecond: number;
  readonly highEventsPerSecond: number;
}

/** Null: fewer than two rates make no axis. */
export function rateAxis(frontier: readonly FrontierPoint[]): RateAxis | null {
  const low = frontier[0]?.eventsPerSecond;
  const high = frontier.at(-1)?.eventsPerSecond;
  if (low === undefined || high === undefined || !(low > 0) || high <= low) return null;
  return { lowEventsPerSecond: low, highEventsPerSecond: high };
}

/** 0..1; a rate outside stands at the edge. */
export function fractionOfRate(eventsPerSecond: number, axis: RateAxis): number {
  const { lowEventsPerSecond: low, highEventsPerSecond: high } = axis;
  if (!(eventsPerSecond > low)) return 0;
  return Math.min(1, Math.log(eventsPerSecond / low) / Math.log(high / low));
}

/** Whole events/s, to two digits that somebody could have typed; never beyond the ends. */
export function rateAtFraction(fraction: number, axis: RateAxis): number {
  const { lowEventsPerSecond: low, highEventsPerSecond: high } = axis;
  const exact = low * (high / low) ** Math.min(1, Math.max(0, fraction));
  const step = 10 ** Math.max(0, Math.floor(Math.log10(exact)) - 1);
  return Math.max(1, Math.min(Math.floor(high), Math.max(Math.ceil(low), Math.round(exact / step) * step)));
}

const KEY_FRACTION = 0.02;

/** Where a key takes the chosen rate; null: the key is not for it. Always moves, also where two digits would round back. */
export function rateByKey(key: string, eventsPerSecond: number, axis: RateAxis): number | null {
  if (key === 'Home') return rateAtFraction(0, axis);
  if (key === 'End') return rateAtFraction(1, axis);
  const steps = keySteps[key];
  if (steps === undefined) return null;
  const next = rateAtFraction(fractionOfRate(eventsPerSecond, axis) + steps * KEY_FRACTION, axis);
  if (next !== eventsPerSecond) return next;
  const pushed = eventsPerSecond + Math.sign(steps);
  return Math.max(1, Math.min(Math.floor(axis.highEventsPerSecond), pushed));
}

const keySteps: Readonly<Record<string, number>> = {
  ArrowRight: 1,
  ArrowUp: 1,
  ArrowLeft: -1,
  ArrowDown: -1,
  PageUp: 5,
  PageDown: -5,
};

/** 1, 2 and 5 times the powers of ten inside the axis; only the powers of ten where there is no room for more. */
export function rateTicks(axis: RateAxis, most: number): number[] {
  for (const factors of [[1, 2, 5], [1, 3], [1]]) {
    const ticks: number[] = [];
    for (let power = 1; power <= axis.highEventsPerSecond; power *= 10)
      for (const factor of factors) {
        const tick = power * factor;
        if (tick >= axis.lowEventsPerSecond && tick <= axis.highEventsPerSecond) ticks.push(tick);
      }
    if (ticks.length <= most) return ticks;
  }
  return [];
}

export interface Reading {
  readonly durationSeconds: number;
  readonly cost: number;
  readonly overage: number;
  readonly peakSpendPerHour: number;
  /** Entries. */
  readonly peakStreamLength: number;
}

/** What the frontier says at a rate: between two of its points along their line. Doubles: for the chart, never for a bill. */
export function readingAt(frontier: readonly FrontierPoint[], eventsPerSecond: number): Reading | null {
  const above = frontier.find((point) => point.eventsPerSecond >= eventsPerSecond) ?? frontier.at(-1);
  const below = frontier.findLast((point) => point.eventsPerSecond <= eventsPerSecond) ?? frontier[0];
  if (above === undefined || below === undefined) return null;
  const [a, b] = [readingOf(below), readingOf(above)];
  const ratio = above.eventsPerSecond / below.eventsPerSecond;
  const inside = Math.min(above.eventsPerSecond, Math.max(below.eventsPerSecond, eventsPerSecond));
  const part = ratio > 1 ? Math.log(inside / below.eventsPerSecond) / Math.log(ratio) : 0;
  return {
    // Time falls as 1 ÷ rate: straight where both axes are logarithms.
    durationSeconds: a.durationSeconds * (b.durationSeconds / a.durationSeconds) ** part,
    cost: a.cost + (b.cost - a.cost) * part,
    overage: a.overage + (b.overage - a.overage) * part,
    peakSpendPerHour: a.peakSpendPerHour + (b.peakSpendPerHour - a.peakSpendPerHour) * part,
    peakStreamLength: a.peakStreamLength + (b.peakStreamLength - a.peakStreamLength) * part,
  };
}

export function readingOf(point: FrontierPoint): Reading {
  return {
    durationSeconds: point.durationSeconds,
    cost: moneyDouble(point.cost),
    overage: moneyDouble(point.overage),
    peakSpendPerHour: moneyDouble(point.peakSpendPerHour),
    peakStreamLength: point.peakStreamLength,
  };
}

const DURATION_TICKS_SECONDS = [
  1,
  10,
  60,
  600,
  3_600,
  6 * 3_600,
  86_400,
  7 * 86_400,
  30 * 86_400,
  365 * 86_400,
  3_650 * 86_400,
];

/** Round spans of time between two, for a logarithmic axis: at most `most`, spread over them. */
export function durationTicks(lowSeconds: number, highSeconds: number, most: number): number[] {
  const inside = DURATION_TICKS_SECONDS.filter((tick) => tick >= lowSeconds && tick <= highSeconds);
  const every = Math.ceil(inside.length / most);
  return inside.filter((_, index) => index % every === 0);
}
