import type { StoppedLane } from '@spillway/shared/api/worker-protocol';
import type { Clock } from '../clock.ts';
import { StoreError, StreamError } from '../ports.ts';
import type { LaneName } from './next-batch.ts';

type Stop = Pick<StoppedLane, 'code' | 'detail'> & { readonly sinceMs: number };

const DETAIL_MAX = 1_000;

/**
 * Which lanes stand, since when and by what: told with every tick, from the first failure until the lane applies again. An attempt that
 * begins anew proves nothing: a gap is met only when the stream is read.
 */
export class StoppedLanes {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #stops = new Map<LaneName, Stop>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  failed(lanes: readonly LaneName[], error: unknown): void {
    const nowMs = this.#clock.monotonic();
    for (const lane of lanes)
      this.#stops.set(lane, { ...whatStops(error), sinceMs: this.#stops.get(lane)?.sinceMs ?? nowMs });
  }

  applying(lanes: readonly LaneName[]): void {
    for (const lane of lanes) this.#stops.delete(lane);
  }

  /** What is another's stands no longer here. */
  keepOnly(lanes: readonly LaneName[]): void {
    for (const lane of this.#stops.keys()) if (!lanes.includes(lane)) this.#stops.delete(lane);
  }

  report(streams: Readonly<Record<LaneName, string>>): StoppedLane[] {
    const nowMs = this.#clock.monotonic();
    return [...this.#stops].map(([lane, { code, detail, sinceMs }]) => ({
      lane,
      stream: streams[lane],
      code,
      detail,
      forMs: nowMs - sinceMs,
    }));
  }
}

function whatStops(error: unknown): Pick<Stop, 'code' | 'detail'> {
  const code = error instanceof StreamError || error instanceof StoreError ? error.code : 'apply_failed';
  return { code, detail: (error instanceof Error ? error.message : String(error)).slice(0, DETAIL_MAX) };
}
