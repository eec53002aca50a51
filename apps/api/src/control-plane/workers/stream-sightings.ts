/**
 * Whether a stream that a worker does not find is gone. The same URL may lead a worker on another machine elsewhere (127.0.0.1, another resolver):
 * what it does not find there says nothing of the stream that others see, and taken for a loss it would undo what they have published.
 *
 *     gone     for the one that saw it last, at once
 *              for any other, when for a minute nobody has seen it, and nobody has said that its server does not answer: who saw it may be
 *              gone as well, and a loss must not be missed
 */
import type { ExternalReport } from '@spillway/shared/api/external';

const UNSEEN_MS = 60_000;

interface Sighting {
  /** Who saw it last; null: nobody has since this began. */
  readonly workerId: string | null;
  /** When it was seen, or might have been, monotonic. */
  readonly atMs: number;
}

export class StreamSightings {
  readonly #last = new Map<string, Sighting>();

  /** Takes the worker's report in, too. */
  isGone({ stream, problem }: ExternalReport, workerId: string, nowMs: number): boolean {
    if (problem === null || problem.code === 'group_missing') {
      this.#last.set(stream, { workerId, atMs: nowMs });
      return false;
    }
    const last = this.#last.get(stream) ?? { workerId: null, atMs: nowMs };
    // Where it cannot be looked at it may well be.
    if (problem.code !== 'stream_missing') {
      this.#last.set(stream, { ...last, atMs: nowMs });
      return false;
    }
    this.#last.set(stream, last);
    return last.workerId === workerId || nowMs - last.atMs >= UNSEEN_MS;
  }
}
