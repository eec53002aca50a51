import type { RingBuffer } from './ring-buffer.ts';

/** More points than this cost drawing time and show nothing more. */
export const maxPoints = 180;

export interface Row {
  /** Epoch ms: the beginning of the bin. */
  readonly at: number;
  readonly [metric: string]: number | null;
}

/**
 * At most `maxPoints` rows that end with the newest complete bin. Bins lie on multiples of their width, so a point that has
 * been drawn keeps its place and value while the window moves; a bin without a known second is null, never 0.
 */
export function binSeries(
  ring: RingBuffer,
  metrics: readonly string[],
  toMs: number,
  rangeMs: number,
  /** How far apart what is in the ring lies: a bin is never narrower. */
  stepSeconds = 1,
): Row[] {
  const width = Math.max(stepSeconds, binSeconds(rangeMs));
  const lastBin = Math.floor(toMs / 1_000 / width);
  const bins = Math.floor(rangeMs / 1_000 / width);
  const rows: Row[] = [];
  for (let bin = lastBin - bins + 1; bin <= lastBin; bin += 1) {
    const row: Record<string, number | null> = { at: bin * width * 1_000 };
    for (const metric of metrics) row[metric] = mean(ring, metric, bin * width, width);
    rows.push(row as Row);
  }
  return rows;
}

export function binSeconds(rangeMs: number): number {
  return Math.max(1, Math.ceil(rangeMs / 1_000 / maxPoints));
}

function mean(ring: RingBuffer, metric: string, fromSecond: number, seconds: number): number | null {
  let sum = 0;
  let count = 0;
  for (let second = fromSecond; second < fromSecond + seconds; second += 1) {
    const value = ring.read(metric, second);
    if (!Number.isNaN(value)) {
      sum += value;
      count += 1;
    }
  }
  return count === 0 ? null : sum / count;
}

const tickStepsMs = [
  5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000,
];

/** Round times inside [from, to], at most `most` of them. */
export function timeTicks(fromMs: number, toMs: number, most: number): number[] {
  const span = toMs - fromMs;
  const step =
    tickStepsMs.find((candidate) => span / candidate <= most) ??
    3_600_000 * Math.ceil(span / 3_600_000 / most);
  const ticks: number[] = [];
  for (let tick = Math.ceil(fromMs / step) * step; tick <= toMs; tick += step) ticks.push(tick);
  return ticks;
}

/** 0 and a few round values up to at least `max`: 1, 2 or 5 times a power of ten apart. */
export function valueTicks(max: number, most = 4): number[] {
  if (!(max > 0)) return [0, 1];
  const rough = max / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const ticks: number[] = [];
  for (let index = 0; index * step < max + step; index += 1) ticks.push(index * step);
  return ticks;
}
