/**
 * History in objects of lines: JSONL or CSV, one or as many as there are, plain, gzip or zstd; files, or objects of a store.
 *
 * An event's id is its own where a column is named for it, and `<object>#<line>` otherwise. All is scanned once before anything is read of it
 * (scan.ts), and again when something has changed; what is changed while it is read fails with `source_unavailable`. Where a template says which
 * times an object holds, a window is read from the objects that may hold it, and those alone are scanned for it.
 */

import { createHash } from 'node:crypto';
import type {
  HistoryBatch,
  HistoryCounts,
  HistoryDescription,
  HistorySource,
  Reach,
  SourceScan,
  TimeRange,
} from '../../data-plane/ports.ts';
import { FilePlace } from '../source-objects/files.ts';
import type { AllowedFolders } from '../source-objects/folders.ts';
import { Latest } from '../source-objects/latest.ts';
import { type ObjectPlace, refuseLongNames, type StoredObject } from '../source-objects/objects.ts';
import { mayHold, type Partition, partitionsOf } from '../source-objects/partitioned.ts';
import { Batching } from '../source-rows/batching.ts';
import { DecodedCache } from '../source-rows/decoded-cache.ts';
import { RowReading } from '../source-rows/row.ts';
import { type SourceMap, sourceMap } from '../source-rows/source-map.ts';
import { StepCounts } from '../source-rows/step-counts.ts';
import { orAborted, Turn } from '../source-rows/turn.ts';
import { BlockReaders, type BlockRows } from './block-readers.ts';
import { checkConfig, type LineFormat, type LineSourceConfig } from './config.ts';
import type { Lines } from './rows.ts';
import { type Block, type Layout, scan } from './scan.ts';

type ReadRequest = Parameters<HistorySource['read']>[0];

/** Of at most 4,096 rows or a MiB each. */
const CACHED_BLOCKS = 16;

export function openLineSource(
  config: LineSourceConfig,
  options: { readonly folders: AllowedFolders },
): HistorySource {
  const checked = checkConfig(config);
  return openLines(new FilePlace(checked.path, checked.kind, options.folders), checked);
}

/** Takes the place over: it is closed with the source. */
export function openLines(place: ObjectPlace, format: LineFormat): HistorySource {
  return new LineSource(place, format);
}

/** Made of the objects that lie there at one time. */
interface Held {
  readonly objects: readonly StoredObject[];
  readonly partitions: readonly Partition[];
  /** Scanned one by one, as far as they have been asked for, unless all have been. */
  readonly layouts: DecodedCache<Partition, ScannedBlocks>;
  readonly whole: DecodedCache<null, { readonly layouts: readonly Layout[]; readonly counts: StepCounts }>;
  readonly blocks: DecodedCache<Block, BlockRows>;
  readonly readers: BlockReaders;
}

interface ScannedBlocks {
  readonly blocks: readonly Block[];
  /** As of {@link BlockRows}. */
  untold: SourceScan | null;
}

class LineSource implements HistorySource {
  readonly reach: Reach;
  readonly #lines: Lines;
  readonly #sources: SourceMap;
  readonly #turn = new Turn();
  readonly #closing = new AbortController();
  readonly #latest: Latest<Held>;

  constructor(place: ObjectPlace, format: LineFormat) {
    this.reach = place.reach;
    this.#sources = sourceMap(format.sources);
    const reading = new RowReading(format.columns, format.timeFormat ?? 'text', this.#sources);
    this.#lines = { place, format, reading };
    this.#latest = new Latest(
      place,
      (objects) => this.#hold(objects),
      ({ readers }) => void readers.close().catch(() => undefined),
    );
  }

  version(): Promise<string> {
    return this.#latest.version();
  }

