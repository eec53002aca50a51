/**
 * History in Parquet: one object or as many as there are; files, or objects of a store.
 *
 * An event's id is `<object>#<row>`, so the same object gives the same ids on every machine. Row groups outside the range are
 * never read (statistics), nor is anything of objects whose names say that they hold none of it; the others are decoded once, in a thread, for all
 * readers. Open a history once per process and read all its sources from there. What was replaced is noticed; reads under way fail with
 * `source_unavailable`.
 */
import { createHash } from 'node:crypto';
import type { ReadAllRequest, WholeHistory } from '../../data-plane/history/whole-history.ts';
import type {
  HistoryBatch,
  HistoryCounts,
  HistoryDescription,
  Reach,
  SourceScan,
  TimeRange,
} from '../../data-plane/ports.ts';
import { FilePlace } from '../source-objects/files.ts';
import type { AllowedFolders } from '../source-objects/folders.ts';
import { Latest } from '../source-objects/latest.ts';
import { type ObjectPlace, refuseLongNames, type StoredObject } from '../source-objects/objects.ts';
import { mayHold, type Partition, partitionsOf } from '../source-objects/partitioned.ts';
import { DecodedCache } from '../source-rows/decoded-cache.ts';
import { type SourceMap, sourceMap } from '../source-rows/source-map.ts';
import { orAborted, Turn } from '../source-rows/turn.ts';
import { checkConfig, type ParquetFormat, type ParquetSourceConfig } from './config.ts';
import type { RowGroupCounts } from './count.ts';
import { Decoder } from './decoder.ts';
import { addEstimated, sampledPositions } from './estimate-counts.ts';
import type { ObjectLayout } from './layout.ts';
import { placesOf, type RowGroupPlace, rangeOf } from './places.ts';
import { lowerBound, type RowGroupColumns, sourcesByCode } from './row-group.ts';
import { RowSelection } from './row-selection.ts';

const cachedRowGroups = 3;
/** Rows; see the configuration. */
const exactRowsMax = 50_000_000;
/** 64 MiB of counters. */
const maxCounters = 16 << 20;

/** Made of the objects that lie there at one time. */
interface Held {
  readonly objects: readonly StoredObject[];
  readonly partitions: readonly Partition[];
  /** Their footers read one by one, as far as they have been asked for. */
  readonly layouts: DecodedCache<StoredObject, ObjectLayout>;
  readonly places: DecodedCache<Partition, readonly RowGroupPlace[]>;
  readonly fingerprint: DecodedCache<null, string>;
  readonly groups: DecodedCache<RowGroupPlace, DecodedRowGroup>;
}

interface DecodedRowGroup {
  readonly columns: RowGroupColumns;
  /** Position of the source by key code; -1: a key of no source. */
  readonly sourceByCode: Int16Array;
  /** What it took to read it; null once a reading has been told. */
  untold: SourceScan | null;
}

export function openParquetSource(
  config: ParquetSourceConfig,
  options: { readonly folders: AllowedFolders } = { folders: null },
): WholeHistory {
  const { file, ...format } = checkConfig(config);
  return openParquet(new FilePlace(file, 'parquet', options.folders), format);
}

/** Takes the place over: it is closed with the source. */
export function openParquet(place: ObjectPlace, format: ParquetFormat): WholeHistory {
  return new ParquetSource(place, format);
}

class ParquetSource implements WholeHistory {
  readonly reach: Reach;
  readonly #place: ObjectPlace;
  readonly #format: ParquetFormat;
  readonly #sources: SourceMap;
  readonly #decoder: Decoder;
  readonly #turn = new Turn();
  readonly #latest: Latest<Held>;

  constructor(place: ObjectPlace, format: ParquetFormat) {
    this.reach = place.reach;
    this.#place = place;
    this.#format = format;
    this.#sources = sourceMap(format.sources);
    this.#decoder = new Decoder(place, { columns: format.columns, sources: format.sources });
    this.#latest = new Latest(place, (objects) => this.#hold(objects));
  }

