/**
 * Reading objects of lines from the first byte to the last: what they hold, what they are known by, where their rows lie in time.
 *
 * Lines have no statistics of their own. So each object is cut into blocks of rows, and of each block is kept where it begins and which times it
 * holds; a range is then read from those blocks alone. In objects in order of time these are few; in one without order they may be all.
 */
import { createHash } from 'node:crypto';
import { SourceError, type SourceScan, type TimeRange } from '../../data-plane/ports.ts';
import type { StoredObject } from '../source-objects/objects.ts';
import { outside, type Partition } from '../source-objects/partitioned.ts';
import { type Row, type TimedRow, timed } from '../source-rows/row.ts';
import type { StepCounts } from '../source-rows/step-counts.ts';
import type { Turn } from '../source-rows/turn.ts';
import { type Lines, objectBegin, type RowPlace, rowsOf } from './rows.ts';

const BLOCK_ROWS = 4_096;
const BLOCK_BYTES = 1 << 20;
/** Where reading cannot begin anew a block goes on, up to here. */
const BLOCK_ROWS_MAX = 65_536;

export interface Block {
  readonly object: StoredObject;
  /** Number of its first row in the object, from 0. */
  readonly firstRow: number;
  readonly rows: number;
  readonly start: RowPlace;
  /** Event times lie in `[from, to)`, those of rows without one included: they have the time of the row before them. */
  readonly from: number;
  readonly to: number;
  /** The time of a first row that has none. */
  readonly carry: number;
  /** In the same object. */
  readonly next: Block | null;
}

export interface Layout {
  readonly fingerprint: string;
  readonly blocks: readonly Block[];
  /** Null: there are no rows. */
  readonly range: TimeRange | null;
  readonly rows: number;
  /** What it took. */
  readonly scan: SourceScan;
}

type FoundBlock = { -readonly [Name in keyof Block]: Block[Name] } & { untimed: boolean };

/** Of every sound event, while the blocks are being made. */
interface OpenBlock {
  readonly firstRow: number;
  readonly start: RowPlace;
  readonly carry: number | null;
  rows: number;
  from: number;
  to: number;
}

/**
 * `whole`: told of each object that is a single block, with the rows in it: who reads it has read it.
 * Errors: those of {@link rowsOf}, `source_schema` for a row outside what the partition's name says; the signal's reason.
 */
export async function scan(
  { objects, within }: Partition,
  lines: Lines,
  options: {
    readonly counts: StepCounts | null;
    readonly turn: Turn;
    readonly signal: AbortSignal;
    readonly whole: (block: Block, rows: readonly TimedRow[]) => void;
  },
): Promise<Layout> {
  const { counts, turn, signal, whole } = options;
  const hash = createHash('sha256');
  const found: FoundBlock[] = [];
  let last: number | null = within?.from ?? null;
  let first: number | null = last;
  let rows = 0;
  const taken = { requests: 0, bytes: 0 };
  const fetched = (bytes: Buffer) => {
    hash.update(bytes);
    if (lines.place.paysByRead) taken.requests += 1;
    taken.bytes += bytes.length;
  };
  for (const object of objects) {
    hash.update(`${object.name}\0${object.bytes}\0`);
    if (!lines.place.paysByRead) taken.requests += 1;
    const blocksBefore = found.length;
    /** Null: there is a second block. */
    let firstRows: Row[] | null = [];
    let row = 0;
    let start: RowPlace = objectBegin;
    let block: OpenBlock | null = null;
    let before: FoundBlock | null = null;
    const close = () => {
      if (block === null) return;
      const { carry } = block;
      const made: FoundBlock = { object, ...block, carry: carry ?? 0, untimed: carry === null, next: null };
      if (before !== null) before.next = made;
      before = made;
      found.push(made);
      block = null;
    };
    for await (const piece of rowsOf(object, lines, objectBegin, fetched)) {
      for (const read of piece) {
        const { at, source, fault, endByte, endLine, line } = read;
        if (at !== null && within !== null && (at < within.from || at >= within.to))
          throw outside(`${object.name} line ${line}`, at, within);
        if (before !== null) firstRows = null;
        firstRows?.push(read);
        block ??= {
          firstRow: row,
          start,
          carry: last,
          rows: 0,
          from: Number.POSITIVE_INFINITY,
          to: Number.NEGATIVE_INFINITY,
        };
        last = at ?? last;
        first ??= at;
        if (last !== null) {
          block.from = Math.min(block.from, last);
          block.to = Math.max(block.to, last + 1);
        }
        if (source >= 0) {
          if (fault === null && at !== null) counts?.add(source, at);
          else counts?.quarantine(source);
        }
        block.rows += 1;
        row += 1;
        if (endByte === null) {
          if (block.rows < BLOCK_ROWS_MAX) continue;
          throw new SourceError(
            'source_corrupt',
            `${object.name}: ${BLOCK_ROWS_MAX} rows cannot be read one after the other`,
            `${object.name} line ${line}`,
          );
        }
        start = { byte: endByte, line: endLine };
        if (block.rows >= BLOCK_ROWS || endByte - block.start.byte >= BLOCK_BYTES) close();
      }
      await turn.breathe();
      signal.throwIfAborted();
    }
    close();
    const [only] = found.slice(blocksBefore);
    if (firstRows !== null && only !== undefined && !only.untimed) whole(only, timed(firstRows, only.carry));
    rows += row;
  }
  // Rows before the first that has a time are met where that one is; where none has, at the beginning of 1970.
  const begin = first ?? 0;
  for (const block of found) {
    if (!block.untimed) continue;
    block.carry = begin;
    block.from = Math.min(block.from, begin);
    block.to = Math.max(block.to, begin + 1);
  }
  return {
    fingerprint: hash.digest('hex').slice(0, 32),
    blocks: found,
    range: rangeOf(found),
    rows,
    scan: taken,
  };
}

function rangeOf(parts: readonly TimeRange[]): TimeRange | null {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const part of parts) {
    from = Math.min(from, part.from);
    to = Math.max(to, part.to);
  }
  return from < to ? { from, to } : null;
}
