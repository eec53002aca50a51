/** Gathers rows into batches, which are bounded whatever a history holds: what is quarantined counts. */
import type { PipelineEvent, QuarantinedEvent } from '../../data-plane/event.ts';
import type { HistoryBatch } from '../../data-plane/ports.ts';

export class Batching {
  readonly #maxEvents: number;
  #events: PipelineEvent[] = [];
  #quarantined: QuarantinedEvent[] = [];

  constructor(maxEvents: number) {
    if (!Number.isInteger(maxEvents) || maxEvents < 1)
      throw new RangeError('maxEvents is a whole number from 1');
    this.#maxEvents = maxEvents;
  }

  get empty(): boolean {
    return this.#events.length + this.#quarantined.length === 0;
  }

  get full(): boolean {
    return this.#events.length + this.#quarantined.length >= this.#maxEvents;
  }

  event(event: PipelineEvent): void {
    this.#events.push(event);
  }

  quarantine(row: QuarantinedEvent): void {
    this.#quarantined.push(row);
  }

  /** What was gathered; the next batch begins. */
  batch(cursor: string): HistoryBatch {
    const batch = { events: this.#events, quarantined: this.#quarantined, cursor };
    this.#events = [];
    this.#quarantined = [];
    return batch;
  }
}
