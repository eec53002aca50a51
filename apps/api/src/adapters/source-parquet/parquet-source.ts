/**
 * History in a Parquet file.
 *
 * An event's id is `<file name>#<row>`, so the same file gives the same ids on every machine. Row groups outside the range are
 * never read (statistics); the others are decoded once, in a thread, for all readers. Open a file once per process and read all
 * its sources from there. A replaced file is noticed at the next call; reads under way fail with `source_unavailable`.
 */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { ReadAllRequest, WholeHistory } from '../../data-plane/history/whole-history.ts';
import {
  type HistoryBatch,
  type HistoryCounts,
  type HistoryDescription,
  SourceError,
  type SourceScan,
  type TimeRange,
} from '../../data-plane/ports.ts';
import { DecodedCache } from '../source-rows/decoded-cache.ts';
import { type AllowedFolders, allowedPath } from '../source-rows/folders.ts';
import { type SourceMap, sourceMap } from '../source-rows/source-map.ts';
import { orAborted, Turn } from '../source-rows/turn.ts';
import { checkConfig, type ParquetSourceConfig } from './config.ts';
import type { RowGroupCounts } from './count.ts';
import { Decoder } from './decoder.ts';
import { addEstimated, sampledPositions } from './estimate-counts.ts';
import { fileError, versionOf } from './file.ts';
import type { FileLayout, RowGroupLayout } from './layout.ts';
import { lowerBound, type RowGroupColumns } from './row-group.ts';
import { RowSelection } from './row-selection.ts';

const cachedRowGroups = 3;
/** A file is looked at again after this long. */
const versionMs = 1_000;
/** Rows; see the configuration. */
const exactRowsMax = 50_000_000;
/** 64 MiB of counters. */
const maxCounters = 16 << 20;

interface OpenLayout {
  readonly layout: FileLayout;
  readonly groups: DecodedCache<DecodedRowGroup>;
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
  return new ParquetSource(checkConfig(config), options.folders);
}

class ParquetSource implements WholeHistory {
  /** A file, wherever its file system lies: that is no network of ours. */
  readonly reach = 'local';
  readonly #config: ParquetSourceConfig;
  readonly #folders: AllowedFolders;
  readonly #sources: SourceMap;
  readonly #decoder: Decoder;
  readonly #turn = new Turn();
  #open: Promise<OpenLayout> | null = null;
  #version = '';
  #checkedAt = Number.NEGATIVE_INFINITY;

  constructor(config: ParquetSourceConfig, folders: AllowedFolders) {
    this.#config = config;
    this.#folders = folders;
    this.#sources = sourceMap(config.sources);
    this.#decoder = new Decoder({ file: config.file, columns: config.columns, sources: config.sources });
  }

  async describe(): Promise<HistoryDescription> {
    const { layout } = await this.#layout();
    return {
      fingerprint: layout.fingerprint,
      range: rangeOf(layout),
      rows: layout.rows,
      bytes: layout.bytes,
    };
  }

