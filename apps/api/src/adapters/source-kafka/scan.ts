/**
 * What a topic holds. One that is small enough is read once from its beginning to its end: its events are counted exactly, and of each block of
 * offsets is kept which times it holds, so that a window is read from the blocks that may hold some of it, in whatever order records came.
 */
import { createHash } from 'node:crypto';
import type { TimeRange } from '../../data-plane/ports.ts';
import { StepCounts } from '../source-rows/step-counts.ts';
import type { Turn } from '../source-rows/turn.ts';
import type { RecordReading } from './rows.ts';
import type { PartitionEnds, Topic } from './topic.ts';

/** Offsets. A block is decoded whole and kept for whoever else wants it. */
export const BLOCK_OFFSETS = 4_096;

export interface Layout {
  readonly ends: readonly PartitionEnds[];
  readonly estimated: boolean;
  readonly fingerprint: string;
  /** Null: no entry has been found, or none of when it is whole. */
  readonly range: TimeRange | null;
  readonly rows: number;
  readonly bytes: number;
  readonly counts: StepCounts;
  /**
   * Retention has removed entries, so what lies before this is not all there, epoch ms. Null: nothing has been removed.
   */
  readonly wholeFrom: number | null;
  /** Behind the newest time that has been seen in each partition, also in what has been removed since. */
  readonly newest: ReadonlyMap<number, number>;
  /** Times in each block of a partition, by the number of the block; null: they are not known. */
  readonly times: ReadonlyMap<number, ReadonlyMap<number, TimeRange>> | null;
}

export interface ScanParts {
  readonly topic: Topic;
  readonly reading: RecordReading;
  readonly sourceIds: readonly string[];
  /** {@link Layout.newest} of the look before; empty: there was none. */
  readonly newest: ReadonlyMap<number, number>;
  readonly turn: Turn;
  readonly signal: AbortSignal;
}

export async function scan(ends: readonly PartitionEnds[], parts: ScanParts): Promise<Layout> {
  const { topic, reading, sourceIds, turn, signal } = parts;
  const hash = createHash('sha256');
  const counts = new StepCounts(sourceIds);
  const times = new Map<number, Map<number, TimeRange>>();
  const newest = new Map(parts.newest);
  const begins: number[] = [];
  let [rows, bytes] = [0, 0];
  for (const { partition, begin, end } of ends) {
    const blocks = new Map<number, TimeRange>();
    times.set(partition, blocks);
    let first: number | null = null;
    for await (const records of topic.records(partition, begin, end)) {
      for (const record of records) {
        hash.update(`${partition}@${record.offset} ${record.timestamp}\0`).update(record.value ?? '\0');
        const row = reading.row(record);
        if (row === null) continue;
        first ??= row.at;
        rows += 1;
        bytes += record.value?.length ?? 0;
        widen(blocks, row.offset, row.at);
        if (row.source < 0) continue;
        if (row.fault === null) counts.add(row.source, row.at);
        else counts.quarantine(row.source);
      }
      await turn.breathe();
      signal.throwIfAborted();
    }
    see(newest, partition, blocks.values());
    const whole = wholeIn(partition, first, newest);
    if (begin > 0 && whole !== null) begins.push(whole);
  }
  const all = [...times.values()].flatMap((blocks) => [...blocks.values()]);
  return {
    ends,
    estimated: false,
    fingerprint: hash.digest('hex').slice(0, 32),
    ...wholeOf(all, begins),
    newest,
    rows,
    bytes,
    counts,
    times,
  };
}

/** The block in which the offset lies holds this time. */
export function widen(blocks: Map<number, TimeRange>, offset: number, at: number): void {
  const block = Math.floor(offset / BLOCK_OFFSETS);
  const { from, to } = blocks.get(block) ?? { from: at, to: at + 1 };
  blocks.set(block, { from: Math.min(from, at), to: Math.max(to, at + 1) });
}

export function see(newest: Map<number, number>, partition: number, times: Iterable<TimeRange>): void {
  for (const { to } of times) newest.set(partition, Math.max(to, newest.get(partition) ?? to));
}

/**
 * From when on a partition is whole of which something has been removed: from its first time on, or, where nothing is left of it, behind all that has
 * been seen in it. Null: nothing has been.
 */
export function wholeIn(
  partition: number,
  first: number | null,
  newest: ReadonlyMap<number, number>,
): number | null {
  return first ?? newest.get(partition) ?? null;
}

/** `begins`: from when on each partition is whole of which something has been removed. */
export function wholeOf(
  times: readonly TimeRange[],
  begins: readonly number[],
): Pick<Layout, 'range' | 'wholeFrom'> {
  const wholeFrom = begins.length === 0 ? null : Math.max(...begins);
  if (times.length === 0) return { range: null, wholeFrom };
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const one of times) {
    from = Math.min(from, one.from);
    to = Math.max(to, one.to);
  }
  from = Math.max(from, wholeFrom ?? from);
  return { range: from < to ? { from, to } : null, wholeFrom };
}
