/**
 * Use of which a part goes with the events and a part with the time a run takes (the CPU of processes that wait as well as work), from runs of
 * different rates: at one rate alone the two cannot be told apart. Least squares of the relative errors, so that a long run counts no more than
 * a short one:
 *
 *     Σ ((a · events + b · seconds) / use − 1)²  →  least,      a = use per event, b = use per second
 *
 * How sure that is elsewhere: with zᵢ = (eventsᵢ, secondsᵢ) / useᵢ and M = Σ zᵢ zᵢᵀ, an estimate at z is off by s · √(1 + z M⁻¹ zᵀ), which grows the
 * further its rate is from those of the runs.
 */
import { CPU_SD, type Factors, factorsFrom } from './spread.ts';

export interface TimedUse {
  readonly use: number;
  readonly events: number;
  readonly seconds: number;
}

export interface TwoParts {
  readonly perEvent: number;
  readonly perSecond: number;
  /** Actual ÷ fitted, of each run. */
  readonly ratios: readonly number[];
  /** M⁻¹: of events, of both, of seconds. */
  readonly inverse: readonly [number, number, number];
}

/** With two there is a fit that is exact and says nothing of how well it fits. */
const RUNS_MIN = 3;
/** 1 − cos² of the angle between events and seconds: seconds per event have to differ by a quarter or so, more than runs of one rate do. */
const APART_MIN = 0.05;
const COEFFICIENTS = 2;

/** Null: the rates do not differ enough to tell, or one of the parts would be none. */
export function twoParts(runs: readonly TimedUse[]): TwoParts | null {
  const seen = runs.filter(({ use }) => use > 0);
  if (seen.length < RUNS_MIN) return null;
  const sum = (of: (run: TimedUse) => number) => seen.reduce((total, run) => total + of(run), 0);
  const ee = sum(({ use, events }) => (events / use) ** 2);
  const es = sum(({ use, events, seconds }) => (events * seconds) / use ** 2);
  const ss = sum(({ use, seconds }) => (seconds / use) ** 2);
  const determinant = ee * ss - es ** 2;
  if (!(determinant > APART_MIN * ee * ss)) return null;
  const [e, s] = [sum(({ use, events }) => events / use), sum(({ use, seconds }) => seconds / use)];
  const perEvent = (ss * e - es * s) / determinant;
  const perSecond = (ee * s - es * e) / determinant;
  if (!(perEvent > 0 && perSecond > 0)) return null;
  return {
    perEvent,
    perSecond,
    ratios: seen.map(({ use, events, seconds }) => use / (perEvent * events + perSecond * seconds)),
    inverse: [ss / determinant, -es / determinant, ee / determinant],
  };
}

/** On `perEvent · events + perSecond · seconds`. */
export function factorsAt(
  { perEvent, perSecond, ratios, inverse }: TwoParts,
  events: number,
  seconds: number,
): Factors {
  const fitted = perEvent * events + perSecond * seconds;
  const [x, y] = fitted > 0 ? [events / fitted, seconds / fitted] : [0, 0];
  const leverage = inverse[0] * x * x + 2 * inverse[1] * x * y + inverse[2] * y * y;
  return factorsFrom(ratios, CPU_SD, { coefficients: COEFFICIENTS, leverage });
}
