/**
 * History in a topic of Kafka, partition after partition in the order of their offsets. It is counted up to the ends that were there when it was last
 * looked at, and read up to those that are there when a reading begins: another worker may have counted it since.
 *
 * An event's id is its own where a column is named for it, and `<topic>#<partition>@<offset>` otherwise. What retention removes is never passed over:
 * who wants it is told `gap`.
 */
import {
  type HistoryBatch,
  type HistoryCounts,
  type HistoryDescription,
  type HistorySource,
  type Reach,
  SourceError,
  type SourceScan,
  type TimeRange,
} from '../../data-plane/ports.ts';
import { Batching } from '../source-rows/batching.ts';
import { DecodedCache } from '../source-rows/decoded-cache.ts';
import { type SourceMap, sourceMap } from '../source-rows/source-map.ts';
import { orAborted, Turn } from '../source-rows/turn.ts';
import { checkConfig, type KafkaSourceConfig } from './config.ts';
import { grown, type Known } from './growth.ts';
import { RecordReading, type TopicRow } from './rows.ts';
import { sampleLarge } from './sample.ts';
import { BLOCK_OFFSETS, type Layout, scan } from './scan.ts';
import type { PartitionEnds, Topic } from './topic.ts';

type ReadRequest = Parameters<HistorySource['read']>[0];

/** As many as are scanned in about a minute. */
const EXACT_ENTRIES_MAX = 5_000_000;
const CACHED_BLOCKS = 16;
/** ECMAScript's last moment; no record is of a later one. */
const LAST_TIME = 8.64e15;

export interface KafkaSourceOptions {
  /** How long a cluster that does not answer is asked again, ms. Default 5,000. */
  readonly patienceMs?: number;
}

export function openKafkaSource(config: KafkaSourceConfig, options: KafkaSourceOptions = {}): HistorySource {
  return new KafkaSource(checkConfig(config), options);
}

interface Held {
  readonly layout: Layout;
  /** The layout, and what has come and gone since, as far as somebody wanted to read it. */
  known: Promise<Known>;
  readonly blocks: DecodedCache<string, BlockRows>;
}

interface BlockRows {
  readonly rows: readonly TopicRow[];
  /** What it took to read it; null once a reading has been told. */
  untold: SourceScan | null;
}

class KafkaSource implements HistorySource {
  readonly reach: Reach;
  readonly #config: KafkaSourceConfig;
  readonly #connect: () => Promise<Topic>;
  readonly #sources: SourceMap;
  readonly #reading: RecordReading;
  readonly #turn = new Turn();
  readonly #closing = new AbortController();
  /** The last one made, for what need not be newer. */
  #held: Promise<Held> | null = null;
  /** By the last look that came to an end: what it saw is not forgotten where the next one fails. */
  #seen: Held | null = null;

