/**
 * One reading of all files from the first byte to the last: what the history holds, what it is known by, where its rows lie in time.
 *
 * Lines have no statistics of their own. So each file is cut into blocks of rows, and of each block is kept where it begins and which times it
 * holds; a range is then read from those blocks alone. In files in order of time these are few; in a file without order they may be all.
 */
import { createHash } from 'node:crypto';
import { SourceError, type TimeRange } from '../../data-plane/ports.ts';
import type { RowReading } from '../source-rows/row.ts';
import { StepCounts } from '../source-rows/step-counts.ts';
import type { Turn } from '../source-rows/turn.ts';
import type { LineSourceConfig } from './config.ts';
import type { LineFile } from './files.ts';
import { fileBegin, type RowPlace, rowsOf } from './rows.ts';

const BLOCK_ROWS = 4_096;
const BLOCK_BYTES = 1 << 20;
/** Where reading cannot begin anew a block goes on, up to here. */
const BLOCK_ROWS_MAX = 65_536;

export interface Block {
  /** Position among the files. */
  readonly file: number;
  /** Number of its first row in the file, from 0. */
  readonly firstRow: number;
  readonly rows: number;
  readonly start: RowPlace;
  /** Event times lie in `[from, to)`, those of rows without one included: they have the time of the row before them. */
  readonly from: number;
  readonly to: number;
  /** The time of a first row that has none. */
  readonly carry: number;
}

export interface Layout {
  readonly fingerprint: string;
  readonly files: readonly LineFile[];
  readonly blocks: readonly Block[];
  readonly range: TimeRange;
  readonly rows: number;
  /** As the files lie there. */
  readonly bytes: number;
  readonly counts: StepCounts;
}

/** Of every sound event, while the blocks are being made. */
interface OpenBlock {
  readonly firstRow: number;
  readonly start: RowPlace;
  readonly carry: number | null;
  rows: number;
  from: number;
  to: number;
}

export async function scan(
  files: readonly LineFile[],
  options: {
    readonly config: LineSourceConfig;
    readonly reading: RowReading;
    readonly sourceIds: readonly string[];
    readonly turn: Turn;
    readonly signal: AbortSignal;
  },
): Promise<Layout> {
  const { config, reading, sourceIds, turn, signal } = options;
  const hash = createHash('sha256');
  const counts = new StepCounts(sourceIds);
  const found: (Omit<Block, 'carry'> & { readonly carry: number | null })[] = [];
  let last: number | null = null;
  let first: number | null = null;
  let rows = 0;
  for (const [position, file] of files.entries()) {
    hash.update(`${file.name}\0${file.bytes}\0`);
    let row = 0;
    let start: RowPlace = fileBegin;
    let block: OpenBlock | null = null;
    const close = () => {
      if (block !== null) found.push({ file: position, ...block });
      block = null;
    };
    for await (const piece of rowsOf(file, config, reading, fileBegin, (bytes) => hash.update(bytes))) {
      for (const { at, source, fault, endByte, endLine, line } of piece) {
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
        if (fault === null && at !== null && source >= 0) counts.add(source, at);
        block.rows += 1;
        row += 1;
        if (endByte === null) {
          if (block.rows < BLOCK_ROWS_MAX) continue;
          throw new SourceError(
            'source_corrupt',
            `${file.name}: ${BLOCK_ROWS_MAX} rows cannot be read one after the other`,
            `${file.name} line ${line}`,
          );
        }
        start = { byte: endByte, line: endLine };
        if (block.rows >= BLOCK_ROWS || endByte - block.start.byte >= BLOCK_BYTES) close();
      }
      await turn.breathe();
      signal.throwIfAborted();
    }
    close();
    rows += row;
  }
  // Rows before the first that has a time are met where that one is; where none has, at the beginning of 1970.
  const begin = first ?? 0;
  const blocks = found.map((block): Block => {
    if (block.carry !== null) return { ...block, carry: block.carry };
    return { ...block, carry: begin, from: Math.min(block.from, begin), to: Math.max(block.to, begin + 1) };
  });
  return {
    fingerprint: hash.digest('hex').slice(0, 32),
    files,
    blocks,
    range: rangeOf(blocks),
    rows,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    counts,
  };
}

function rangeOf(blocks: readonly Block[]): TimeRange {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const block of blocks) {
    from = Math.min(from, block.from);
    to = Math.max(to, block.to);
  }
  return from < to ? { from, to } : { from: 0, to: 0 };
}
