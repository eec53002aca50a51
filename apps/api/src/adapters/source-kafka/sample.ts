/**
 * What a topic holds that is too large to be scanned: estimated from the offsets, and from a few records at places that lie evenly in them.
 *
 *     events of a source between two places ≈ offsets between them · events of the source in the sample ÷ offsets of the sample
 *
 * spread evenly over the time between the two.
 */
import { createHash } from 'node:crypto';
import type { TimeRange } from '../../data-plane/ports.ts';
import { StepCounts } from '../source-rows/step-counts.ts';
import type { TopicRow } from './rows.ts';
import { type Layout, type ScanParts, see, wholeIn, wholeOf } from './scan.ts';
import type { PartitionEnds } from './topic.ts';

/** Of a partition: its beginning, its end, and those between. */
const PLACES = 12;
export const SAMPLE_RECORDS_MAX = 500;
const SAMPLE_BYTES = 64 << 10;
const STEP_MS = 60_000;

interface Sample {
  readonly offset: number;
  /** Offsets that it covers, gaps of compaction and tombstones included. */
  readonly offsets: number;
  readonly bytes: number;
  readonly times: TimeRange;
  readonly rows: readonly TopicRow[];
}

export async function sampleLarge(ends: readonly PartitionEnds[], parts: ScanParts): Promise<Layout> {
  const { sourceIds, signal } = parts;
  const hash = createHash('sha256');
  const counts = new StepCounts(sourceIds);
  const times: TimeRange[] = [];
  const newest = new Map(parts.newest);
  const begins: number[] = [];
  let [rows, bytes] = [0, 0];
  for (const each of ends) {
    hash.update(`${each.partition}: ${each.begin} to ${each.end}\0`);
    const samples: Sample[] = [];
    for (const offset of placesIn(each)) {
      const sample = await sampleAt(each, offset, parts);
      if (sample !== null) samples.push(sample);
      signal.throwIfAborted();
    }
    for (const [position, sample] of samples.entries()) {
      times.push(sample.times);
      const next = samples[position + 1];
      const offsets = Math.max((next?.offset ?? each.end) - sample.offset, 0);
      const span = { from: sample.times.from, to: Math.max(next?.times.from ?? 0, sample.times.to) };
      const share = offsets / sample.offsets;
      rows += sample.rows.length * share;
      bytes += sample.bytes * share;
      for (const source of sourceIds.keys()) spread(counts, source, span, eventsOf(sample, source) * share);
    }
    see(
      newest,
      each.partition,
      samples.map((sample) => sample.times),
    );
    const whole = wholeIn(each.partition, samples[0]?.times.from ?? null, newest);
    if (each.begin > 0 && whole !== null) begins.push(whole);
  }
  return {
    ends,
    estimated: true,
    fingerprint: hash.digest('hex').slice(0, 32),
    ...wholeOf(times, begins),
    newest,
    rows: Math.round(rows),
    bytes: Math.round(bytes),
    counts,
    times: null,
  };
}

function placesIn({ begin, end }: PartitionEnds): number[] {
  // The last place leaves room for a sample, or the end would be known of one record alone.
  const last = Math.max(begin, end - SAMPLE_RECORDS_MAX);
  const places = Array.from({ length: PLACES }, (_, place) =>
    Math.floor(begin + (place * (last - begin)) / (PLACES - 1)),
  );
  return end > begin ? [...new Set(places)] : [];
}

async function sampleAt(
  { partition, end }: PartitionEnds,
  offset: number,
  { topic, reading }: ScanParts,
): Promise<Sample | null> {
  const to = Math.min(end, offset + SAMPLE_RECORDS_MAX);
  const rows: TopicRow[] = [];
  let bytes = 0;
  for await (const records of topic.records(partition, offset, to, SAMPLE_BYTES)) {
    bytes += records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
    for (const record of records) {
      const row = reading.row(record);
      if (row !== null) rows.push(row);
    }
  }
  return rows.length === 0 ? null : { offset, offsets: to - offset, bytes, times: rangeOf(rows), rows };
}

function rangeOf(rows: readonly TopicRow[]): TimeRange {
  const times = rows.map(({ at }) => at);
  return { from: Math.min(...times), to: Math.max(...times) + 1 };
}

function eventsOf({ rows }: Sample, source: number): number {
  return rows.filter((row) => row.fault === null && row.source === source).length;
}

/** Whole events, rounded so that the steps add up to the whole. */
function spread(counts: StepCounts, source: number, { from, to }: TimeRange, events: number): void {
  const before = (at: number) =>
    Math.round((events * Math.min(Math.max(at - from, 0), to - from)) / Math.max(1, to - from));
  for (let at = Math.floor(from / STEP_MS) * STEP_MS; at < to; at += STEP_MS) {
    const own = before(at + STEP_MS) - before(at);
    if (own > 0) counts.add(source, Math.max(at, from), own);
  }
}