  constructor({ config, address }: ReturnType<typeof checkConfig>, options: KafkaSourceOptions) {
    this.reach = address.reach;
    this.#config = config;
    let connecting: Promise<Topic> | null = null;
    // Kafka's client is hundreds of modules, which no process loads that has no use for it.
    this.#connect = () => {
      connecting ??= import('./topic.ts').then(({ Topic: One }) => new One(address, config.topic, options));
      return connecting;
    };
    this.#closing.signal.addEventListener('abort', () => void connecting?.then((topic) => topic.close()));
    this.#sources = sourceMap(config.sources);
    this.#reading = new RecordReading(config, this.#sources);
  }

  async describe(): Promise<HistoryDescription> {
    const { range, fingerprint, rows, bytes, wholeFrom } = (await this.#lookAgain()).layout;
    if (range === null)
      throw new SourceError('source_missing', `the topic ${this.#config.topic} holds no entry`);
    if (wholeFrom === null) return { fingerprint, range, rows, bytes };
    // What is missing at its beginning is content, too: a partition that was emptied leaves no other trace.
    return { fingerprint: `${fingerprint}-from-${wholeFrom}`, range, rows, bytes, wholeFrom };
  }

  /** Where its partitions begin and end: records do not change, they come and go. */
  async version(): Promise<string> {
    return JSON.stringify(await (await this.#connect()).ends());
  }

  async count(stepMs: number): Promise<HistoryCounts> {
    const { counts, estimated } = (await this.#lastLook()).layout;
    return counts.counts(stepMs, estimated);
  }

  read(request: ReadRequest): AsyncIterable<HistoryBatch> {
    const source = this.#sources.ids.indexOf(request.sourceId);
    if (source < 0) throw new RangeError(`${this.#config.topic} feeds no source ${request.sourceId}`);
    return this.#read(request, source);
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the source is closed'));
  }

  async *#read(
    { sourceId, range, after, maxEvents, signal, scanned }: ReadRequest,
    source: number,
  ): AsyncGenerator<HistoryBatch> {
    const batching = new Batching(maxEvents);
    const place = after === null ? null : placeOf(after);
    const { known, blocks } = await orAborted(this.#asOfNow(), signal);
    this.#refuseGap(known, range);
    let cursor = '';
    for (const ends of known.ends) {
      const { partition } = ends;
      if (range.from >= range.to || (place !== null && partition < place.partition)) continue;
      const span = await orAborted(this.#spanOf(known, ends, range), signal);
      const first = Math.max(span.from, place?.partition === partition ? place.offset : 0);
      for (let block = Math.floor(first / BLOCK_OFFSETS); block * BLOCK_OFFSETS < span.to; block++) {
        if (!mayHold(known, partition, block, range)) continue;
        const found = await orAborted(blocks.get(keyOf(ends, block)), signal);
        if (found.untold !== null) scanned?.(found.untold);
        found.untold = null;
        for (const row of found.rows) {
          if (row.source !== source || row.at < range.from || row.at >= range.to || row.offset < first)
            continue;
          this.#take(batching, row, partition, sourceId);
          cursor = `${partition}:${row.offset + 1}`;
          if (!batching.full) continue;
          yield batching.batch(cursor);
          signal.throwIfAborted();
        }
        await this.#turn.breathe();
        signal.throwIfAborted();
      }
    }
    if (!batching.empty) yield batching.batch(cursor);
  }

  #take(batching: Batching, row: TopicRow, partition: number, sourceId: string): void {
    const { topic: name } = this.#config;
    const { offset, key, at, value, fault } = row;
    if (fault === null)
      batching.event({ id: row.id ?? `${name}#${partition}@${offset}`, sourceId, key, at, value });
    else batching.quarantine({ sourceId, address: `${name}[${partition}]@${offset}`, ...fault });
  }

  /** What has been removed before this worker looked can only be told by the beginning of what is left. */
  #refuseGap(known: Known, range: TimeRange): void {
    const { wholeFrom } = known;
    const removed = `the retention of ${this.#config.topic} has removed entries`;
    if (wholeFrom !== null && range.from < wholeFrom)
      throw new SourceError('gap', `${removed}: it is whole from ${new Date(wholeFrom).toISOString()} on`);
    for (const { partition, begin } of known.ends)
      for (const block of known.times?.get(partition)?.keys() ?? [])
        if ((block + 1) * BLOCK_OFFSETS <= begin && mayHold(known, partition, block, range))
          throw new SourceError('gap', `${removed} of the window from partition ${partition}`);
  }

  /** Offsets outside hold nothing of the range. */
  async #spanOf(
    known: Known,
    { partition, begin, end }: PartitionEnds,
    range: TimeRange,
  ): Promise<{ readonly from: number; readonly to: number }> {
    const { maxLatenessMs: lateness } = this.#config;
    if (known.times !== null || lateness === undefined) return { from: begin, to: end };
    // An answer that is none: from the beginning, to the end. That is slow at worst, and never wrong.
    const [from, to] = await Promise.all([
      this.#offsetAt(partition, range.from - lateness),
      this.#offsetAt(partition, range.to + 2 * lateness),
    ]);
    return { from: Math.max(begin, from ?? begin), to: Math.min(end, to ?? end) };
  }

  /** Kafka takes negative times for questions of another kind. */
  async #offsetAt(partition: number, at: number): Promise<number | null> {
    return at < 0 || at > LAST_TIME ? null : (await this.#connect()).offsetAt(partition, at);
  }

  /** For a reading. What has been written since the last look is learned first, or sampled anew where the topic has become too large for that. */
  async #asOfNow(): Promise<{ readonly known: Known; readonly blocks: Held['blocks'] }> {
    const topic = await this.#connect();
    const held = await this.#lastLook();
    const ends = await topic.ends();
    if (held.layout.times !== null && !this.#isSmall(ends)) {
      const { layout, blocks } = await this.#lookAgain();
      return { known: layout, blocks };
    }
    const parts = { topic, reading: this.#reading, turn: this.#turn, signal: this.#closing.signal };
    // One after the other: nothing is learned twice.
    held.known = held.known.catch(() => held.layout).then((known) => grown(known, ends, parts));
    return { known: await held.known, blocks: held.blocks };
  }

  #isSmall(ends: readonly PartitionEnds[]): boolean {
    const entries = ends.reduce((sum, { begin, end }) => sum + end - begin, 0);
    return entries <= (this.#config.exactEntriesMax ?? EXACT_ENTRIES_MAX);
  }

  #lastLook(): Promise<Held> {
    return this.#held ?? this.#lookAgain();
  }

  /** The same, where nothing has been written and nothing removed. */
  #lookAgain(): Promise<Held> {
    const before = this.#held;
    const looking = (async () => {
      const ends = await (await this.#connect()).ends();
      const known = await before?.catch(() => null);
      const same = known && JSON.stringify(known.layout.ends) === JSON.stringify(ends);
      this.#seen = same ? known : await this.#look(ends, known ?? this.#seen);
      return this.#seen;
    })();
    this.#held = looking;
    looking.catch(() => {
      if (this.#held === looking) this.#held = null;
    });
    return looking;
  }

  async #look(ends: readonly PartitionEnds[], before: Held | null): Promise<Held> {
    const layout = await (this.#isSmall(ends) ? scan : sampleLarge)(ends, {
      topic: await this.#connect(),
      reading: this.#reading,
      sourceIds: this.#sources.ids,
      newest: (await before?.known.catch(() => before.layout))?.newest ?? new Map(),
      turn: this.#turn,
      signal: this.#closing.signal,
    });
    const blocks = new DecodedCache(CACHED_BLOCKS, (key: string) => this.#block(layout, key));
    return { layout, known: Promise.resolve(layout), blocks };
  }

  async #block(layout: Layout, key: string): Promise<BlockRows> {
    const [partition, from, to] = key.split(':').map(Number) as [number, number, number];
    // Where it decides what is read it must be true.
    const lateness = layout.times === null ? this.#config.maxLatenessMs : undefined;
    let newest = Number.NEGATIVE_INFINITY;
    const rows: TopicRow[] = [];
    const scan = { requests: 0, bytes: 0 };
    for await (const records of (await this.#connect()).records(partition, from, to)) {
      scan.requests += 1;
      for (const record of records) {
        scan.bytes += record.value?.length ?? 0;
        newest = Math.max(newest, record.timestamp);
        const row = this.#reading.row(record);
        if (row === null) continue;
        const late = Math.max(newest - row.timestamp, Math.abs(row.at - row.timestamp));
        if (lateness !== undefined && late > lateness)
          throw new SourceError(
            'source_schema',
            `${this.#config.topic}[${partition}]@${row.offset} is ${late} ms late, more than maxLatenessMs`,
            `${this.#config.topic}[${partition}]@${row.offset}`,
          );
        rows.push(row);
      }
    }
    return { rows, untold: scan };
  }
}

/** Whether something of the range can lie in the block, as far as is known. */
function mayHold({ times }: Known, partition: number, block: number, { from, to }: TimeRange): boolean {
  if (times === null) return true;
  const known = times.get(partition)?.get(block);
  return known !== undefined && known.from < to && known.to > from;
}

/** The last block of a partition grows, and the first one shrinks. */
function keyOf({ partition, begin, end }: PartitionEnds, block: number): string {
  return `${partition}:${Math.max(begin, block * BLOCK_OFFSETS)}:${Math.min(end, (block + 1) * BLOCK_OFFSETS)}`;
}

function placeOf(cursor: string): { readonly partition: number; readonly offset: number } {
  const match = /^(\d{1,9}):(\d{1,15})$/.exec(cursor);
  if (match === null) throw new RangeError(`${JSON.stringify(cursor)} is no cursor of a Kafka topic`);
  return { partition: Number(match[1]), offset: Number(match[2]) };
}
