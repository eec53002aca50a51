/**
 * How far off an estimate may be, from how far off it was: the width of every range of a quote.
 *
 * Assumed: actual ÷ estimate is log-normal about an unknown mean, with an unknown spread that is likely near `priorSd`, which depends on what is
 * counted. With n runs seen, the logarithm of the next one is then distributed as Student's t (normal, with a scaled inverse χ² prior of the variance):
 *
 *     freedom  ν  = PRIOR_WEIGHT + n − 1                                     (n ≥ 1)
 *     variance s² = (PRIOR_WEIGHT · priorSd² + Σ (x − mean)²) / ν
 *     range       = exp(mean ± t(ν) · s · √(1 + 1/n))
 *
 * What has been fitted with more coefficients than the mean (two-parts.ts) has a degree of freedom less for each, and instead of 1/n what the fit
 * says of the point that is estimated, its leverage.
 *
 * Of time there is a model beside the runs, and a run may have been held up by what the next one will not meet (`factorsOfDuration`): the mean is drawn to the
 * model, which counts as one run, and what disagrees with it widens the range as runs that disagree with each other do; a short run, which tells of
 * its beginning and end, counts by what it tells of its length:
 *
 *     weight w = 1 / (1 + (SCATTER_SECONDS / (PRIOR_SD · seconds))²)
 *     mean     = Σ w x / (1 + Σ w),   Σ (x − mean)²  becomes  mean² + Σ w (x − mean)²,   n becomes Σ w
 *
 * (Gelman et al., Bayesian Data Analysis, 3rd ed., 3.2, 3.3 and 14.2.) Few runs mean few degrees of freedom and √(1 + 1/n) well above one: the range is wide
 * and narrows as runs come in, towards what they really scatter. Without any, it is what assumptions deserve: ÷ 4 to × 4.
 */

/** The part of the runs that is to end within their range. */
export const COVERAGE = 0.95;
/** A first guess of the scatter, as good as so many runs. */
export const PRIOR_SD = 0.08;
/**
 * Of CPU: row groups are decoded or not, processes wait or work, the machine is quicker or slower. In ten windows after one run it was 0.62 to 1.76 of its
 * estimate, and 2.12 in ten others (docs/measurements.md, "Cost"): the difference of two runs that scatter by so much each.
 */
export const CPU_SD = 0.25;
/** Of bytes × time on a stream beside what the model says of it: how long the applier pauses is chance. In ten windows 0.62 to 1.30 of it. */
export const MEMORY_SD = 0.15;
/** Of what is fetched: whole row groups, for whoever asks first; up to five times the estimate in the same runs, or nothing. */
export const FETCHED_SD = 0.5;
export const PRIOR_WEIGHT = 5;
/** Without a run of this pipeline. */
const ASSUMED_FACTOR = 4;
/** Of a run's beginning and end, whatever its length: 95 in 100 lie within so much of the mean. */
export const SCATTER_SECONDS = 0.7;
/** Quantile of the normal distribution for `COVERAGE`, both sides. */
const Z = 1.959964;

export interface Factors {
  readonly low: number;
  readonly likely: number;
  readonly high: number;
}

/** `ratios`: actual ÷ estimate of the runs seen, each above 0. Multiply an estimate by the factors. */
export function factorsFrom(
  ratios: readonly number[],
  priorSd = PRIOR_SD,
  fit: { readonly coefficients: number; readonly leverage: number } | null = null,
): Factors {
  const logs = ratios.filter((ratio) => ratio > 0 && Number.isFinite(ratio)).map(Math.log);
  const n = logs.length;
  if (n === 0) return { low: 1 / ASSUMED_FACTOR, likely: 1, high: ASSUMED_FACTOR };
  const mean = logs.reduce((sum, log) => sum + log, 0) / n;
  return rangeOf({
    priorSd,
    mean,
    squares: logs.reduce((sum, log) => sum + (log - mean) ** 2, 0),
    freedom: Math.max(PRIOR_WEIGHT - 1, PRIOR_WEIGHT + n - (fit?.coefficients ?? 1)),
    leverage: fit?.leverage ?? 1 / n,
  });
}

/** Seconds of a run, and what the model says of it; both above 0. */
export interface TimedRun {
  readonly seconds: number;
  readonly modelled: number;
}

/** Multiply what the model says by the factors. */
export function factorsOfDuration(runs: readonly TimedRun[]): Factors {
  const seen = runs
    .map(({ seconds, modelled }) => ({ log: Math.log(seconds / modelled), weight: weightOf(modelled) }))
    .filter(({ log }) => Number.isFinite(log));
  const weight = seen.reduce((sum, one) => sum + one.weight, 0);
  const mean = seen.reduce((sum, one) => sum + one.weight * one.log, 0) / (1 + weight);
  return rangeOf({
    priorSd: PRIOR_SD,
    mean,
    squares: seen.reduce((sum, one) => sum + one.weight * (one.log - mean) ** 2, mean ** 2),
    freedom: PRIOR_WEIGHT - 1 + weight,
    leverage: 1 / (UNSEEN + weight),
  });
}

function weightOf(seconds: number): number {
  return 1 / (1 + (SCATTER_SECONDS / (PRIOR_SD * seconds)) ** 2);
}

interface Seen {
  readonly priorSd: number;
  /** Of logarithms of ratios. */
  readonly mean: number;
  readonly squares: number;
  /** After what was seen. */
  readonly freedom: number;
  readonly leverage: number;
}

function rangeOf({ priorSd, mean, squares, freedom, leverage }: Seen): Factors {
  const sd = Math.sqrt((PRIOR_WEIGHT * priorSd ** 2 + squares) / freedom);
  const reach = studentT(freedom) * sd * Math.sqrt(1 + leverage);
  return { low: Math.exp(mean - reach), likely: Math.exp(mean), high: Math.exp(mean + reach) };
}

/** Quantile of Student's t for `COVERAGE`, from the normal one; off by less than 0.001 for four degrees and more. Abramowitz & Stegun 26.7.5. */
export function studentT(freedom: number): number {
  const z = Z;
  const terms = [
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
    (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92_160,
  ];
  return terms.reduce((sum, term, index) => sum + term / freedom ** (index + 1), z);
}

/** Runs: with so few the range is what it is without any. */
const UNSEEN =
  1 /
  ((Math.log(ASSUMED_FACTOR) ** 2 * (PRIOR_WEIGHT - 1)) /
    (studentT(PRIOR_WEIGHT - 1) ** 2 * PRIOR_WEIGHT * PRIOR_SD ** 2) -
    1);
