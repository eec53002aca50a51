import { TRIM_AFTER_MS, trimAfterEntries } from '@spillway/shared/governor/trimming';
import type { Clock } from '../clock.ts';
import {
  type DeliveredEntry,
  type DurableStream,
  type StreamConsumer,
  StreamError,
  type StreamOffset,
} from '../ports.ts';
import { Acknowledging } from './acknowledging.ts';

/** The group under which the built-in applier reads; what it has not acknowledged is not trimmed. */
export const APPLIER_GROUP = 'applier';

const READ_ENTRIES_MIN = 200;
const READ_ENTRIES_MAX = 1_000;
const RIPE_AFTER_MS = 20;
const READ_WAIT_MS = 1_000;

/**
 * One stream as the applier reads it, ahead of what it commits: the next entries are read and decoded while the store commits
 * the last ones. At most two readings are held (2,000 entries).
 *
 * Between two claims the cursor moves forward only, and the store's position follows it. What was read ahead is dropped with the lane.
 */
export class Lane {
  readonly stream: DurableStream;
  readonly fence: number;
  readonly waiting: DeliveredEntry[] = [];
  /** When what is waiting was read, oldest first. */
  readonly #readings: { entries: number; readonly atMs: number }[] = [];
  readonly #consumer: StreamConsumer;
  readonly #acknowledging: Acknowledging;
  readonly #signal: AbortSignal;
  readonly #clock: Clock;
  readonly #arrived: () => void;
  readonly #trims: (removed: Promise<number>) => void;
  readonly #highWaterMark: () => number;
  #cursor: StreamOffset | null;
  #reading = false;
  #trimming = false;
  #entriesSinceTrim = 0;
  #trimmedAt: number;
  #failure: Error | null = null;
  #answered = false;
  #committed = false;

  constructor(options: {
    readonly stream: DurableStream;
    readonly fence: number;
    readonly position: StreamOffset | null;
    readonly signal: AbortSignal;
    readonly clock: Clock;
    readonly arrived: () => void;
    readonly trims: (removed: Promise<number>) => void;
    /** Of the replay's stream, entries. Live's is trimmed by the same measure. */
    readonly highWaterMark: () => number;
  }) {
    this.stream = options.stream;
    this.fence = options.fence;
    this.#consumer = options.stream.consumer(APPLIER_GROUP);
    this.#acknowledging = new Acknowledging(this.#consumer, {
      acknowledged: (entries) => {
        this.#entriesSinceTrim += entries;
        this.trimWhenDue();
      },
      failed: (error) => this.#fail(error),
    });
    this.#cursor = options.position;
    this.#signal = options.signal;
    this.#clock = options.clock;
    this.#arrived = options.arrived;
    this.#trims = options.trims;
    this.#highWaterMark = options.highWaterMark;
    this.#trimmedAt = options.clock.monotonic();
  }

  /** Reading, acknowledging or trimming has failed: the next {@link readAhead} says how. */
  get hasFailed(): boolean {
    return this.#failure !== null;
  }

  /** The stream has answered since the claim, and what it gave is being committed: neither a claim nor a reading alone shows that it goes on. */
  get applies(): boolean {
    return this.#answered && (this.#committed || this.waiting.length === 0);
  }

  /** When the first waiting entry was read, monotonic ms; now when none waits. */
  get oldestReadMs(): number {
    return this.#readings[0]?.atMs ?? this.#clock.monotonic();
  }

  /**
   * Whether a batch is worth a commit by now: `rows` wait, or the first has waited a while. Every commit holds up live for some
   * milliseconds, however small it is, and replay has time.
   */
  isRipe(rows: number): boolean {
    return this.waiting.length >= rows || this.ripensInMs <= 0;
  }

  get ripensInMs(): number {
    return this.waiting.length === 0 ? Number.POSITIVE_INFINITY : RIPE_AFTER_MS - this.waitedMs;
  }

  /** How long the first waiting entry has been read; 0 when none waits. */
  get waitedMs(): number {
    return this.#clock.monotonic() - this.oldestReadMs;
  }

  /**
   * Starts reading on when less than one reading is held besides the `committing` entries, which are about to go: what is missing to it. `batchRows`:
   * what the next commits will take; twice as much is a reading, since entries that wait long are what garbage collection stops for. Throws what an
   * earlier reading, acknowledgement or trimming met.
   */
  readAhead(batchRows: number, committing = 0): void {
    if (this.#failure !== null) throw this.#failure;
    const reading = Math.min(READ_ENTRIES_MAX, Math.max(READ_ENTRIES_MIN, 2 * batchRows));
    const maxEntries = reading - (this.waiting.length - committing);
    if (this.#reading || maxEntries <= 0 || this.#signal.aborted) return;
    this.#reading = true;
    this.#consumer.read({ after: this.#cursor, maxEntries, waitMs: READ_WAIT_MS, signal: this.#signal }).then(
      (entries) => {
        this.waiting.push(...entries);
        if (entries.length > 0)
          this.#readings.push({ entries: entries.length, atMs: this.#clock.monotonic() });
        this.#cursor = entries.at(-1)?.offset ?? this.#cursor;
        this.#reading = false;
        this.#answered = true;
        this.#arrived();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  /** The first `entries` have been committed, up to `position`: only now may the stream forget them. */
  finish(entries: number, position: StreamOffset): void {
    this.waiting.splice(0, entries);
    this.#committed = true;
    for (let left = entries; left > 0; ) {
      const oldest = this.#readings[0];
      if (oldest === undefined) break;
      const gone = Math.min(left, oldest.entries);
      oldest.entries -= gone;
      left -= gone;
      if (oldest.entries === 0) this.#readings.shift();
    }
    this.#acknowledging.finished(entries, position);
  }

  /** Resolves when nothing is being acknowledged any more: whoever claims after this lane is not overtaken by it. */
  settled(): Promise<void> {
    return this.#acknowledging.settled();
  }

  /**
   * Backpressure and the stream's ceiling rest on its length, so what is finished leaves soon, also where rows are so dear that a thousand
   * of them take seconds; nobody waits for it.
   */
  trimWhenDue(): void {
    const due =
      this.#entriesSinceTrim >= trimAfterEntries(this.#highWaterMark()) ||
      (this.#entriesSinceTrim > 0 && this.#clock.monotonic() - this.#trimmedAt >= TRIM_AFTER_MS);
    if (this.#trimming || !due) return;
    this.#trimming = true;
    this.#entriesSinceTrim = 0;
    this.#trimmedAt = this.#clock.monotonic();
    const removed = this.stream.trim();
    this.#trims(removed);
    removed.then(
      () => void (this.#trimming = false),
      (error: unknown) => this.#fail(error),
    );
  }

  /** What a crash between commit and acknowledgement left open. */
  async acknowledgeCommitted(position: StreamOffset | null): Promise<void> {
    if (position !== null) await this.#consumer.acknowledge(position);
  }

  #fail(error: unknown): void {
    this.#failure = error instanceof Error ? error : new StreamError('stream_unavailable', String(error));
    this.#arrived();
  }
}
