/**
 * History in files of lines: JSONL or CSV, one file or a folder of them, plain, gzip or zstd.
 *
 * An event's id is its own where a column is named for it, and `<file>#<line>` otherwise. All is scanned once before anything is read of it
 * (scan.ts), and again when a file has changed; a file that is changed while it is read fails with `source_unavailable`.
 */

import type {
  HistoryBatch,
  HistoryCounts,
  HistoryDescription,
  HistorySource,
} from '../../data-plane/ports.ts';
import { Batching } from '../source-rows/batching.ts';
import { DecodedCache } from '../source-rows/decoded-cache.ts';
import type { AllowedFolders } from '../source-rows/folders.ts';
import { RowReading } from '../source-rows/row.ts';
import { type SourceMap, sourceMap } from '../source-rows/source-map.ts';
import { orAborted, Turn } from '../source-rows/turn.ts';
import { BlockReaders, type BlockRows } from './block-readers.ts';
import { checkConfig, type LineSourceConfig } from './config.ts';
import { filesOf } from './files.ts';
import { type Layout, scan } from './scan.ts';

type ReadRequest = Parameters<HistorySource['read']>[0];

/** Of at most 4,096 rows or a MiB each. */
const CACHED_BLOCKS = 16;
/** Files are looked at again after this long, and never for more than a fiftieth of the time. */
const VERSION_MS = 1_000;
const VERSION_SHARE = 50;

interface OpenLayout {
  readonly layout: Layout;
  readonly blocks: DecodedCache<BlockRows>;
  readonly readers: BlockReaders;
}

export function openLineSource(
  config: LineSourceConfig,
  options: { readonly folders: AllowedFolders },
): HistorySource {
  return new LineSource(checkConfig(config), options.folders);
}

class LineSource implements HistorySource {
  /** Files, wherever their file system lies: that is no network of ours. */
  readonly reach = 'local';
  readonly #config: LineSourceConfig;
  readonly #folders: AllowedFolders;
  readonly #sources: SourceMap;
  readonly #reading: RowReading;
  readonly #turn = new Turn();
  readonly #closing = new AbortController();
  #open: Promise<OpenLayout> | null = null;
  #version = '';
  #lookAgainAt = Number.NEGATIVE_INFINITY;

  constructor(config: LineSourceConfig, folders: AllowedFolders) {
    this.#config = config;
    this.#folders = folders;
    this.#sources = sourceMap(config.sources);
    this.#reading = new RowReading(config.columns, config.timeFormat ?? 'text', this.#sources);
  }

  async version(): Promise<string> {
    const version = versionOfAll(await this.#look());
    // Not what was found at an earlier look.
    if (version !== this.#version) this.#lookAgainAt = Number.NEGATIVE_INFINITY;
    return version;
  }

  async describe(): Promise<HistoryDescription> {
    const { fingerprint, range, rows, bytes } = (await this.#layout()).layout;
    return { fingerprint, range, rows, bytes };
  }

  async count(stepMs: number): Promise<HistoryCounts> {
    const { layout } = await this.#layout();
    return { ...layout.counts.counts(stepMs), estimated: false };
  }

  read(request: ReadRequest): AsyncIterable<HistoryBatch> {
    const source = this.#sources.ids.indexOf(request.sourceId);
    if (source < 0) throw new RangeError(`${this.#config.path} feeds no source ${request.sourceId}`);
    return this.#read(request, source);
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the source is closed'));
    const open = this.#open;
    this.#open = null;
    await open?.then(({ readers }) => readers.close()).catch(() => undefined);
  }

  async *#read(
    { sourceId, range, after, maxEvents, signal, scanned }: ReadRequest,
    source: number,
  ): AsyncGenerator<HistoryBatch> {
    const batching = new Batching(maxEvents);
    const from = after === null ? null : placeOf(after);
    const { layout, blocks } = await orAborted(this.#layout(), signal);
    let cursor = '';
    for (const [position, block] of layout.blocks.entries()) {
      if (block.from >= range.to || block.to <= range.from) continue;
      const name = layout.files[block.file]?.name ?? '';
      if (
        from !== null &&
        (name < from.file || (name === from.file && block.firstRow + block.rows <= from.row))
      )
        continue;
      const held = await orAborted(blocks.get(position), signal);
      if (held.untold !== null) scanned?.(held.untold);
      held.untold = null;
      for (const [index, row] of held.rows.entries()) {
        if (row.source !== source || row.at < range.from || row.at >= range.to) continue;
        const number = block.firstRow + index;
        if (from !== null && name === from.file && number < from.row) continue;
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
  }

  /** Of the files that are there now. */
  async #layout(): Promise<OpenLayout> {
    if (this.#open === null || performance.now() >= this.#lookAgainAt) {
      const files = await this.#look();
      const version = versionOfAll(files);
      if (this.#open === null || version !== this.#version) {
        this.#version = version;
        const before = this.#open;
        const opening = this.#scan(files);
        this.#open = opening;
        opening.catch(() => {
          if (this.#open === opening) this.#open = null;
        });
        void before?.then(({ readers }) => readers.close()).catch(() => undefined);
      }
    }
    return this.#open;
  }

  async #look() {
    const began = performance.now();
    try {
      return await filesOf(this.#config, this.#folders);
    } catch (error) {
      this.#open = null;
      throw error;
    } finally {
      const now = performance.now();
      this.#lookAgainAt = now + Math.max(VERSION_MS, (now - began) * VERSION_SHARE);
    }
  }

  async #scan(files: Layout['files']): Promise<OpenLayout> {
    const layout = await scan(files, {
      config: this.#config,
      reading: this.#reading,
      sourceIds: this.#sources.ids,
      turn: this.#turn,
      signal: this.#closing.signal,
    });
    const readers = new BlockReaders(layout, this.#config, this.#reading);
    return {
      layout,
      readers,
      blocks: new DecodedCache(CACHED_BLOCKS, (position) => readers.block(position)),
    };
  }
}

/** A cursor is the number of the row to go on with, and its file: one that has come in between does not move it. */
function placeOf(cursor: string): { readonly row: number; readonly file: string } {
  const match = /^(\d{1,15}):(.+)$/s.exec(cursor);
  if (match === null) throw new RangeError(`${JSON.stringify(cursor)} is no cursor of a source of lines`);
  return { row: Number(match[1]), file: match[2] as string };
}

function versionOfAll(files: Layout['files']): string {
  return files.map(({ name, version }) => `${name}\0${version}`).join('\0');
}
