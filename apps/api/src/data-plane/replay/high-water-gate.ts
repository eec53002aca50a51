/**
 * Backpressure at its last link: the reader publishes only while the stream has room, and once stopped only when there is clearly room
 * again, so that it does not flutter. Local to the worker: it holds with the controller dead, the network down, and whatever rate
 * was granted.
 *
 * Two limits, the second only on a stream that live shares:
 *
 * - length: closed at the high-water mark, open again at the low-water mark (80 %);
 * - age: closed while the oldest entry that waits to be applied has waited longer than the part of live's target that replay may
 *   spend. There a live event queues behind what replay has published, so the queue must be as short as live is to be fresh.
 *
 * One append at a time passes the gate, and it is measured just before: however many leases a worker has, it never overshoots.
 */
import { oldestSharedEntryMs } from '@spillway/shared/governor/route';
import { APPLIER_GROUP } from '../apply/lane.ts';
import type { Clock } from '../clock.ts';
import type { PublishedStream } from '../ports.ts';

const LOW_WATER_RATIO = 0.8;

export interface GateLimits {
  /** Entries. */
  readonly highWaterMark: number;
  /** Set when live shares the stream and has a target, ms. */
  readonly sharedFreshnessTargetMs: number | null;
}

type GatedStream = Pick<PublishedStream, 'name' | 'stats'> & {
  readonly producer: Pick<PublishedStream['producer'], 'length'>;
};

export interface GateReport {
  readonly stream: string;
  readonly closed: boolean;
  /** Wall clock, epoch ms; null: never. */
  readonly closedAt: number | null;
  readonly openedAt: number | null;
  /** Longest length seen since it last opened. */
  readonly peakLength: number | null;
}

export class HighWaterGate {
  readonly #stream: GatedStream;
  readonly #limits: () => GateLimits;
  readonly #clock: Pick<Clock, 'now'>;
  #full = false;
  #closedAt: number | null = null;
  #openedAt: number | null = null;
  #peakLength: number | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(stream: GatedStream, limits: () => GateLimits, clock: Pick<Clock, 'now'>) {
    this.#stream = stream;
    this.#limits = limits;
    this.#clock = clock;
  }

  /**
   * Calls `append` with the entries that may be appended now, 0 while the gate is closed, and with those that are there, after every earlier
   * caller is through.
   */
  pass<T>(append: (room: number, length: number) => Promise<T>): Promise<T> {
    const passed = this.#last.then(async () => {
      const length = await this.#stream.producer.length();
      return append(await this.#roomAt(length), length);
    });
    this.#last = passed.catch(() => undefined);
    return passed;
  }

  report(): GateReport {
    return {
      stream: this.#stream.name,
      closed: this.#full,
      closedAt: this.#closedAt,
      openedAt: this.#openedAt,
      peakLength: this.#peakLength,
    };
  }

  async #roomAt(length: number): Promise<number> {
    const { highWaterMark, sharedFreshnessTargetMs } = this.#limits();
    this.#peakLength = Math.max(this.#peakLength ?? 0, length);
    this.#turn(length >= highWaterMark || (this.#full && length > highWaterMark * LOW_WATER_RATIO), length);
    if (this.#full) return 0;
    if (
      sharedFreshnessTargetMs !== null &&
      (await this.#oldestAgeMs()) > oldestSharedEntryMs(sharedFreshnessTargetMs)
    )
      return 0;
    return Math.max(0, highWaterMark - length);
  }

  #turn(full: boolean, length: number): void {
    if (full === this.#full) return;
    this.#full = full;
    if (full) this.#closedAt = this.#clock.now();
    else {
      this.#openedAt = this.#clock.now();
      this.#peakLength = length;
    }
  }

  /** Unknown counts as too old: live may be behind it. */
  async #oldestAgeMs(): Promise<number> {
    const { group } = await this.#stream.stats(APPLIER_GROUP);
    return group?.lagMs ?? Number.POSITIVE_INFINITY;
  }
}
