/**
 * Percentiles of the last moments, and every sample since the beginning.
 *
 * A p99 of two seconds is the worst commit or two of them: whatever hiccup a machine has, it shows, though the promise (99 of 100 events)
 * is kept all the same. One of ten seconds is what was promised, but remembers what is over. So the answer is the lesser of the
 * two: it exceeds a target only when more than one event in a hundred of the last ten seconds did, *and* of the last two still
 * does. A real trouble fills a hundredth of ten seconds within a tenth of a second, so nothing is seen later for it.
 *
 * The two windows are those of burn-rate alerts (Google, The Site Reliability Workbook, chapter 5): the long one says that it
 * matters, the short one that it lasts.
 */
import type { Clock } from '../clock.ts';
import { Histogram } from './histogram.ts';

const SLICE_MS = 250;
const SLICES = { short: 8, long: 40 } as const;

export class RecentHistogram {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #slices: { histogram: Histogram; beganMs: number }[] = [];
  /** Since the beginning. */
  readonly all = new Histogram();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  record(ms: number): void {
    this.all.record(ms);
    this.#current().record(ms);
  }

  /** Of the last two seconds or of the last ten, whichever is less. Null when nothing was recorded in the last two seconds. */
  percentile(share: number): number | null {
    const short = this.#ofLast(SLICES.short).percentile(share);
    const long = this.#ofLast(SLICES.long).percentile(share);
    return short === null || long === null ? null : Math.min(short, long);
  }

  #ofLast(slices: number): Histogram {
    const oldest = this.#clock.monotonic() - SLICE_MS * slices;
    const merged = new Histogram();
    for (const { histogram, beganMs } of this.#slices) if (beganMs > oldest) merged.add(histogram);
    return merged;
  }

  #current(): Histogram {
    const now = this.#clock.monotonic();
    const last = this.#slices.at(-1);
    if (last !== undefined && now - last.beganMs < SLICE_MS) return last.histogram;
    const oldest = now - SLICE_MS * SLICES.long;
    while ((this.#slices[0]?.beganMs ?? Number.POSITIVE_INFINITY) <= oldest) this.#slices.shift();
    const histogram = new Histogram();
    this.#slices.push({ histogram, beganMs: now });
    return histogram;
  }
}
