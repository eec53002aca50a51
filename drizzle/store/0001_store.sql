-- The store of one pipeline: events once, the buckets made of them, and how far each stream has been applied.
-- Times are epoch milliseconds UTC, as events carry them. Names are compared byte by byte (collate "C"), everywhere the same.
-- `dataset` 0 is what is shown; the column leaves room for a rebuild beside it.
-- Everything names its schema, so that a calibration can run the same text in a schema of its own.

create table spillway.events (
  at bigint not null,
  value bigint not null,
  dataset integer not null default 0,
  id text collate "C" not null,
  source_id text collate "C" not null,
  key text collate "C" not null,
  constraint events_at_within_partitions check (at >= 0 and at < 7258118400000),
  constraint events_value_is_exact_in_json check (value between -9007199254740991 and 9007199254740991),
  constraint events_are_named check (id <> '' and source_id <> '')
) partition by range (at);

-- The de-duplication key. A repeated id at another event time is another event.
create unique index events_once on spillway.events (dataset, at, id);

-- fillfactor: a bucket is updated some times soon after it is made; the room keeps those updates on its page (HOT), so they
-- touch no index and the dead rows go with the next visit of the page.
create table spillway.buckets (
  start bigint not null,
  count bigint not null,
  min bigint not null,
  max bigint not null,
  dataset integer not null default 0,
  version integer not null default 1,
  sum numeric not null,
  hash numeric(20, 0) not null,
  source_id text collate "C" not null,
  key text collate "C" not null,
  last_publisher text collate "C" not null, -- '' is live, else a backfill's id
  constraint buckets_key primary key (dataset, source_id, start, key),
  constraint buckets_hold_events check (count > 0),
  constraint buckets_min_max_in_order check (min <= max),
  constraint buckets_hash_is_modulo_2_64 check (hash >= 0 and hash < 18446744073709551616),
  constraint buckets_version_rises_from_1 check (version >= 1)
) with (fillfactor = 70);

-- One row per stream. A claim raises the fence; an applier with an older one commits nothing any more.
create table spillway.stream_positions (
  stream text collate "C" primary key,
  fence bigint not null,
  position text collate "C",
  inserted bigint not null default 0, -- events this stream brought, ever: the number of event rows without counting them
  constraint stream_positions_fence_rises_from_1 check (fence >= 1),
  constraint stream_positions_inserted_is_a_count check (inserted >= 0)
) with (fillfactor = 50);

create table spillway.fill_counters (
  backfill_id text collate "C" primary key,
  applied bigint not null default 0,
  duplicate bigint not null default 0,
  quarantined bigint not null default 0,
  constraint fill_counters_are_counts check (applied >= 0 and duplicate >= 0 and quarantined >= 0),
  constraint fill_counters_are_of_a_backfill check (backfill_id <> '')
) with (fillfactor = 50);

create table spillway.watermarks (
  source_id text collate "C" primary key,
  at bigint not null
) with (fillfactor = 50);

create table spillway.quarantine (
  publisher text collate "C" not null,
  source_id text collate "C" not null,
  address text collate "C" not null,
  code text collate "C" not null,
  detail text collate "C" not null,
  first_seen_at timestamptz not null default now(),
  constraint quarantine_once primary key (publisher, source_id, address, code, detail),
  constraint quarantine_code_is_known check (code in ('payload_mismatch', 'unparsable', 'value_out_of_range', 'missing_field'))
);

-- Rows to take a lock on where two sessions may not do the same thing at once (a session lock means nothing on PGlite).
create table spillway.locks (name text primary key);
insert into spillway.locks (name) values ('partitions');

-- The monthly partitions of [p_from, p_to). Idempotent; the lock row makes concurrent callers wait for each other.
create function spillway.ensure_partitions(p_from bigint, p_to bigint) returns void language plpgsql as $$
declare
  v_month timestamp := date_trunc('month', to_timestamp(p_from / 1000.0) at time zone 'UTC');
  v_end timestamp := to_timestamp(p_to / 1000.0) at time zone 'UTC';
  v_name text;
