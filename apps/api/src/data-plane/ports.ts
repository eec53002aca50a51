/**
 * What the data plane asks of a vendor, in the domain's verbs. Every adapter of a port passes the port's suite in
 * `apps/api/test/conformance`.
 *
 * Not in the contract: rates, leases and retries. An adapter moves what it is asked to move, once, and throws a
 * {@link SourceError}, {@link StreamError} or {@link StoreError} with a stable code when it cannot; whether to try again is decided above it.
 */
import type { AcceptedDangers } from '@spillway/shared/api/primitives';
import type { Identity } from '@spillway/shared/api/worker-protocol';
import type { PipelineEvent, QuarantinedEvent } from './event.ts';

/** Half-open event-time range, epoch milliseconds UTC. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** `local`: files, memory or sockets of this machine, so that nothing of it crosses a network. */
export type Reach = 'local' | 'network';

// ---------------------------------------------------------------- history

export interface HistoryBatch {
  readonly events: readonly PipelineEvent[];
  readonly quarantined: readonly QuarantinedEvent[];
  /** Resume here and exactly the events after this batch follow. Opaque to everyone but the adapter. */
  readonly cursor: string;
}

export interface HistoryDescription {
  /** Changes when the content does: what a quote rested on, and what statistics were made of. */
  readonly fingerprint: string;
  /** Event time covered, half-open. */
  readonly range: TimeRange;
  /** Its retention has removed something: what lies before is not all there, epoch ms. Absent: nothing has been, as far as is known. */
  readonly wholeFrom?: number;
  /** Events in one pass over the history, all sources of it. */
  readonly rows: number;
  readonly bytes: number;
}

/** Ranges or files fetched from a source, and their bytes as stored there. */
export interface SourceScan {
  readonly requests: number;
  readonly bytes: number;
}

/** Event counts per step, for each source id the history was asked for. */
export interface HistoryCounts {
  readonly stepMs: number;
  /** From statistics and a sample, because there is too much to be scanned; else exact. */
  readonly estimated: boolean;
  readonly from: number;
  /** `counts[sourceId][i]` events in `[from + i·stepMs, from + (i+1)·stepMs)`. */
  readonly counts: Readonly<Record<string, Uint32Array>>;
  /** Rows of each source that are no events: so many a reading of all of it quarantines. Null: unknown, as of anything that is estimated. */
  readonly quarantined: Readonly<Record<string, number>> | null;
  /** Set when the history repeats: the same counts come again every `spanMs`, `laps` times in all. */
  readonly laps: { readonly spanMs: number; readonly laps: number } | null;
}

/** A place that holds past events and can be read again, as often as asked, with the same answer. */
export interface HistorySource {
  /** Over the network its bytes are egress of where they lie. */
  readonly reach: Reach;
  describe(): Promise<HistoryDescription>;
  /**
   * Tells what is there now from what was there before, without reading it (size and time of a file, counters of a table, ends of a topic):
   * {@link describe} and {@link count} answer for this version or a later one. Undefined where that cannot be told without a scan. Errors: {@link SourceError}.
   */
  version(): Promise<string | undefined>;
  /** In steps of `stepMs`, or a multiple of it where that were too many. One scan of the time and key columns; of a history that is too large for it, an estimate that says so. */
  count(stepMs: number): Promise<HistoryCounts>;
  /**
   * Events of `sourceId` with `from <= at < to`, in batches of at most `maxEvents`, always in the same order.
   * `after` is a cursor of an earlier batch of the same range, or null for the beginning.
   * Errors: {@link SourceError}.
   */
  read(request: {
    readonly sourceId: string;
    readonly range: TimeRange;
    readonly after: string | null;
    readonly maxEvents: number;
    readonly signal: AbortSignal;
    /** Told of every request made of the source for this reading; what another reading has paid for, and is still held, costs nothing. */
    readonly scanned?: ((scan: SourceScan) => void) | undefined;
  }): AsyncIterable<HistoryBatch>;
  close(): Promise<void>;
}

/**
 * - `source_missing`: there is no such file, database or table.
 * - `source_corrupt`: what is there is damaged, with the row or byte address.
 * - `source_schema`: it is not what the source was configured for, or the configuration is none.
 * - `source_denied`: the credentials are wrong, or may not do this; or it lies where nothing may be read.
 * - `source_unavailable`: no answer now, or it changed while it was read; it may pass.
 * - `gap`: what was asked for has been removed by its retention: never what is left in its place.
 */
