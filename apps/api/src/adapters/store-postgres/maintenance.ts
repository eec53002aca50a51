/**
 * Vacuum and figures about the store.
 *
 * Retention: nothing is dropped by itself. Every monthly partition that exists is within the de-duplication horizon; an operator
 * shortens it by dropping the oldest `spillway.events_YYYY_MM`, after which events of that month would be applied again.
 *
 * PostgreSQL vacuums itself, and is asked for nothing here. PGlite does not (it has no background processes), so there one call here is one piece of
 * that work: the one table that needs it most. Updates are HOT and die with the next visit of their page, so buckets keep about
 * 10,000 dead rows per million events. A vacuum visits the pages changed since the last one, and nobody is served meanwhile: so buckets are
 * vacuumed often and briefly, at 500 dead rows (after 20,000 new buckets it takes 3 ms, after 200,000 40, after half a million 140). It also reads all of an index with dead entries, however large: so the room of their pages keeps updates off the index (drizzle/store/0002). A partition of events has dead rows only where
 * batches met known events, and costs about a microsecond per row that was never vacuumed: it waits until half is dead. Before
 * transaction ids run out (every batch uses two of 2³¹) each table is frozen, whatever it costs.
 */
import type { StorePulse, StoreStats } from '../../data-plane/ports.ts';
import { StoreError } from '../../data-plane/ports.ts';
import type { Statements } from './connections.ts';

const DEAD_ROWS_MAX = 500;
const DEAD_EVENTS_MIN = 1_000;
const DEAD_SHARE_OF_EVENTS = 0.5;
const FREEZE_AT_AGE = 200_000_000;

/** Of an embedded store; a server needs none of it. */
export async function vacuumPiece({ run }: Statements): Promise<void> {
  // It tells its statistics once a second, unless it is asked to.
  await run('select pg_stat_force_next_flush()');
  const [needy] = await run(`select quote_ident(relname) as name, old from (
      select relname, age(relfrozenxid) > ${FREEZE_AT_AGE} as old, pg_stat_get_dead_tuples(oid) as dead, pg_stat_get_live_tuples(oid) as live
      from pg_class where relnamespace = 'spillway'::regnamespace and relkind = 'r') t
    where old or dead > case when relname like 'events%' then ${DEAD_EVENTS_MIN} + live * ${DEAD_SHARE_OF_EVENTS}
      else ${DEAD_ROWS_MAX} end
    order by old desc, dead desc limit 1`);
  if (needy === undefined) return;
  await run(`vacuum (${needy['old'] === 't' ? 'freeze, ' : ''}truncate false) spillway.${needy['name']}`);
}

export async function storeStats({ run }: Statements): Promise<StoreStats> {
  const [rows] = await run(`select sum(inserted) as event_rows from spillway.stream_positions`);
  const figure = async (sql: string): Promise<number | null> => {
    try {
      const value = (await run(sql))[0]?.['figure'];
      return value === null || value === undefined ? null : Number(value);
    } catch (error) {
      // Not every PostgreSQL lets its user see these; that is `unknown`, and no reason to hide the others.
      if (error instanceof StoreError && error.code === 'store_failed') return null;
      throw error;
    }
  };
  return {
    eventRows: rows?.['event_rows'] == null ? 0 : Number(rows['event_rows']),
    deadRows: await figure(
      `select sum(n_dead_tup) as figure from pg_stat_user_tables where schemaname = 'spillway'`,
    ),
    walBytes: await figure(`select pg_current_wal_lsn() - '0/0'::pg_lsn as figure`),
    sizeBytes: await figure(
      `select sum(pg_total_relation_size(c.oid)) as figure from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'spillway' and c.relkind = 'r'`,
    ),
  };
}

/** Counters of the cache at the last pulse. */
export interface CacheCounters {
  readonly hit: number;
  readonly asked: number;
}

/** One statement of about a millisecond: the statistics views would take ten. PGlite and a user without rights may not know all of it: what they do not know is null. */
export async function storePulse(
  { run }: Statements,
  last: CacheCounters | null,
): Promise<{ pulse: Omit<StorePulse, 'poolWaitMsP99'>; cache: CacheCounters }> {
  const [row] = await run(`select pg_current_wal_lsn() - '0/0'::pg_lsn as wal,
    (select sum(pg_stat_get_dead_tuples(oid)) from pg_class where relnamespace = 'spillway'::regnamespace and relkind = 'r') as dead,
    (select blks_hit from pg_stat_database where datname = current_database()) as hit,
    (select blks_read from pg_stat_database where datname = current_database()) as read`);
  const figure = (name: string) => (row?.[name] == null ? null : Number(row[name]));
  const [hit, read] = [figure('hit'), figure('read')];
  const cache = { hit: hit ?? 0, asked: (hit ?? 0) + (read ?? 0) };
  const asked = last === null ? 0 : cache.asked - last.asked;
  return {
    pulse: {
      walBytes: figure('wal'),
      deadRows: figure('dead'),
      cacheHitRatio: hit === null || last === null || asked <= 0 ? null : (cache.hit - last.hit) / asked,
    },
    cache,
  };
}
