/**
 * Looks at the users' own streams four times a second, apart from the ticks, so that a server that does not answer delays none of them. Each by
 * itself: what is wrong with one is said of that one.
 */
import type { ExternalReport } from '@spillway/shared/api/external';
import { pause } from '../pause.ts';
import { type ExternalStream, StreamError } from '../ports.ts';
import type { KnownPipelines } from './known-pipelines.ts';

const LOOK_MS = 250;

export class ExternalWatch {
  readonly #known: Pick<KnownPipelines, 'external'>;
  readonly #log: { warn(fields: object, message: string): void };
  readonly #seen = new Map<string, ExternalReport>();
  readonly #looking = new Set<string>();
  /** Streams that were found replaced, until the api has heard of it. */
  readonly #replaced = new Set<string>();

  constructor(known: Pick<KnownPipelines, 'external'>, log: { warn(fields: object, message: string): void }) {
    this.#known = known;
    this.#log = log;
  }

  /** Resolves when the signal has aborted. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const { stream } of this.#known.external()) void this.#look(stream);
      await pause(LOOK_MS, signal);
    }
  }

  /** Of the streams that are published to now. */
  reports(): ExternalReport[] {
    const known = new Set(this.#known.external().map(({ stream }) => stream.name));
    return [...this.#seen.values()]
      .filter(({ stream }) => known.has(stream))
      .map((report) => (this.#replaced.has(report.stream) ? { ...report, replaced: true } : report));
  }

  /** The api has heard them. */
  delivered(reports: readonly ExternalReport[]): void {
    for (const { stream, replaced } of reports) if (replaced === true) this.#replaced.delete(stream);
  }

  async #look(stream: ExternalStream): Promise<void> {
    if (this.#looking.has(stream.name)) return;
    this.#looking.add(stream.name);
    try {
      const { replaced, ...look } = await stream.look();
      if (replaced) {
        this.#replaced.add(stream.name);
        this.#log.warn({ stream: stream.name }, 'a stream was removed and made anew, or set back');
      }
      this.#seen.set(stream.name, { stream: stream.name, ...look, problem: null });
    } catch (error) {
      const before = this.#seen.get(stream.name);
      const problem = problemOf(error);
      if (before?.problem?.code !== problem.code)
        this.#log.warn({ stream: stream.name, problem }, 'a consumer group could not be looked at');
      this.#seen.set(stream.name, { ...unseen, stream: stream.name, problem });
    } finally {
      this.#looking.delete(stream.name);
    }
  }
}

const unseen: Omit<ExternalReport, 'stream' | 'problem'> = {
  length: null,
  lagEntries: null,
  lagMs: null,
  position: null,
  finishedEntries: null,
  lostEntries: 0,
};

function problemOf(error: unknown): NonNullable<ExternalReport['problem']> {
  const detail = error instanceof Error ? error.message : String(error);
  return { code: error instanceof StreamError ? error.code : 'attempt_failed', detail };
}
