/**
 * Whether a stream that a worker does not find is gone, or the worker is astray. The same URL may lead a worker on another machine elsewhere
 * (127.0.0.1, another resolver): what it does not find there says nothing of the stream that others see, and taken for a loss it would undo what
 * they have published.
 *
 *     gone     for the one that saw it last, at once
 *              for any other, when for a minute nobody has seen it, and nobody has said that its server does not answer: who saw it may be
 *              gone as well, and a loss must not be missed
 *     astray   who does not reach it while another sees it. Whatever it was given to publish would fail, and the run with it after a few tries,
 *              so it is given nothing; nor is one that has not looked yet. Where nobody sees it nobody is astray: the stream is what is wrong
 */
import type { ExternalReport } from '@spillway/shared/api/external';

const UNSEEN_MS = 60_000;
/** A worker that has told nothing for so long may be gone: that it saw the stream says nothing any more. */
const TOLD_MS = 10_000;

interface Sighting {
  /** Who saw it last; null: nobody has since this began. */
  readonly workerId: string | null;
  /** When it was seen, or might have been, monotonic. */
  readonly atMs: number;
}

interface Told {
  /** Why it was not reached; null: it was seen. */
  readonly problem: string | null;
  /** Monotonic. */
  readonly atMs: number;
}

export interface Astray {
  readonly workerId: string;
  /** In the words of the worker. */
  readonly problem: string;
}

export class StreamSightings {
  readonly #last = new Map<string, Sighting>();
  /** What each worker told last, by stream. */
  readonly #told = new Map<string, Map<string, Told>>();

  /** Takes the worker's report in, too. */
  isGone({ stream, problem }: ExternalReport, workerId: string, nowMs: number): boolean {
    const seen = problem === null || problem.code === 'group_missing';
    this.#note(stream, workerId, { problem: seen ? null : problem.detail, atMs: nowMs });
    if (seen) {
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

  /** Those that have looked. */
  astray(stream: string, nowMs: number): Astray[] {
    const told = this.#fresh(stream, nowMs);
    if (!told.some(([, { problem }]) => problem === null)) return [];
    return told.flatMap(([workerId, { problem }]) => (problem === null ? [] : [{ workerId, problem }]));
  }

  /** Streams that the worker is to be given nothing of. */
  outOfReachOf(workerId: string, nowMs: number): string[] {
    return [...this.#told.keys()].filter((stream) => !this.mayReach(stream, workerId, nowMs));
  }

  /** What nobody sees is within everybody's reach, as far as anyone knows. */
  mayReach(stream: string, workerId: string, nowMs: number): boolean {
    const seenBy = this.#fresh(stream, nowMs).flatMap(([id, { problem }]) => (problem === null ? [id] : []));
    return seenBy.length === 0 || seenBy.includes(workerId);
  }

  #note(stream: string, workerId: string, told: Told): void {
    this.#told.set(stream, new Map([...this.#fresh(stream, told.atMs), [workerId, told]]));
  }

  #fresh(stream: string, nowMs: number): (readonly [string, Told])[] {
    return [...(this.#told.get(stream) ?? [])].filter(([, { atMs }]) => nowMs - atMs < TOLD_MS);
  }
}
