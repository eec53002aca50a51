/**
 * Notices that a source's content has changed while a worker is joined: quotes rest on its counts, and a start is held to them. Only the
 * version is looked at; what has changed is counted again and told. A source without a version (a view) is counted when a worker joins or the api asks for
 * it, and not looked at in between.
 *
 * A table or a topic that is written to changes with every look, and counting it may take minutes: after a count it is left alone for fifty times as long
 * as that took, so that counting takes no more than a fiftieth of the time. So it is by the other workers, which are told of the count, and for two counts
 * and two looks longer: who has counted it last is the first to count it again, and the others hear of that before their time has come. One that could not
 * be counted is tried again after a minute, or after as long as that took.
 */
import type { WorkerPipeline } from '@spillway/shared/api/worker-protocol';
import { isGrowing } from '@spillway/shared/sources/growing';
import { pause } from '../pause.ts';
import type { HistorySource } from '../ports.ts';
import { type Looked, reportStatistics, type StatisticsParts } from './statistics.ts';

const LOOK_MS = 10_000;
const COUNT_SHARE = 50;
const FAILED_REST_MS = 60_000;
/** Counts and looks of another worker that are waited for. */
const HEAR_FIRST = 2;

type Source = WorkerPipeline['sources'][number];

export class SourceWatch {
  readonly #parts: StatisticsParts;
  /** By source: what was there when it was last counted. Nothing of a source that could not be read then. */
  readonly #versions = new Map<string, string>();
  /** Ids of sources that are being counted: they are not counted by two at once. */
  readonly #counting = new Set<string>();
  /** By source: while it grows it is not looked at before, monotonic ms. */
  readonly #restsUntilMs = new Map<string, number>();

  readonly #everyMs: number;

  constructor(parts: StatisticsParts, everyMs = LOOK_MS) {
    this.#parts = parts;
    this.#everyMs = everyMs;
  }

  /** Counts what the api has no counts of. What is there now is looked at first, so that a change meanwhile is noticed afterwards. */
  async count(workerId: string, pipeline: WorkerPipeline): Promise<void> {
    for (const { sourceId } of pipeline.sources) this.#counting.add(sourceId);
    try {
      await this.#changed(pipeline.sources);
      await reportStatistics(this.#parts, workerId, pipeline, this.#rest);
    } finally {
      for (const { sourceId } of pipeline.sources) this.#counting.delete(sourceId);
    }
  }

  readonly #rest: Looked = (sources, { ms, failed }) => {
    const restMs = failed ? Math.min(COUNT_SHARE * ms, Math.max(FAILED_REST_MS, ms)) : COUNT_SHARE * ms;
    for (const { sourceId } of sources.filter(({ connector }) => isGrowing(connector))) {
      this.#restsUntilMs.set(sourceId, this.#parts.clock.monotonic() + restMs);
      if (failed) this.#versions.delete(sourceId);
    }
  };

  /** Another worker has counted it. */
  heardOf(sourceId: string, tookMs: number): void {
    const restMs = COUNT_SHARE * tookMs + HEAR_FIRST * (tookMs + this.#everyMs);
    const known = this.#restsUntilMs.get(sourceId) ?? Number.NEGATIVE_INFINITY;
    this.#restsUntilMs.set(sourceId, Math.max(known, this.#parts.clock.monotonic() + restMs));
  }

  /** Looks every ten seconds until the signal aborts, and hands what has changed to `seen`, which is to count it. */
  async watch(
    seen: (changed: WorkerPipeline) => void,
    pipelines: () => readonly WorkerPipeline[],
  ): Promise<void> {
    const { signal } = this.#parts;
    while (!signal.aborted) {
      await pause(this.#everyMs, signal);
      for (const pipeline of signal.aborted ? [] : pipelines()) {
        const changed = await this.#changed(pipeline.sources.filter((source) => this.#isDue(source)));
        // Whatever the api was told earlier is of what is no longer there.
        const sources = changed.map((source) => ({ ...source, fingerprint: null }));
        if (sources.length > 0) seen({ ...pipeline, sources });
      }
    }
  }

  #isDue({ sourceId, connector }: Source): boolean {
    const rests =
      isGrowing(connector) &&
      this.#parts.clock.monotonic() < (this.#restsUntilMs.get(sourceId) ?? Number.NEGATIVE_INFINITY);
    return !rests && !this.#counting.has(sourceId);
  }

  async #changed(sources: readonly Source[]): Promise<Source[]> {
    const changed: Source[] = [];
    // Those that share a table or a file are looked at together.
    const looked = new Map<HistorySource, Promise<string | undefined>>();
    for (const source of sources) {
      const version = await this.#versionOf(source, looked);
      if (version === undefined) this.#versions.delete(source.sourceId);
      if (version === undefined || version === this.#versions.get(source.sourceId)) continue;
      this.#versions.set(source.sourceId, version);
      changed.push(source);
    }
    return changed;
  }

  /** Undefined when it has none or cannot be read now: whoever reads it tells why, and it is looked at again. */
  async #versionOf(
    source: Source,
    looked: Map<HistorySource, Promise<string | undefined>>,
  ): Promise<string | undefined> {
    try {
      const history = this.#parts.historyOf(source);
      const version = looked.get(history) ?? history.version();
      looked.set(history, version);
      return await version;
    } catch {
      return undefined;
    }
  }
}