  async describe(): Promise<HistoryDescription> {
    const { objects, whole } = await this.#latest.get();
    const { layouts } = await whole.get(null);
    const [only] = layouts;
    const hash = createHash('sha256');
    for (const { fingerprint } of layouts) hash.update(fingerprint);
    return {
      fingerprint:
        layouts.length === 1 && only !== undefined ? only.fingerprint : hash.digest('hex').slice(0, 32),
      range: rangeOf(layouts),
      rows: layouts.reduce((sum, { rows }) => sum + rows, 0),
      bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  async count(stepMs: number): Promise<HistoryCounts> {
    const { whole } = await this.#latest.get();
    return (await whole.get(null)).counts.counts(stepMs);
  }

  read(request: ReadRequest): AsyncIterable<HistoryBatch> {
    const source = this.#sources.ids.indexOf(request.sourceId);
    if (source < 0) throw new RangeError(`${this.#lines.place.shown} feeds no source ${request.sourceId}`);
    return this.#read(request, source);
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the source is closed'));
    this.#latest.close();
    await this.#lines.place.close();
  }

  async *#read(
    { sourceId, range, after, maxEvents, signal, scanned }: ReadRequest,
    source: number,
  ): AsyncGenerator<HistoryBatch> {
    const batching = new Batching(maxEvents);
    const from = after === null ? null : placeOf(after);
    const held = await orAborted(this.#latest.get(), signal);
    try {
      let cursor = '';
      for await (const block of this.#blocksOf(held, range, { signal, scanned })) {
        const { name } = block.object;
        if (
          from !== null &&
          (name < from.object || (name === from.object && block.firstRow + block.rows <= from.row))
        )
          continue;
        const found = await orAborted(held.blocks.get(block), signal);
        if (found.untold !== null) scanned?.(found.untold);
        found.untold = null;
        for (const [index, row] of found.rows.entries()) {
          if (row.source !== source || row.at < range.from || row.at >= range.to) continue;
          const number = block.firstRow + index;
          if (from !== null && name === from.object && number < from.row) continue;
          if (row.fault !== null)
            batching.quarantine({ sourceId, address: `${name} line ${row.line}`, ...row.fault });
          else
            batching.event({
              id: row.id ?? `${name}#${row.line}`,
              sourceId,
              key: row.key,
              at: row.at,
              value: row.value,
            });
          cursor = `${number + 1}:${name}`;
          if (!batching.full) continue;
          yield batching.batch(cursor);
          signal.throwIfAborted();
        }
        await this.#turn.breathe();
        signal.throwIfAborted();
      }
      if (!batching.empty) yield batching.batch(cursor);
    } catch (error) {
      throw await this.#latest.blamed(error, held.objects);
    }
  }

  async *#blocksOf(
    held: Held,
    range: TimeRange,
    { signal, scanned }: Pick<ReadRequest, 'signal' | 'scanned'>,
  ): AsyncGenerator<Block> {
    for (const partition of held.partitions) {
      if (!mayHold(partition, range)) continue;
      const found = await orAborted(held.layouts.get(partition), signal);
      if (found.untold !== null) scanned?.(found.untold);
      found.untold = null;
      for (const block of found.blocks) if (block.from < range.to && block.to > range.from) yield block;
    }
  }

  #hold(objects: readonly StoredObject[]): Held {
    if (this.#lines.format.columns.id === undefined) refuseLongNames(objects);
    const partitions = partitionsOf(objects, this.#lines.format.partitions);
    const readers = new BlockReaders(this.#lines);
    const scanOne = (partition: Partition, counts: StepCounts | null) =>
      scan(partition, this.#lines, {
        counts,
        turn: this.#turn,
        signal: this.#closing.signal,
        whole: (block, rows) => blocks.put(block, { rows, untold: null }),
      }).catch(async (error: unknown) => {
        throw await this.#latest.blamed(error, objects);
      });
    const blocks: Held['blocks'] = new DecodedCache(CACHED_BLOCKS, (block) => readers.block(block));
    let counted: ReadonlyMap<Partition, Layout> = new Map();
    const whole: Held['whole'] = new DecodedCache(1, async () => {
      const counts = new StepCounts(this.#sources.ids);
      const found = new Map<Partition, Layout>();
      for (const partition of partitions) found.set(partition, await scanOne(partition, counts));
      counted = found;
      return { layouts: [...found.values()], counts };
    });
    return {
      objects,
      partitions,
      whole,
      layouts: new DecodedCache(Number.POSITIVE_INFINITY, async (partition) => {
        const known = counted.get(partition);
        if (known !== undefined) return { blocks: known.blocks, untold: null };
        // What is one partition is counted by the same scan.
        if (partitions.length === 1) await whole.get(null);
        const { blocks: found, scan: untold } = counted.get(partition) ?? (await scanOne(partition, null));
        return { blocks: found, untold };
      }),
      blocks,
      readers,
    };
  }
}

function rangeOf(layouts: readonly Layout[]): TimeRange {
  const ranges = layouts.flatMap(({ range }) => (range === null ? [] : [range]));
  if (ranges.length === 0) return { from: 0, to: 0 };
  return {
    from: ranges.reduce((least, { from }) => Math.min(least, from), Number.POSITIVE_INFINITY),
    to: ranges.reduce((most, { to }) => Math.max(most, to), Number.NEGATIVE_INFINITY),
  };
}

/** A cursor is the number of the row to go on with, and its object: one that has come in between does not move it. */
function placeOf(cursor: string): { readonly row: number; readonly object: string } {
  const match = /^(\d{1,15}):(.+)$/s.exec(cursor);
  if (match === null) throw new RangeError(`${JSON.stringify(cursor)} is no cursor of a source of lines`);
  return { row: Number(match[1]), object: match[2] as string };
}
