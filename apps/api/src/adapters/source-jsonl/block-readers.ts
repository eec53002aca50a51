/**
 * Reads blocks of rows. Readers that have come to the end of a block stay where they are, a few of them: whoever wants the next block goes on
 * there. A compressed file has no other way to it than from its beginning.
 */
import { SourceError, type SourceScan } from '../../data-plane/ports.ts';
import type { Row, RowReading } from '../source-rows/row.ts';
import { isCompressed } from './bytes.ts';
import type { LineSourceConfig } from './config.ts';
import { rowsOf } from './rows.ts';
import type { Block, Layout } from './scan.ts';

/** As many as places of one history are read at once in the usual case. */
const PARKED_MAX = 4;

export interface BlockRows {
  readonly rows: readonly (Row & { readonly at: number })[];
  /** What it took to read it; null once a reading has been told. */
  untold: SourceScan | null;
}

interface Reader {
  /** Of the block it stands before. */
  position: number;
  readonly compressed: boolean;
  readonly pieces: AsyncGenerator<Row[]>;
  left: readonly Row[];
  fetchedBytes: number;
}

export class BlockReaders {
  readonly #layout: Layout;
  readonly #config: LineSourceConfig;
  readonly #reading: RowReading;
  /** Least recently used first. */
  #parked: Reader[] = [];
  #closed = false;

  constructor(layout: Layout, config: LineSourceConfig, reading: RowReading) {
    this.#layout = layout;
    this.#config = config;
    this.#reading = reading;
  }

  async block(position: number): Promise<BlockRows> {
    const reader = this.#takeParked(position) ?? (await this.#open(position));
    try {
      while (reader.position < position) await this.#take(reader);
      const rows = await this.#take(reader);
      const bytes = reader.fetchedBytes;
      reader.fetchedBytes = 0;
      await this.#park(reader);
      return { rows, untold: { requests: 1, bytes } };
    } catch (error) {
      await reader.pieces.return(undefined).catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const parked = this.#parked;
    this.#parked = [];
    for (const { pieces } of parked) await pieces.return(undefined);
  }

  /** The one that is nearest before the block, where what lies between has to be decompressed anyway; otherwise one that stands at it. */
  #takeParked(position: number): Reader | null {
    const { file } = this.#block(position);
    const usable = this.#parked.filter(
      (reader) =>
        this.#layout.blocks[reader.position]?.file === file &&
        (reader.position === position || (reader.compressed && reader.position < position)),
    );
    const nearest = usable.reduce<Reader | null>(
      (best, one) => (best === null || one.position > best.position ? one : best),
      null,
    );
    if (nearest !== null) this.#parked = this.#parked.filter((reader) => reader !== nearest);
    return nearest;
  }

  async #open(position: number): Promise<Reader> {
    const { file: filePosition, start } = this.#block(position);
    const file = this.#layout.files[filePosition];
    if (file === undefined) throw new RangeError(`no file ${filePosition}`);
    const reader: Reader = {
      position,
      compressed: await isCompressed(file),
      pieces: rowsOf(file, this.#config, this.#reading, start, (bytes) => {
        reader.fetchedBytes += bytes.length;
      }),
      left: [],
      fetchedBytes: 0,
    };
    return reader;
  }

  /** The rows of the block that the reader stands before. */
  async #take(reader: Reader): Promise<(Row & { at: number })[]> {
    const block = this.#block(reader.position);
    const rows: (Row & { at: number })[] = [];
    let at = block.carry;
    while (rows.length < block.rows) {
      if (reader.left.length === 0) {
        const next = await reader.pieces.next();
        if (next.done === true) throw this.#changed(block);
        reader.left = next.value;
      }
      const taken = reader.left.slice(0, block.rows - rows.length);
      reader.left = reader.left.slice(taken.length);
      for (const row of taken) {
        at = row.at ?? at;
        rows.push(row.at === null ? { ...row, at } : (row as Row & { at: number }));
      }
    }
    reader.position += 1;
    return rows;
  }

  /** At the end of its file it is of no more use. */
  async #park(reader: Reader): Promise<void> {
    const before = this.#block(reader.position - 1).file;
    const useful = !this.#closed && this.#layout.blocks[reader.position]?.file === before;
    if (useful) this.#parked.push(reader);
    const leaving = useful ? this.#parked.splice(0, this.#parked.length - PARKED_MAX) : [reader];
    for (const { pieces } of leaving) await pieces.return(undefined);
  }

  #block(position: number): Block {
    const block = this.#layout.blocks[position];
    if (block === undefined) throw new RangeError(`no block ${position}`);
    return block;
  }

  #changed({ file }: Block): SourceError {
    return new SourceError(
      'source_unavailable',
      `${this.#layout.files[file]?.path} was changed while it was read`,
    );
  }
}