  async describe(): Promise<HistoryDescription> {
    const held = await this.#latest.get();
    const groups = await this.#allGroups(held);
    let rows = 0;
    for (const object of held.objects) rows += (await held.layouts.get(object)).rows;
    return {
      fingerprint: await held.fingerprint.get(null),
      range: rangeOf(groups),
      rows,
      bytes: held.objects.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  version(): Promise<string> {
    return this.#latest.version();
  }

  async count(finestMs: number): Promise<HistoryCounts> {
    if (!Number.isSafeInteger(finestMs) || finestMs < 1)
      throw new RangeError('stepMs is a whole number from 1');
    const held = await this.#latest.get();
    const groups = await this.#allGroups(held);
    const range = rangeOf(groups);
    const stepMs = stepFor(range, finestMs, this.#sources.ids.length);
    const firstStep = Math.floor(range.from / stepMs);
    const steps = Math.ceil(range.to / stepMs) - firstStep;
    const { ids } = this.#sources;
    const counts = ids.map(() => new Uint32Array(steps));
    const quarantined = ids.map(() => 0);
    const rows = groups.reduce((sum, group) => sum + group.rows, 0);
    const exact = rows <= (this.#format.exactRowsMax ?? exactRowsMax);
    const counted = new Map<number, RowGroupCounts>();
    for (const position of exact ? groups.keys() : sampledPositions(groups.length)) {
      const { object, ...group } = groups[position] as RowGroupPlace;
      const part = await this.#asked(held.objects, () =>
        this.#decoder.ask({ kind: 'count', object, group, stepMs }),
      );
      counts.forEach((total, source) => {
        const first = part.firstStep - firstStep;
        for (let step = 0; step < part.steps; step++)
          total[first + step] =
            (total[first + step] as number) + (part.counts[source * part.steps + step] as number);
        quarantined[source] = (quarantined[source] as number) + (part.quarantined[source] as number);
      });
      counted.set(position, part);
      await this.#turn.breathe();
    }
    const estimated = counted.size < groups.length;
    if (estimated) addEstimated(counts, { firstStep, stepMs }, groups, counted);
    return {
      stepMs,
      estimated,
      from: firstStep * stepMs,
      counts: Object.fromEntries(ids.map((id, source) => [id, counts[source] as Uint32Array])),
      quarantined: estimated
        ? null
        : Object.fromEntries(ids.map((id, source) => [id, quarantined[source] as number])),
      laps: null,
    };
  }

  read(request: ReadAllRequest & { readonly sourceId: string }): AsyncIterable<HistoryBatch> {
    const source = this.#sources.ids.indexOf(request.sourceId);
    if (source < 0) throw new RangeError(`${this.#place.shown} feeds no source ${request.sourceId}`);
    return this.#read(request, source);
  }

  readAll(request: ReadAllRequest): AsyncIterable<HistoryBatch> {
    return this.#read(request, null);
  }

  async close(): Promise<void> {
    this.#latest.close();
    await this.#decoder.close();
    await this.#place.close();
  }

  async *#read(
    { range, after, maxEvents, signal, scanned }: ReadAllRequest,
    source: number | null,
  ): AsyncGenerator<HistoryBatch> {
    if (!Number.isInteger(maxEvents) || maxEvents < 1)
      throw new RangeError('maxEvents is a whole number from 1');
    const place = after === null ? null : placeOf(after);
    const selection = new RowSelection({
      columns: this.#format.columns,
      sourceIds: this.#sources.ids,
      source,
      maxEvents,
    });
    const held = await orAborted(this.#latest.get(), signal);
    const asked = await this.#groupsIn(held, range, signal);
    for (const [position, group] of asked.entries()) {
      const { name } = group.object;
      const firstRow = rowToBeginWith(place, name);
      if (group.firstRow + group.rows <= firstRow) continue;
      const decoded = await orAborted(held.groups.get(group), signal);
      const { columns, sourceByCode } = decoded;
      if (decoded.untold !== null) scanned?.(decoded.untold);
      decoded.untold = null;
      const [from, to] = columns.sorted
        ? [lowerBound(columns.times, range.from), lowerBound(columns.times, range.to)]
        : [0, columns.rows];
      const next = asked[position + 1] ?? null;
      let row = Math.max(from, firstRow - group.firstRow);
      while (row < to) {
        // The next group is decoded while the last quarter of this one is read.
        if (row >= columns.rows * 0.75 && next !== null) held.groups.prefetch(next);
        row = selection.take(name, columns, sourceByCode, range, row, to);
        if (selection.full) yield selection.batch(`${group.firstRow + row}:${name}`);
        await this.#turn.breathe();
        signal.throwIfAborted();
      }
      if (selection.size > 0) selection.endsAt = `${group.firstRow + row}:${name}`;
    }
    if (selection.size > 0) yield selection.batch(selection.endsAt);
  }

  async #groupsIn(
    { partitions, places }: Held,
    range: TimeRange,
    signal: AbortSignal,
  ): Promise<readonly RowGroupPlace[]> {
    const groups: RowGroupPlace[] = [];
    for (const partition of partitions) {
      if (!mayHold(partition, range)) continue;
      for (const group of await orAborted(places.get(partition), signal))
        if (group.from < range.to && group.to > range.from) groups.push(group);
    }
    return groups;
  }

  async #allGroups({ partitions, places }: Held): Promise<readonly RowGroupPlace[]> {
    const groups: RowGroupPlace[] = [];
    for (const partition of partitions) for (const group of await places.get(partition)) groups.push(group);
    return groups;
  }

  #hold(objects: readonly StoredObject[]): Held {
    const layouts: Held['layouts'] = new DecodedCache(Number.POSITIVE_INFINITY, (object) =>
      this.#asked(objects, () => this.#decoder.ask({ kind: 'layout', object })),
    );
    refuseLongNames(objects);
    return {
      objects,
      partitions: partitionsOf(objects, this.#format.partitions),
      layouts,
      places: new DecodedCache(Number.POSITIVE_INFINITY, async (partition) => {
        const found: ObjectLayout[] = [];
        for (const object of partition.objects) found.push(await layouts.get(object));
        return placesOf(partition, found);
      }),
      fingerprint: new DecodedCache(1, () => this.#asked(objects, () => this.#fingerprintOf(objects))),
      groups: new DecodedCache(
        this.#format.cachedRowGroups ?? cachedRowGroups,
        async ({ object, ...group }): Promise<DecodedRowGroup> => {
          const columns = await this.#asked(objects, () =>
            this.#decoder.ask({ kind: 'group', object, group }),
          );
          return { columns, sourceByCode: sourcesByCode(columns.keys, this.#sources), untold: columns.scan };
        },
      ),
    };
  }

  /** With their names, which ids begin with. */
  async #fingerprintOf(objects: readonly StoredObject[]): Promise<string> {
    const hash = createHash('sha256');
    for (const object of objects) hash.update(`${object.name}\0${await this.#place.fingerprint(object)}\0`);
    return hash.digest('hex').slice(0, 32);
  }

  async #asked<T>(objects: readonly StoredObject[], question: () => Promise<T>): Promise<T> {
    try {
      return await question();
    } catch (error) {
      throw await this.#latest.blamed(error, objects);
    }
  }
}

/** As fine as is asked for, or as many times coarser as it takes. */
function stepFor({ from, to }: { from: number; to: number }, finestMs: number, sources: number): number {
  const counters = (Math.ceil((to - from) / finestMs) + 1) * sources;
  return finestMs * Math.max(1, Math.ceil(counters / maxCounters));
}

interface Place {
  readonly row: number;
  /** Null: of the only one. */
  readonly object: string | null;
}

function rowToBeginWith(place: Place | null, name: string): number {
  if (place === null || (place.object !== null && name > place.object)) return 0;
  return place.object === null || name === place.object ? place.row : Number.POSITIVE_INFINITY;
}

/** A cursor is the number of the row to go on with, and its object: one that has come in between does not move it. Of an only one it was the row alone. */
function placeOf(cursor: string): Place {
  const match = /^(\d{1,15})(?::(.+))?$/s.exec(cursor);
  if (match === null) throw new RangeError(`${JSON.stringify(cursor)} is no cursor of a Parquet source`);
  return { row: Number(match[1]), object: match[2] ?? null };
}
