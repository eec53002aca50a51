import type { StreamConsumer, StreamOffset } from '../ports.ts';

/**
 * Tells the stream what is finished. One acknowledgement is under way at a time; what is finished meanwhile goes with the next, since each
 * covers all before it. Nobody waits for it: the position is in the store already, and a claim makes up for what was not told any more.
 */
export class Acknowledging {
  readonly #consumer: Pick<StreamConsumer, 'acknowledge'>;
  readonly #acknowledged: (entries: number) => void;
  readonly #failed: (error: unknown) => void;
  #due: { entries: number; position: StreamOffset } | null = null;
  #underWay: Promise<void> | null = null;

  constructor(
    consumer: Pick<StreamConsumer, 'acknowledge'>,
    told: { readonly acknowledged: (entries: number) => void; readonly failed: (error: unknown) => void },
  ) {
    this.#consumer = consumer;
    this.#acknowledged = told.acknowledged;
    this.#failed = told.failed;
  }

  /** So many more entries, up to `position`. */
  finished(entries: number, position: StreamOffset): void {
    this.#due = { entries: entries + (this.#due?.entries ?? 0), position };
    this.#underWay ??= this.#tell();
  }

  /** Resolves when none is under way, also after a failure. */
  async settled(): Promise<void> {
    await this.#underWay;
  }

  async #tell(): Promise<void> {
    try {
      for (let due = this.#due; due !== null; due = this.#due) {
        this.#due = null;
        await this.#consumer.acknowledge(due.position);
        this.#acknowledged(due.entries);
      }
    } catch (error) {
      this.#failed(error);
    }
    this.#underWay = null;
  }
}
