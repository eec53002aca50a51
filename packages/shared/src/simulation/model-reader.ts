/** The replay reader: a rate it was granted, and a gate that needs nobody's leave to close. The formulas are in model.ts. */
import type { PipelineModel } from './model.ts';

const LOW_WATER_PART = 0.8;

/** The stream as the reader sees it. */
export interface StreamSeen {
  readonly length: number;
  /** Age of the oldest entry that waits, ms. */
  readonly oldestMs: number;
}

export class ModelReader {
  readonly #model: PipelineModel;
  #closed = false;
  #hasClosed = false;
  published = 0;
  /** Events of history still to be read. */
  left: number;

  constructor(model: PipelineModel, events: number) {
    this.#model = model;
    this.left = events;
  }

  /** It has closed at least once. */
  get hasClosed(): boolean {
    return this.#hasClosed;
  }

  /** What it publishes in this step, events. */
  step(stepMs: number, eventsPerSecond: number, stream: StreamSeen): number {
    const { highWaterMark, oldestEntryMs, historyEventsPerSecond, route } = this.#model;
    const mark = this.#closed ? highWaterMark * LOW_WATER_PART : highWaterMark;
    this.#closed = this.#closed ? stream.length > mark : stream.length >= mark;
    this.#hasClosed ||= this.#closed;
    const tooOld = route === 'shared' && oldestEntryMs !== null && stream.oldestMs > oldestEntryMs;
    if (this.#closed || tooOld) return 0;
    const events = Math.min(
      (Math.min(eventsPerSecond, historyEventsPerSecond) * stepMs) / 1000,
      highWaterMark - stream.length,
      this.left,
    );
    this.published += events;
    this.left -= events;
    return events;
  }
}
