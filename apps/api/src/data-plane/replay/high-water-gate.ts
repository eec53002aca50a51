/**
 * Backpressure at its last link: the reader publishes only while the stream is below its high-water mark, and once stopped
 * only when it has fallen to the low-water mark again (80 %), so that it does not flutter. Local to the worker: it holds with
 * the controller dead, the network down, and whatever rate was granted.
 */
import type { StreamProducer } from '../ports.ts';

const LOW_WATER_RATIO = 0.8;

export class HighWaterGate {
  readonly #producer: Pick<StreamProducer, 'length'>;
  readonly #highWaterMark: () => number;
  #closed = false;

  constructor(producer: Pick<StreamProducer, 'length'>, highWaterMark: () => number) {
    this.#producer = producer;
    this.#highWaterMark = highWaterMark;
  }

  /** Entries that may be appended now; 0 while the gate is closed. */
  async room(): Promise<number> {
    const length = await this.#producer.length();
    const high = this.#highWaterMark();
    if (this.#closed && length > high * LOW_WATER_RATIO) return 0;
    this.#closed = length >= high;
    return Math.max(0, high - length);
  }
}
