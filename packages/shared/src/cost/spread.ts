/**
 * How far off an estimate may be, from how far off it was: the width of every range of a quote.
 *
 * Assumed: actual ÷ estimate is log-normal about an unknown mean, with an unknown spread that is likely near `PRIOR_SD`. With n runs seen, the
 * logarithm of the next one is then distributed as Student's t (normal, with a scaled inverse χ² prior of the variance):
 *
 *     freedom  ν  = PRIOR_WEIGHT + n − 1                                     (n ≥ 1)
 *     variance s² = (PRIOR_WEIGHT · PRIOR_SD² + Σ (x − mean)²) / ν
 *     range       = exp(mean ± t(ν) · s · √(1 + 1/n))
 *
 * What has been fitted with more coefficients than the mean (two-parts.ts) has a degree of freedom less for each, and instead of 1/n what the fit
 * says of the point that is estimated, its leverage.
 *
 * (Gelman et al., Bayesian Data Analysis, 3rd ed., 3.2, 3.3 and 14.2.) Few runs mean few degrees of freedom and √(1 + 1/n) well above one: the range is wide
 * and narrows as runs come in, towards what they really scatter. Without any, it is what assumptions deserve: ÷ 4 to × 4.
 */

/** The part of the runs that is to end within their range. */
export const COVERAGE = 0.95;
/** A first guess of the scatter, as good as so many runs. */
export const PRIOR_SD = 0.08;
export const PRIOR_WEIGHT = 5;
/** Without a run of this pipeline. */
const ASSUMED_FACTOR = 4;
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
  fit: { readonly coefficients: number; readonly leverage: number } | null = null,
): Factors {
  const logs = ratios.filter((ratio) => ratio > 0 && Number.isFinite(ratio)).map(Math.log);
  const n = logs.length;
  if (n === 0) return { low: 1 / ASSUMED_FACTOR, likely: 1, high: ASSUMED_FACTOR };
  const mean = logs.reduce((sum, log) => sum + log, 0) / n;
  const squares = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0);
  const freedom = Math.max(PRIOR_WEIGHT - 1, PRIOR_WEIGHT + n - (fit?.coefficients ?? 1));
  const sd = Math.sqrt((PRIOR_WEIGHT * PRIOR_SD ** 2 + squares) / freedom);
  const reach = studentT(freedom) * sd * Math.sqrt(1 + (fit?.leverage ?? 1 / n));
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
