/**
 * Notices that a source's content has been replaced while a worker is joined: quotes rest on its counts, and a start is held to its
 * fingerprint. Only the version is looked at; what has changed is counted again and told. A source without a version (a table) is
 * counted when a worker joins or the api asks for it, and not looked at in between.
 */
import type { WorkerPipeline } from '@spillway/shared/api/worker-protocol';
import { pause } from '../pause.ts';
import { reportStatistics, type StatisticsParts } from './statistics.ts';

const LOOK_MS = 10_000;

type Source = WorkerPipeline['sources'][number];

export class SourceWatch {
  readonly #parts: StatisticsParts;
  /** By source: what was there when it was last counted. Nothing of a source that could not be read then. */
  readonly #versions = new Map<string, string>();
  /** Ids of sources that are being counted: they are not counted by two at once. */
  readonly #counting = new Set<string>();

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
      await reportStatistics(this.#parts, workerId, pipeline);
    } finally {
      for (const { sourceId } of pipeline.sources) this.#counting.delete(sourceId);
    }
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
        const idle = pipeline.sources.filter(({ sourceId }) => !this.#counting.has(sourceId));
        const changed = await this.#changed(idle);
        // Whatever the api was told earlier is of what is no longer there.
        const sources = changed.map((source) => ({ ...source, fingerprint: null }));
        if (sources.length > 0) seen({ ...pipeline, sources });
      }
    }
  }

  async #changed(sources: readonly Source[]): Promise<Source[]> {
    const changed: Source[] = [];
    for (const source of sources) {
      const version = await this.#versionOf(source);
      if (version === undefined) this.#versions.delete(source.sourceId);
      if (version === undefined || version === this.#versions.get(source.sourceId)) continue;
      this.#versions.set(source.sourceId, version);
      changed.push(source);
    }
    return changed;
  }

  /** Undefined when it has none or cannot be read now: whoever reads it tells why, and it is looked at again. */
  async #versionOf(source: Source): Promise<string | undefined> {
    try {
      return await this.#parts.historyOf(source).version?.();
    } catch {
      return undefined;
    }
  }
}
