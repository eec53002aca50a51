/**
 * What has been written to a topic, and removed from it, since this worker looked at it. Another one may have counted it meanwhile, and a window that
 * rests on those counts is read by whoever is given it, up to where it ends now. Only what is new is read for that, and nothing of it is counted.
 */
import { type Layout, type ScanParts, widen } from './scan.ts';
import type { PartitionEnds } from './topic.ts';

/** What reading a window needs of a layout. */
export type Known = Pick<Layout, 'ends' | 'wholeFrom' | 'times'>;
type Parts = Pick<ScanParts, 'topic' | 'reading' | 'turn' | 'signal'>;

export async function grown(known: Known, now: readonly PartitionEnds[], parts: Parts): Promise<Known> {
  const times = known.times === null ? null : new Map(known.times);
  const ends: PartitionEnds[] = [];
  let { wholeFrom } = known;
  for (const { partition, begin, end } of now) {
    const before = known.ends.find((one) => one.partition === partition) ?? { begin: 0, end: 0 };
    const next = { partition, begin: Math.max(begin, before.begin), end: Math.max(end, before.end) };
    ends.push(next);
    if (next.begin > before.begin) {
      const first = await firstTime(next, parts);
      wholeFrom = first === null ? wholeFrom : Math.max(first, wholeFrom ?? first);
    }
    if (times === null || next.end === before.end) continue;
    const blocks = new Map(times.get(partition));
    times.set(partition, blocks);
    const { topic, reading, turn, signal } = parts;
    for await (const records of topic.records(partition, Math.max(next.begin, before.end), next.end)) {
      for (const record of records) {
        const row = reading.row(record);
        if (row !== null) widen(blocks, row.offset, row.at);
      }
      await turn.breathe();
      signal.throwIfAborted();
    }
  }
  return { ends, wholeFrom, times };
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