export class SourceError extends Error {
  readonly code:
    | 'source_missing'
    | 'source_corrupt'
    | 'source_schema'
    | 'source_denied'
    | 'source_unavailable'
    | 'gap';
  /** Row or byte address, when the fault has one. */
  readonly address: string | null;
  constructor(
    code: SourceError['code'],
    detail: string,
    address: string | null = null,
    options?: ErrorOptions,
  ) {
    super(detail, options);
    this.name = 'SourceError';
    this.code = code;
    this.address = address;
  }
}

// ---------------------------------------------------------------- stream

/** A place in a partition. Strings whose lexicographic order is the order of the stream, so that anyone can compare them. */
export type StreamOffset = string;

/** Who published an event: the live feed, or one attempt at a backfill. */
export type Publisher =
  | { readonly kind: 'live' }
  | { readonly kind: 'backfill'; readonly backfillId: string };

export type StreamEntry =
  | {
      readonly type: 'event';
      readonly event: PipelineEvent;
      readonly publisher: Publisher;
      readonly publishedAt: number;
    }
  /** Ends an attempt: everything this lease published to the partition lies before it. */
  | {
      readonly type: 'marker';
      readonly backfillId: string;
      readonly leaseId: string;
      readonly fencingToken: number;
      readonly count: number;
      readonly publishedAt: number;
    };

export interface DeliveredEntry {
  readonly offset: StreamOffset;
  readonly entry: StreamEntry;
}

export interface AppendResult {
  readonly firstOffset: StreamOffset;
  readonly lastOffset: StreamOffset;
  /** Of the entries, as the stream stores them: what `lengthBytes` grew by, where that is known. */
  readonly bytes: number;
}

export interface GroupStats {
  /** Everything up to and including this offset is finished; null before the first acknowledgement. */
  readonly acknowledged: StreamOffset | null;
  /** Entries not yet acknowledged. Null when the backbone cannot say (never a guess, never 0). */
  readonly lagEntries: number | null;
  /** Age of the oldest entry not yet acknowledged, ms; 0 when there is none. */
  readonly lagMs: number | null;
}

export interface StreamStats {
  /** Entries not yet trimmed. */
  readonly length: number;
  /** Null when the backbone cannot say. */
  readonly lengthBytes: number | null;
  readonly oldestPublishedAt: number | null;
  readonly lastOffset: StreamOffset | null;
  /** Null: it has never begun. */
  readonly group: GroupStats | null;
  /** What the backbone drops whether it is applied or not: older, more or larger than this. Absent: nothing. */
  readonly retention?: {
    readonly ms: number | null;
    readonly entries: number | null;
    readonly bytes: number | null;
  };
  /** What somebody accepted of it, where it is so. Absent: nothing. */
  readonly accepted?: AcceptedDangers;
}

export interface StreamProducer {
  /**
   * Durable when it resolves. All of `entries` or none. `producerState` (the feed's place in the file, say) is stored in
   * the same transaction where the backbone can, so that a killed producer goes on exactly where it stopped.
   */
  append(entries: readonly StreamEntry[], producerState?: string): Promise<AppendResult>;
  producerState(): Promise<string | null>;
  /** Stores the state alone, as durable as with an append: the producer has moved on without an entry. */
  keepState(producerState: string): Promise<void>;
  /** Entries not yet trimmed; cheap enough to ask before every batch. Backpressure rests on it. */
  length(): Promise<number>;
}

export interface StreamConsumer {
  /** Up to `maxEntries` entries after `after` (null: from the oldest held), waiting up to `waitMs` for the first one. Empty when none came.
   * Errors: {@link StreamError} `gap` when entries after `after` have been trimmed away: never a silent reset. */
  read(request: {
    readonly after: StreamOffset | null;
    readonly maxEntries: number;
    readonly waitMs: number;
    readonly signal: AbortSignal;
  }): Promise<readonly DeliveredEntry[]>;
  /** Everything up to and including `offset` is finished by this group. Never moves backwards. */
  acknowledge(offset: StreamOffset): Promise<void>;
}

/** One named stream. Consumer groups are created on first use, at the oldest entry. */
export interface DurableStream {
  readonly name: string;
  readonly reach: Reach;
  readonly producer: StreamProducer;
  consumer(group: string): StreamConsumer;
  /** And how far this group is. What other groups there are is not looked for: that may take long. */
  stats(group: string): Promise<StreamStats>;
  /** Removes only what every group has acknowledged. Returns the entries removed. */
  trim(): Promise<number>;
  close(): Promise<void>;
}

/** What a reader publishes to: a stream of ours, or the user's own. */
export interface PublishedStream {
  readonly name: string;
  readonly reach: Reach;
  readonly producer: Pick<StreamProducer, 'append' | 'length'>;
  stats(group: string): Promise<Pick<StreamStats, 'group'>>;
  close(): Promise<void>;
}

