/**
 * Reads blocks of rows. Readers that have come to the end of a block stay where they are, a few of them: whoever wants the next block goes on
 * there. A compressed object has no other way to it than from its beginning.
 */
import type { SourceScan } from '../../data-plane/ports.ts';
import { changedMeanwhile } from '../source-objects/objects.ts';
import { type Row, type TimedRow, timed } from '../source-rows/row.ts';
import { isCompressed } from './bytes.ts';
import { type Lines, rowsOf } from './rows.ts';
import type { Block } from './scan.ts';

/** As many as places of one history are read at once in the usual case. */
const PARKED_MAX = 4;

export interface BlockRows {
  readonly rows: readonly TimedRow[];
  /** What it took to read it; null once a reading has been told. */
  untold: SourceScan | null;
}

interface Reader {
  /** The block it stands before; null: it is at the end of its object. */
  before: Block | null;
  readonly compressed: boolean;
  readonly pieces: AsyncGenerator<Row[]>;
  left: readonly Row[];
  fetched: { reads: number; bytes: number };
}

export class BlockReaders {
  readonly #lines: Lines;
  /** Least recently used first. */
  #parked: Reader[] = [];
  #closed = false;

  constructor(lines: Lines) {
    this.#lines = lines;
  }

  async block(block: Block): Promise<BlockRows> {
    const reader = this.#takeParked(block) ?? this.#open(block);
    try {
      while (reader.before !== null && reader.before !== block) await this.#take(reader, reader.before);
      const rows = await this.#take(reader, block);
      const { reads, bytes } = reader.fetched;
      reader.fetched = { reads: 0, bytes: 0 };
      await this.#park(reader);
      return { rows, untold: { requests: this.#lines.place.paysByRead ? reads : 1, bytes } };
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
  #takeParked(block: Block): Reader | null {
    const usable = this.#parked.filter(
      ({ before, compressed }) =>
        before === block ||
        (compressed && before?.object === block.object && before.firstRow < block.firstRow),
    );
    const nearest = usable.reduce<Reader | null>(
      (best, one) =>
        best === null || (one.before?.firstRow ?? 0) > (best.before?.firstRow ?? 0) ? one : best,
      null,
    );
    if (nearest !== null) this.#parked = this.#parked.filter((reader) => reader !== nearest);
    return nearest;
  }

  #open(block: Block): Reader {
    const { object, start } = block;
    const reader: Reader = {
      before: block,
      compressed: isCompressed(object),
      pieces: rowsOf(object, this.#lines, start, (bytes) => {
        reader.fetched.reads += 1;
        reader.fetched.bytes += bytes.length;
      }),
      left: [],
      fetched: { reads: 0, bytes: 0 },
    };
    return reader;
  }

  /** The rows of the block, which the reader stands before. */
  async #take(reader: Reader, block: Block): Promise<readonly TimedRow[]> {
    const rows: Row[] = [];
    while (rows.length < block.rows) {
      if (reader.left.length === 0) {
        const next = await reader.pieces.next();
        if (next.done === true) throw changedMeanwhile(block.object.path);
        reader.left = next.value;
      }
      const taken = reader.left.slice(0, block.rows - rows.length);
      reader.left = reader.left.slice(taken.length);
      for (const row of taken) rows.push(row);
    }
    reader.before = block.next;
    return timed(rows, block.carry);
  }

  /** At the end of its object it is of no more use. */
  async #park(reader: Reader): Promise<void> {
    const useful = !this.#closed && reader.before !== null;
    if (useful) this.#parked.push(reader);
    const leaving = useful ? this.#parked.splice(0, this.#parked.length - PARKED_MAX) : [reader];
    for (const { pieces } of leaving) await pieces.return(undefined);
  }
}