begin
  perform 1 from spillway.locks where name = 'partitions' for update;
  while v_month < v_end loop
    v_name := 'events_' || to_char(v_month, 'YYYY_MM');
    if not exists (select 1 from pg_class c where c.relname = v_name and c.relnamespace = (select oid from pg_namespace where nspname = 'spillway')) then
      execute format('create table spillway.%I partition of spillway.events for values from (%s) to (%s)', v_name,
        (extract(epoch from v_month) * 1000)::bigint, (extract(epoch from v_month + interval '1 month') * 1000)::bigint);
    end if;
    v_month := v_month + interval '1 month';
  end loop;
end $$;

-- Applies events of which some may be here already. Only rows really inserted reach the buckets.
-- Sequential scans are off because the plans are cached and may have been made when the tables were empty.
create function spillway.apply_known(p_publisher text, p_bucket_ms bigint,
  p_at bigint[], p_id text[], p_source text[], p_key text[], p_value bigint[],
  out o_inserted bigint, out o_quarantined jsonb) language plpgsql set enable_seqscan = off as $$
begin
  with inserted as (
    insert into spillway.events (at, id, source_id, key, value)
    select unnest(p_at), unnest(p_id), unnest(p_source), unnest(p_key), unnest(p_value)
    on conflict (dataset, at, id) do nothing
    returning at, id, source_id, key, value
  ), merged as (
    insert into spillway.buckets as b (source_id, start, key, count, sum, min, max, hash, last_publisher)
    select source_id, at / p_bucket_ms * p_bucket_ms, key, count(*), sum(value), min(value), max(value),
           mod(sum(mod(('x' || right(md5(id || chr(31) || value), 16))::bit(64)::bigint::numeric + 18446744073709551616, 18446744073709551616)), 18446744073709551616),
           p_publisher
    from inserted group by 1, 2, 3 order by 1, 2, 3
    on conflict (dataset, source_id, start, key) do update set
      count = b.count + excluded.count, sum = b.sum + excluded.sum,
      min = least(b.min, excluded.min), max = greatest(b.max, excluded.max),
      hash = mod(b.hash + excluded.hash, 18446744073709551616),
      version = b.version + (b.last_publisher <> excluded.last_publisher)::integer, last_publisher = excluded.last_publisher
  )
  select count(*) into o_inserted from inserted;

  -- Same id and time, another payload. `limit 1` keeps this one index look-up per event whatever the planner believes.
  with fresh as (
    insert into spillway.quarantine (publisher, source_id, address, code, detail)
    select p_publisher, arrived.source_id, arrived.id, 'payload_mismatch',
           left(format('arrived with value %s, key %s, source %s; stored is value %s, key %s, source %s',
             arrived.value, arrived.key, arrived.source_id, stored.value, stored.key, stored.source_id), 400)
    from unnest(p_at, p_id, p_source, p_key, p_value) as arrived (at, id, source_id, key, value)
    cross join lateral (
      select e.source_id, e.key, e.value from spillway.events e
      where e.dataset = 0 and e.at = arrived.at and e.id = arrived.id limit 1
    ) as stored
    where (arrived.source_id, arrived.key, arrived.value) is distinct from (stored.source_id, stored.key, stored.value)
    on conflict do nothing
    returning source_id, address, code, detail
  )
  select coalesce(jsonb_agg(jsonb_build_object('sourceId', source_id, 'address', address, 'code', code, 'detail', detail)), '[]') into o_quarantined from fresh;
end $$;

-- One batch of one publisher, one transaction, one round trip.
--
-- Nearly every batch is new from the first event to the last. So the caller sends the bucket deltas it has computed, the
-- events go in with a plain insert, and no row is looked up, hashed or grouped here. Should one of them be here already,
-- that attempt is undone and apply_known does it row by row. `p_delta_*` null: the caller expects duplicates, do not try.
--
-- p_refused: events this store cannot hold; they go to the quarantine. An event that is in the quarantine
-- already, with the same payload and from the same publisher, counts as a duplicate.
--
-- SQLSTATE SW001: a newer claim holds the stream. SW002: the position would move backwards.
create function spillway.apply_batch(p_stream text, p_fence bigint, p_position text, p_publisher text, p_bucket_ms bigint,
  p_at bigint[], p_id text[], p_source text[], p_key text[], p_value bigint[],
  p_delta_source text[], p_delta_start bigint[], p_delta_key text[], p_delta_count bigint[], p_delta_sum numeric[],
  p_delta_min bigint[], p_delta_max bigint[], p_delta_hash numeric[],
  p_mark_source text[], p_mark_at bigint[], p_refused jsonb,
  out o_inserted bigint, out o_duplicates bigint, out o_quarantined jsonb) language plpgsql as $$