/**
 * A stream of the user's own: written to and watched. Nothing of it is read, acknowledged or trimmed. Its `producer.length()` is what the
 * slowest watched group has not finished; a marker is not written, and its offset is that of the newest entry. Appends may be done twice when a
 * connection is lost: their events are told apart by id.
 * Errors: {@link StreamError}, also `stream_missing` and `group_missing`.
 */
export interface ExternalStream extends PublishedStream {
  look(): Promise<ExternalLook>;
}

/** Null is unknown, never zero. */
export interface ExternalLook {
  readonly length: number;
  readonly lagEntries: number | null;
  readonly lagMs: number | null;
  /** Every group has finished everything up to and including it. */
  readonly position: StreamOffset;
  /** Ever finished by the slowest group. */
  readonly finishedEntries: number | null;
  /** Removed before a group had them, as far as can be told. */
  readonly lostEntries: number;
  /** Since the last look it has been removed and made anew, or set back: what was published before and was not finished is lost. */
  readonly replaced: boolean;
}

/**
 * - `gap`: entries that were asked for are not there and will not come.
 * - `stream_unavailable`: no answer now; it may pass. Whether an append has been done is not known then: its events are told apart by id.
 * - `stream_full`: no room for the append, of which nothing was done.
 * - `stream_denied`: the credentials are wrong, or may not do this.
 * - `stream_refused`: the backbone is not what a stream may be kept on; the detail names the setting.
 * - `stream_corrupt`: something else has written to the stream.
 * - `stream_missing`, `group_missing`: of the user's own stream, which is never made here: it is not there, or has no such group.
 */
export class StreamError extends Error {
  readonly code:
    | 'gap'
    | 'stream_unavailable'
    | 'stream_full'
    | 'stream_denied'
    | 'stream_refused'
    | 'stream_corrupt'
    | 'stream_missing'
    | 'group_missing';
  constructor(code: StreamError['code'], detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.name = 'StreamError';
    this.code = code;
  }
}

// ---------------------------------------------------------------- store

export interface ApplyBatch {
  readonly stream: string;
  /** From {@link StorePositions.claim}; a newer claim makes this one `fenced`. */
  readonly fence: number;
  /** All events of a batch have one publisher. */
  readonly publisher: Publisher;
  readonly events: readonly PipelineEvent[];
  /** The stream's position after this batch, committed in the same transaction as the data. */
  readonly position: StreamOffset;
}

export interface ApplyOutcome {
  readonly inserted: number;
  /** Already there with the same payload. */
  readonly duplicates: number;
  /** Same id and time, another payload: not applied, kept in the store's quarantine. */
  readonly quarantined: readonly QuarantinedEvent[];
}

/** Absolute counts since the backfill began, kept in the transaction that applied the rows: reporting them twice changes nothing. */
export interface AppliedCounters {
  readonly backfillId: string;
  readonly applied: number;
  readonly duplicate: number;
  readonly quarantined: number;
}

export interface StoreWriter {
  /**
   * One transaction: events inserted once (unique on event time and id), bucket deltas of the rows really inserted,
   * the publisher's counters, the live event-time watermark (live batches only), and the position.
   * Errors: {@link StoreError} `fenced`; `store_unavailable`, after which the batch may have been committed, be under way, or neither: the
   * next claim fences it, and the position it returns says which.
   */
  apply(batch: ApplyBatch): Promise<ApplyOutcome>;
  /**
   * Whether batches of two streams are committed at the same time. Where they are not, as on an embedded engine that serves one statement at a
   * time, whoever sends both decides which goes first. Errors: {@link StoreError} `store_unavailable`.
   */
  commitsSideBySide(): Promise<boolean>;
}

export interface StorePositions {
  /** Takes the stream over from any earlier applier, which is fenced from then on. */
  claim(stream: string): Promise<{ readonly fence: number; readonly position: StreamOffset | null }>;
  counters(backfillIds: readonly string[]): Promise<readonly AppliedCounters[]>;
  /** The event time live has reached, by source: no earlier live event is expected. Null before the first. */
  watermarks(): Promise<Readonly<Record<string, number>>>;
}

export interface Bucket {
  readonly sourceId: string;
  readonly key: string;
  /** Epoch ms, multiple of the pipeline's bucket width (1 h). */
  readonly start: number;
  readonly count: number;
  /** Exact integer, decimal string. */
  readonly sum: string;
  readonly min: number;
  readonly max: number;
  /** Σ of the low 64 bits of MD5(id ‖ 0x1f ‖ decimal value), mod 2⁶⁴, unsigned decimal string. */
  readonly hash: string;
  /** Rises when another publisher than the last one changes the bucket. */
  readonly version: number;
}

