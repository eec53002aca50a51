/** The store of the by-hand replay: events by id, hour buckets beside them, one statement for a batch. */
import type pg from 'pg';

export async function createTables(client: pg.Client): Promise<void> {
  await client.query(`
    drop table if exists by_hand_events, by_hand_buckets;
    create table by_hand_events (id text primary key, key text not null, at timestamptz not null, value bigint not null);
    create table by_hand_buckets (key text, start timestamptz, count bigint not null, sum numeric not null, primary key (key, start))`);
}

/** What was there already changes nothing; buckets in order, or two consumers deadlock. */
export const insertBatch = `
  with inserted as (
    insert into by_hand_events select * from unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[])
    on conflict do nothing returning key, at, value)
  insert into by_hand_buckets select key, date_trunc('hour', at), count(*), sum(value) from inserted group by 1, 2 order by 1, 2
  on conflict (key, start) do update set count = by_hand_buckets.count + excluded.count, sum = by_hand_buckets.sum + excluded.sum`;

/** Holds every writer of the buckets up, for real. */
export const stall = 'begin; lock table by_hand_buckets in access exclusive mode';