declare
  v_all_new boolean := false;
  v_fence bigint;
  v_fresh jsonb;
begin
  o_inserted := 0;
  o_quarantined := '[]';
  if p_delta_source is not null then
    begin
      insert into spillway.events (at, id, source_id, key, value)
      select unnest(p_at), unnest(p_id), unnest(p_source), unnest(p_key), unnest(p_value);
      get diagnostics o_inserted = row_count;
      v_all_new := true;
    exception when unique_violation then
      v_all_new := false;
    end;
  end if;

  if v_all_new then
    insert into spillway.buckets as b (source_id, start, key, count, sum, min, max, hash, last_publisher)
    select unnest(p_delta_source), unnest(p_delta_start), unnest(p_delta_key), unnest(p_delta_count), unnest(p_delta_sum),
           unnest(p_delta_min), unnest(p_delta_max), unnest(p_delta_hash), p_publisher
    on conflict (dataset, source_id, start, key) do update set
      count = b.count + excluded.count, sum = b.sum + excluded.sum,
      min = least(b.min, excluded.min), max = greatest(b.max, excluded.max),
      hash = mod(b.hash + excluded.hash, 18446744073709551616),
      version = b.version + (b.last_publisher <> excluded.last_publisher)::integer, last_publisher = excluded.last_publisher;
  elsif cardinality(p_at) > 0 then
    select k.o_inserted, k.o_quarantined into o_inserted, o_quarantined
    from spillway.apply_known(p_publisher, p_bucket_ms, p_at, p_id, p_source, p_key, p_value) k;
  end if;

  if p_refused is not null then
    with fresh as (
      insert into spillway.quarantine (publisher, source_id, address, code, detail)
      select p_publisher, r."sourceId", r.address, r.code, r.detail
      from jsonb_to_recordset(p_refused) as r ("sourceId" text, address text, code text, detail text)
      on conflict do nothing
      returning source_id, address, code, detail
    )
    select coalesce(jsonb_agg(jsonb_build_object('sourceId', source_id, 'address', address, 'code', code, 'detail', detail)), '[]') into v_fresh from fresh;
    o_quarantined := o_quarantined || v_fresh;
  end if;
  o_duplicates := cardinality(p_at) + coalesce(jsonb_array_length(p_refused), 0) - o_inserted - jsonb_array_length(o_quarantined);

  if p_publisher <> '' then
    insert into spillway.fill_counters as c (backfill_id, applied, duplicate, quarantined)
    values (p_publisher, o_inserted, o_duplicates, jsonb_array_length(o_quarantined))
    on conflict (backfill_id) do update set applied = c.applied + excluded.applied,
      duplicate = c.duplicate + excluded.duplicate, quarantined = c.quarantined + excluded.quarantined;
  elsif cardinality(p_mark_source) > 0 then
    insert into spillway.watermarks as w (source_id, at) select unnest(p_mark_source), unnest(p_mark_at)
    on conflict (source_id) do update set at = excluded.at where w.at < excluded.at;
  end if;

  -- Last, so that the row is held for microseconds: undoing everything above is what the fence means.
  update spillway.stream_positions set position = p_position, inserted = inserted + o_inserted
  where stream = p_stream and fence = p_fence and (position is null or position <= p_position);
  if not found then
    select fence into v_fence from spillway.stream_positions where stream = p_stream;
    if v_fence = p_fence then
      raise exception 'the position of stream % would move backwards to %', p_stream, p_position using errcode = 'SW002';
    end if;
    raise exception 'stream % is claimed with fence %, this batch has %', p_stream, v_fence, p_fence using errcode = 'SW001';
  end if;
end $$;
