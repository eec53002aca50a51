/**
 * Notices that a source's content has changed while a worker is joined: quotes rest on its counts, and a start is held to them. Only the
 * version is looked at; what has changed is counted again and told. A source without a version (a view) is counted when a worker joins or the api asks for
 * it, and not looked at in between.
 *
 * A table or a topic that is written to changes with every look, and counting it may take minutes: after a count it is left alone for fifty times as long
 * as that took, so that counting takes no more than a fiftieth of the time. So it is by the other workers, which are told of the count, and for two counts
 * and two looks longer: who has counted it last is the first to count it again, and the others hear of that before their time has come. One that could not
 * be counted is tried again after a minute, or after as long as that took.
 *
 * One that the api asked for while this worker could not hear it is known from the settings, and tried with the next look, whether it can be read or not.
 */
import type { WorkerPipeline } from '@spillway/shared/api/worker-protocol';
import { isGrowing } from '@spillway/shared/sources/growing';
import { configurationKey } from '../history/lending.ts';
import { pause } from '../pause.ts';
import { type HistorySource, SourceError } from '../ports.ts';
import { reportStatistics, type StatisticsParts } from './statistics.ts';

const LOOK_MS = 10_000;
const COUNT_SHARE = 50;
const FAILED_REST_MS = 60_000;
/** In place of a version: there is nothing that could have one. */
const GONE = 'gone';
/** Counts and looks of another worker that are waited for. */
const HEAR_FIRST = 2;

type Source = WorkerPipeline['sources'][number];

export class SourceWatch {
  readonly #parts: StatisticsParts;
  /** By source: what was there when it was last counted. Nothing of a source that could not be read then. */
  readonly #versions = new Map<string, string>();
  /** By source: how often it is being counted or looked at. Not by two at once, but where it was given another history meanwhile. */
  readonly #busy = new Map<string, number>();
  /** By source: while it grows it is not looked at before, monotonic ms. */
  readonly #restsUntilMs = new Map<string, number>();
  /** By source: of which history it has been counted, or tried. */
  readonly #tried = new Map<string, string>();

  readonly #everyMs: number;

  constructor(parts: StatisticsParts, everyMs = LOOK_MS) {
    this.#parts = parts;
    this.#everyMs = everyMs;
  }

  /** Counts what the api has no counts of. What is there now is looked at first, so that a change meanwhile is noticed afterwards. */
  async count(workerId: string, pipeline: WorkerPipeline): Promise<void> {
    const held = new Set(pipeline.sources);
    for (const source of held) this.#tried.set(source.sourceId, configurationKey(source));
    this.#hold(pipeline.sources);
    const letGo = (sources: readonly Source[]) =>
      this.#letGo(sources.filter((source) => held.delete(source)));
    try {
      await reportStatistics(this.#parts, workerId, pipeline, {
        before: (sources) => this.#changed(sources),
        after: (sources, { current, ...took }) => {
          letGo(sources);
          this.#counted(current, took);
        },
      });
    } finally {
      letGo([...held]);
    }
  }

  #hold(sources: readonly Source[]): void {
    for (const { sourceId } of sources) this.#busy.set(sourceId, (this.#busy.get(sourceId) ?? 0) + 1);
  }

  #letGo(sources: readonly Source[]): void {
    for (const { sourceId } of sources) {
      const left = (this.#busy.get(sourceId) ?? 1) - 1;
      if (left > 0) this.#busy.set(sourceId, left);
      else this.#busy.delete(sourceId);
    }
  }

  #counted(sources: readonly Source[], { ms, failed }: { ms: number; failed: boolean }): void {
    const restMs = failed ? Math.min(COUNT_SHARE * ms, Math.max(FAILED_REST_MS, ms)) : COUNT_SHARE * ms;
    for (const { sourceId } of sources.filter(({ connector }) => isGrowing(connector))) {
      this.#restsUntilMs.set(sourceId, this.#parts.clock.monotonic() + restMs);
      if (failed) this.#versions.delete(sourceId);
    }
  }

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
      // A server that does not answer holds up nobody but its own sources.
      for (const pipeline of signal.aborted ? [] : pipelines())
        for (const sources of this.#together(pipeline.sources.filter((source) => this.#isDue(source))))
          void this.#look(sources).then((changed) => {
            if (changed.length > 0 && !signal.aborted) seen({ ...pipeline, sources: changed });
          });
    }
  }

  #isDue({ sourceId, connector }: Source): boolean {
    const rests =
      isGrowing(connector) &&
      this.#parts.clock.monotonic() < (this.#restsUntilMs.get(sourceId) ?? Number.NEGATIVE_INFINITY);
    return !rests && !this.#busy.has(sourceId);
  }

  /** Those that share a table or a file; what cannot be opened is by itself. */
  #together(sources: readonly Source[]): readonly (readonly Source[])[] {
    const groups = new Map<unknown, Source[]>();
    for (const source of sources) {
      const place = this.#placeOf(source) ?? source;
      groups.set(place, [...(groups.get(place) ?? []), source]);
    }
    return [...groups.values()];
  }

  async #look(sources: readonly Source[]): Promise<Source[]> {
    this.#hold(sources);
    try {
      const changed = await this.#changed(sources);
      const untried = sources.filter(
        (source) => this.#tried.get(source.sourceId) !== configurationKey(source),
      );
      return [
        // Whatever the api was told earlier is of what is no longer there.
        ...changed.map((source) => ({ ...source, fingerprint: null })),
        ...untried.filter((source) => !changed.includes(source)),
      ];
    } finally {
      this.#letGo(sources);
    }
  }

  /** Of sources that lie together, those that were counted when there was something else. */
  async #changed(sources: readonly Source[]): Promise<Source[]> {
    const version = await this.#versionOf(sources);
    return sources.filter(({ sourceId }) => {
      if (version === undefined) this.#versions.delete(sourceId);
      if (version === undefined || version === this.#versions.get(sourceId)) return false;
      this.#versions.set(sourceId, version);
      return true;
    });
  }

  /**
   * Undefined when there is none or it cannot be read now: whoever reads it tells why, and it is looked at again. That it is gone is a change like any other:
   * it is counted once, which tells the api what is missing.
   */
  async #versionOf([first]: readonly Source[]): Promise<string | undefined> {
    try {
      return await (first === undefined ? null : this.#placeOf(first))?.version();
    } catch (error) {
      return error instanceof SourceError && error.code === 'source_missing' ? GONE : undefined;
    }
  }

  #placeOf(source: Source): HistorySource | null {
    try {
      return this.#parts.historyOf(source);
    } catch {
      return null;
    }
  }
}