/** What proof compares: the three numbers that must be equal. */
export interface BucketDigest {
  readonly key: string;
  readonly start: number;
  readonly count: number;
  readonly sum: string;
  readonly hash: string;
}

export interface StoreReader {
  buckets(request: {
    readonly sourceIds: readonly string[];
    readonly range: TimeRange;
    readonly key: string | null;
    readonly limit: number;
    readonly after: { readonly start: number; readonly key: string; readonly sourceId: string } | null;
  }): Promise<readonly Bucket[]>;
  /** Stored events per step, from the buckets; `stepMs` is a multiple of the bucket width. */
  coverage(request: {
    readonly sourceIds: readonly string[];
    readonly range: TimeRange;
    readonly stepMs: number;
  }): Promise<readonly { readonly start: number; readonly stored: number }[]>;
  /**
   * One statement, so one snapshot: digests computed again from the stored events themselves (MD5 in the database, not the
   * applier's), beside the bucket rows. Keep the range short: on an embedded store it holds the only session. Where the range cuts
   * a bucket, `events` are those inside it and `buckets` those that start in it: then only the events can be compared.
   */
  proof(request: {
    readonly sourceId: string;
    readonly range: TimeRange;
  }): Promise<{ readonly events: readonly BucketDigest[]; readonly buckets: readonly BucketDigest[] }>;
  quarantine(backfillId: string, limit: number): Promise<readonly QuarantinedEvent[]>;
}

/** Null is unknown, never zero. */
export interface StoreStats {
  readonly eventRows: number | null;
  readonly deadRows: number | null;
  readonly walBytes: number | null;
  readonly sizeBytes: number | null;
}

/** What may be asked every second beside live traffic: one cheap statement. Null is unknown, never zero. */
export interface StorePulse {
  /** Since the database began. */
  readonly walBytes: number | null;
  readonly deadRows: number | null;
  /** Pages found in the cache ÷ pages asked for since the last pulse, 0..1; null when none was asked for. */
  readonly cacheHitRatio: number | null;
  /** How long statements waited for a connection over the last two seconds or the last ten, whichever is less, ms; null when none was run. */
  readonly poolWaitMsP99: number | null;
}

export interface StoreMaintenance {
  /** Applies migrations once, however many start at the same time; refuses a schema newer than the code (`schema_newer`). */
  migrate(): Promise<void>;
  /** Made once with its tables, and the same for whoever reaches it; a restored backup has it, and so has a copy. `noIdentity` before. */
  identity(): Promise<Identity>;
  /** Makes the monthly partitions that the range needs. Idempotent. */
  ensurePartitions(range: TimeRange): Promise<void>;
  /** A bounded piece of vacuum work; PGlite has no autovacuum. */
  vacuum(): Promise<void>;
  stats(): Promise<StoreStats>;
  pulse(): Promise<StorePulse>;
  /**
   * Applies synthetic-keyed copies of `sample` to scratch tables for `forMs`, in batches of `batchSize`, through the same statement
   * that live and replay use, then drops them. Events per second applied.
   */
  calibrate(request: {
    readonly sample: readonly PipelineEvent[];
    readonly batchSize: number;
    readonly forMs: number;
  }): Promise<{ readonly eventsPerSecond: number; readonly commitMsP99: number }>;
}

/** For the meter. */
export interface StoreTraffic {
  /** Sent to the store and received from it over a network, since it was opened; 0 while all connections stay on this machine. */
  networkBytes(): number;
}

/** For fire drills. */
export interface StoreStall {
  /**
   * Holds up every writer of the store: takes the lock, tells `stalled`, and gives it back after `forMs` or when the signal aborts,
   * whichever comes first. It ends with its connection, so a killed process releases it, and soon after `forMs` also that of a frozen one.
   * At most 30 s. Errors: {@link StoreError} `store_unavailable` when the lock was not had within five seconds (then nothing was
   * held), or was lost before its time.
   */
  stall(request: {
    readonly forMs: number;
    readonly signal: AbortSignal;
    readonly stalled: () => void;
  }): Promise<void>;
}

export interface Store
  extends StoreWriter,
    StorePositions,
    StoreReader,
    StoreMaintenance,
    StoreTraffic,
    StoreStall {
  close(): Promise<void>;
}

/**
 * - `fenced`: a newer claim holds the stream.
 * - `store_unavailable`: no answer now, or not in time; it may pass.
 * - `schema_newer`: migrated by a newer version.
 * - `store_failed`: refused, and will be again.
 */
export class StoreError extends Error {
  readonly code: 'fenced' | 'store_unavailable' | 'schema_newer' | 'store_failed';
  constructor(code: StoreError['code'], detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.name = 'StoreError';
    this.code = code;
  }
}
