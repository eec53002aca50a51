/**
 * Percentiles of the last two seconds, and every sample since the beginning.
 *
 * A percentile of one tick rests on a handful of samples and trembles; a governor that follows it flaps. Eight slices of a quarter
 * of a second, of which the oldest is dropped as time goes on, give one that neither trembles nor remembers.
 */
import type { Clock } from '../clock.ts';
import { Histogram } from './histogram.ts';

const SLICE_MS = 250;
const SLICES = 8;

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

  /** Null when nothing was recorded in the last two seconds. */
  percentile(share: number): number | null {
    this.#forget();
    const merged = new Histogram();
    for (const { histogram } of this.#slices) merged.add(histogram);
    return merged.percentile(share);
  }

  #current(): Histogram {
    this.#forget();
    const now = this.#clock.monotonic();
    const last = this.#slices.at(-1);
    if (last !== undefined && now - last.beganMs < SLICE_MS) return last.histogram;
    const histogram = new Histogram();
    this.#slices.push({ histogram, beganMs: now });
    return histogram;
  }

  #forget(): void {
    const oldest = this.#clock.monotonic() - SLICE_MS * SLICES;
    while ((this.#slices[0]?.beganMs ?? Number.POSITIVE_INFINITY) <= oldest) this.#slices.shift();
  }
}
