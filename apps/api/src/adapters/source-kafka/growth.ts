/**
 * What has been written to a topic, and removed from it, since this worker looked at it. Another one may have counted it meanwhile, and a window that
 * rests on those counts is read by whoever is given it, up to where it ends now. Only what is new is read for that, and nothing of it is counted: of a
 * topic that is sampled the last of it, for the newest time.
 *
 * What was written and removed between two looks has left nothing that could tell of when it was.
 */
import { SAMPLE_RECORDS_MAX } from './sample.ts';
import { type Layout, type ScanParts, see, wholeIn, widen } from './scan.ts';
import type { PartitionEnds } from './topic.ts';

/** What reading a window needs of a layout. */
export type Known = Pick<Layout, 'ends' | 'wholeFrom' | 'newest' | 'times'>;
type Parts = Pick<ScanParts, 'topic' | 'reading' | 'turn' | 'signal'>;

export async function grown(known: Known, now: readonly PartitionEnds[], parts: Parts): Promise<Known> {
  const times = known.times === null ? null : new Map(known.times);
  const newest = new Map(known.newest);
  const ends: PartitionEnds[] = [];
  let { wholeFrom } = known;
  for (const { partition, begin, end } of now) {
    const before = known.ends.find((one) => one.partition === partition) ?? { begin: 0, end: 0 };
    const next = { partition, begin: Math.max(begin, before.begin), end: Math.max(end, before.end) };
    ends.push(next);
    if (next.begin > before.begin) {
      const whole = wholeIn(partition, await firstTime(next, parts), newest);
      wholeFrom = whole === null ? wholeFrom : Math.max(whole, wholeFrom ?? whole);
    }
    if (next.end === before.end) continue;
    const blocks = new Map(times?.get(partition));
    times?.set(partition, blocks);
    const { topic, reading, turn, signal } = parts;
    const from = Math.max(next.begin, before.end, times === null ? next.end - SAMPLE_RECORDS_MAX : 0);
    for await (const records of topic.records(partition, from, next.end)) {
      for (const record of records) {
        const row = reading.row(record);
        if (row !== null) widen(blocks, row.offset, row.at);
      }
      await turn.breathe();
      signal.throwIfAborted();
    }
    see(newest, partition, blocks.values());
  }
  return { ends, wholeFrom, newest, times };
}

async function firstTime(
  { partition, begin, end }: PartitionEnds,
  { topic, reading }: Parts,
): Promise<number | null> {
  for await (const records of topic.records(partition, begin, end))
    for (const record of records) {
      const row = reading.row(record);
      if (row !== null) return row.at;
    }
  return null;
}