  async version(): Promise<string> {
    const version = await this.#versionNow();
    // Not what was found up to a second ago.
    if (version !== this.#version) this.#checkedAt = Number.NEGATIVE_INFINITY;
    return version;
  }

  async count(finestMs: number): Promise<HistoryCounts> {
    if (!Number.isSafeInteger(finestMs) || finestMs < 1)
      throw new RangeError('stepMs is a whole number from 1');
    const { layout } = await this.#layout();
    const range = rangeOf(layout);
    const stepMs = stepFor(range, finestMs, this.#sources.ids.length);
    const firstStep = Math.floor(range.from / stepMs);
    const steps = Math.ceil(range.to / stepMs) - firstStep;
    const { ids } = this.#sources;
    const counts = ids.map(() => new Uint32Array(steps));
    const exact = layout.rows <= (this.#config.exactRowsMax ?? exactRowsMax);
    const counted = new Map<number, RowGroupCounts>();
    for (const position of exact ? layout.groups.keys() : sampledPositions(layout.groups.length)) {
      const group = layout.groups[position] as RowGroupLayout;
      const part = await this.#decoder.ask({ kind: 'count', version: layout.version, group, stepMs });
      counts.forEach((total, source) => {
        const first = part.firstStep - firstStep;
        for (let step = 0; step < part.steps; step++)
          total[first + step] =
            (total[first + step] as number) + (part.counts[source * part.steps + step] as number);
      });
      counted.set(position, part);
      await this.#turn.breathe();
    }
    const estimated = counted.size < layout.groups.length;
    if (estimated) addEstimated(counts, { firstStep, stepMs }, layout.groups, counted);
    return {
      stepMs,
      estimated,
      from: firstStep * stepMs,
      counts: Object.fromEntries(ids.map((id, source) => [id, counts[source] as Uint32Array])),
      laps: null,
    };
  }

  read(request: ReadAllRequest & { readonly sourceId: string }): AsyncIterable<HistoryBatch> {
    const source = this.#sources.ids.indexOf(request.sourceId);
    if (source < 0) throw new RangeError(`${this.#config.file} feeds no source ${request.sourceId}`);
    return this.#read(request, source);
  }

  readAll(request: ReadAllRequest): AsyncIterable<HistoryBatch> {
    return this.#read(request, null);
  }

  close(): Promise<void> {
    return this.#decoder.close();
  }

  async *#read(
    { range, after, maxEvents, signal, scanned }: ReadAllRequest,
    source: number | null,
  ): AsyncGenerator<HistoryBatch> {
    if (!Number.isInteger(maxEvents) || maxEvents < 1)
      throw new RangeError('maxEvents is a whole number from 1');
    const firstRow = after === null ? 0 : rowOf(after);
    const { layout, groups } = await orAborted(this.#layout(), signal);
    const selection = new RowSelection({
      file: basename(this.#config.file),
      columns: this.#config.columns,
      sourceIds: this.#sources.ids,
      source,
      maxEvents,
    });
    for (const [position, group] of layout.groups.entries()) {
      if (group.firstRow + group.rows <= firstRow || group.from >= range.to || group.to <= range.from)
        continue;
      const decoded = await orAborted(groups.get(position), signal);
      const { columns, sourceByCode } = decoded;
      if (decoded.untold !== null) scanned?.(decoded.untold);
      decoded.untold = null;
      const [from, to] = columns.sorted
        ? [lowerBound(columns.times, range.from), lowerBound(columns.times, range.to)]
        : [0, columns.rows];
      let row = Math.max(from, firstRow - group.firstRow);
      while (row < to) {
        // The next group is decoded while the last quarter of this one is read.
        if (row >= columns.rows * 0.75 && position + 1 < layout.groups.length) groups.prefetch(position + 1);
        row = selection.take(columns, sourceByCode, range, row, to);
        if (selection.full) yield selection.batch(group.firstRow + row);
        await this.#turn.breathe();
        signal.throwIfAborted();
      }
      if (selection.size > 0) selection.endsAt = group.firstRow + row;
    }
    if (selection.size > 0) yield selection.batch(selection.endsAt);
  }

  /** The layout of the file that is there now. */
  async #layout(): Promise<OpenLayout> {
    const now = performance.now();
    if (!this.#open || now - this.#checkedAt >= versionMs) {
      const version = await this.#versionNow();
      this.#checkedAt = now;
      if (!this.#open || version !== this.#version) {
        this.#version = version;
        const opening = this.#openLayout();
        this.#open = opening;
        opening.catch(() => {
          if (this.#open === opening) this.#open = null;
        });
      }
    }
    return this.#open;
  }

  async #versionNow(): Promise<string> {
    const { file } = this.#config;
    try {
      const found = await stat(await allowedPath(file, this.#folders));
      // A pipe or a device would hold the decode thread for ever where nothing can end it.
      if (!found.isFile()) throw new SourceError('source_missing', `${file} is not a file`);
      return versionOf(found);
    } catch (error) {
      this.#open = null;
      throw fileError(file, error);
    }
  }

  async #openLayout(): Promise<OpenLayout> {
    const layout = await this.#decoder.ask({ kind: 'layout' });
    const groups = new DecodedCache(
      this.#config.cachedRowGroups ?? cachedRowGroups,
      async (position): Promise<DecodedRowGroup> => {
        const columns = await this.#decoder.ask({
          kind: 'group',
          version: layout.version,
          group: layout.groups[position] as RowGroupLayout,
        });
        return { columns, sourceByCode: this.#sourceByCode(columns.keys), untold: columns.scan };
      },
    );
    return { layout, groups };
  }

  /** A row without a key is reported by the first source, so that one source quarantines it and not all or none. */
  #sourceByCode(keys: readonly string[]): Int16Array {
    return Int16Array.from([
      ...keys.map((key) => this.#sources.sourceOf(key)),
      this.#sources.ids.length > 0 ? 0 : -1,
    ]);
  }
}

/** As fine as is asked for, or as many times coarser as it takes. */
function stepFor({ from, to }: { from: number; to: number }, finestMs: number, sources: number): number {
  const counters = (Math.ceil((to - from) / finestMs) + 1) * sources;
  return finestMs * Math.max(1, Math.ceil(counters / maxCounters));
}

function rangeOf(layout: FileLayout): TimeRange {
  if (layout.groups.length === 0) return { from: 0, to: 0 };
  return {
    from: Math.min(...layout.groups.map(({ from }) => from)),
    to: Math.max(...layout.groups.map(({ to }) => to)),
  };
}

/** A cursor is the number of the row to go on with. */
function rowOf(cursor: string): number {
  const row = /^\d{1,15}$/.test(cursor) ? Number(cursor) : Number.NaN;
  if (Number.isNaN(row)) throw new RangeError(`${JSON.stringify(cursor)} is no cursor of a Parquet source`);
  return row;
}
