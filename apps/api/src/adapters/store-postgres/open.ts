/**
 * The store on PostgreSQL, or on an embedded PGlite behind its socket: the same code, schema and statements.
 *
 * What an embedded engine asks for, and what costs PostgreSQL nothing: one message per transaction, no session state, short
 * statements. What a server can do besides: prepared batches (calls.ts), and live beside replay (connections.ts). The work of a batch that needs no database (order, bucket sums, hashes) is done here, so that the engine, which
 * is what a replay saturates, only writes rows.
 */
import { type Clock, systemClock } from '../../data-plane/clock.ts';
import type {
  AppliedCounters,
  ApplyBatch,
  ApplyOutcome,
  Store,
  StorePulse,
  StreamOffset,
  TimeRange,
} from '../../data-plane/ports.ts';
import { StoreError } from '../../data-plane/ports.ts';
import { applyCall, outcomeOf, sortBatch } from './apply.ts';
import { calibrate } from './calibrate.ts';
import { Connections } from './connections.ts';
import { storeIdentity } from './identity.ts';
import { integer, text, texts } from './literal.ts';
import { type CacheCounters, storePulse, storeStats, vacuumPiece } from './maintenance.ts';
import { type Migration, migrate, storeMigrations } from './migrate.ts';
import { KnownPartitions, partitionable } from './partitions.ts';
import * as read from './read.ts';
import { stallWriters } from './stall.ts';

/**
 * A plain insert that meets a known event is undone, and leaves up to a batch of dead rows. After one, so many batches without a
 * duplicate have to come before the next is tried: at most a tenth of the rows are ever wasted so.
 */
const CLEAN_BATCHES = 10;

export interface PostgresStoreOptions {
  /** `postgres://user@host/database`; a unix socket as `?host=/folder`. */
  readonly url: string;
  /** Bucket width, the same for the whole life of the store. Default 1 h. */
  readonly bucketMs?: number;
  /** Besides the two that live's batches have of their own. Default 4. */
  readonly connectionsMax?: number;
  /** A statement without an answer for so long counts as `store_unavailable`. Default 60 s. */
  readonly statementLimitMs?: number;
  readonly clock?: Clock;
  readonly migrations?: readonly Migration[];
}

/** Connects with the first statement, not here. `migrate()` before anything else. */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const {
    url,
    bucketMs = 3_600_000,
    connectionsMax = 4,
    statementLimitMs = 60_000,
    clock = systemClock,
    migrations = storeMigrations(),
  } = options;
  const connections = new Connections({ url, connectionsMax, statementLimitMs });
  const { questions } = connections;
  const partitions = new KnownPartitions();
  /** By stream: batches without a duplicate to come before the plain insert is tried again. */
  const cleanBatchesToCome = new Map<string, number>();

  const ensurePartitions = async (range: TimeRange): Promise<void> => {
    const { from, to } = partitionable(range);
    if (from < to)
      await connections.run(`select spillway.ensure_partitions(${integer(from)}, ${integer(to)})`);
  };

  const apply = async (batch: ApplyBatch): Promise<ApplyOutcome> => {
    const sorted = sortBatch(batch.events);
    const missing = partitions.missing(sorted.events);
    for (const month of missing) await ensurePartitions(month);
    partitions.learn(missing);
    try {
      const call = applyCall(batch, sorted, {
        bucketMs,
        expectDuplicates: cleanBatchesToCome.has(batch.stream),
        schema: 'spillway',
      });
      const lane = batch.publisher.kind === 'live' ? 'live' : 'rest';
      const outcome = outcomeOf((await connections.call(lane, call))[0]);
      const left =
        outcome.inserted < sorted.events.length
          ? CLEAN_BATCHES
          : (cleanBatchesToCome.get(batch.stream) ?? 0) - 1;
      if (left > 0) cleanBatchesToCome.set(batch.stream, left);
      else cleanBatchesToCome.delete(batch.stream);
      return outcome;
    } catch (error) {
      partitions.forget();
      throw error;
    }
  };

  const claim = async (stream: string): Promise<{ fence: number; position: StreamOffset | null }> => {
    const [row] =
      await connections.run(`insert into spillway.stream_positions as p (stream, fence) values (${text(stream)}, 1)
      on conflict (stream) do update set fence = p.fence + 1 returning fence, position`);
    if (row === undefined) throw new StoreError('store_failed', `claiming ${stream} returned no row`);
    return { fence: Number(row['fence']), position: row['position'] ?? null };
  };

  const counters = async (backfillIds: readonly string[]): Promise<readonly AppliedCounters[]> => {
    const rows = await questions.run(
      `select * from spillway.fill_counters where backfill_id = any (${texts(backfillIds)}::text[]) order by backfill_id`,
    );
    return rows.map((row) => ({
      backfillId: row['backfill_id'] ?? '',
      applied: Number(row['applied']),
      duplicate: Number(row['duplicate']),
      quarantined: Number(row['quarantined']),
    }));
  };

  let cache: CacheCounters | null = null;
  const pulse = async (): Promise<StorePulse> => {
    const poolWaitMsP99 = connections.waitMs.percentile(0.99);
    const seen = await storePulse(questions, cache);
    cache = seen.cache;
    return { ...seen.pulse, poolWaitMsP99 };
  };

  return {
    apply,
    commitsSideBySide: async () => !(await connections.isEmbedded()),
    claim,
    counters,
    watermarks: async () =>
      Object.fromEntries(
        (await questions.run('select source_id, at from spillway.watermarks')).map((row) => [
          row['source_id'] ?? '',
          Number(row['at']),
        ]),
      ),
    buckets: (request) => read.buckets(questions, request),
    coverage: (request) => read.coverage(questions, request),
    proof: (request) => read.proof(questions, { ...request, bucketMs }),
    quarantine: (backfillId, limit) => read.quarantine(questions, backfillId, limit),
    migrate: () => migrate(connections, migrations),
    identity: () => storeIdentity(questions, url),
    ensurePartitions,
    vacuum: async () => {
      if (await connections.isEmbedded()) await vacuumPiece(connections);
    },
    stats: () => storeStats(questions),
    pulse,
    calibrate: (request) => calibrate(connections, request, { migrations, bucketMs, clock }),
    networkBytes: () => connections.networkBytes(),
    stall: (request) => stallWriters(url, request),
    close: () => connections.close(),
  };
}
