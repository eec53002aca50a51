-- `create table … partition of` locks the parent against everybody: behind somebody who reads all events for minutes, a replay that came to a new
-- month made live wait. A table that is made by itself and attached goes beside readers and writers. Months that are all there lock nothing,
-- and nobody waits for long here: whoever asked tries again.
--
-- A month is known by its bounds: a table that somebody has detached keeps its name, and the month is made anew beside it. Where partitions of
-- somebody's own hold a part of it (a year, halves of a month), it is left to them.
create or replace function spillway.ensure_partitions(p_from bigint, p_to bigint) returns void language plpgsql set lock_timeout = '2s' as $$
declare
  v_end timestamp := to_timestamp(p_to / 1000.0) at time zone 'UTC';
  v_month timestamp;
  v_bounds text;
  v_base text;
  v_name text;
begin
  for v_locked in 0..1 loop
    v_month := date_trunc('month', to_timestamp(p_from / 1000.0) at time zone 'UTC');
    while v_month < v_end loop
      v_bounds := format('FOR VALUES FROM (%L) TO (%L)',
        (extract(epoch from v_month) * 1000)::bigint, (extract(epoch from v_month + interval '1 month') * 1000)::bigint);
      if not exists (select 1 from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'spillway.events'::regclass and pg_get_expr(c.relpartbound, c.oid) = v_bounds)
      then
        exit when v_locked = 0;
        v_base := 'events_' || to_char(v_month, 'YYYY_MM');
        v_name := v_base;
        for v_next in 2..1000 loop
          exit when to_regclass(format('spillway.%I', v_name)) is null;
          v_name := v_base || '_' || v_next;
        end loop;
        begin
          execute format('create table spillway.%I (like spillway.events including all excluding indexes)', v_name);
          execute format('alter table spillway.events attach partition spillway.%I %s', v_name, v_bounds);
        exception when invalid_object_definition then null;
        end;
      end if;
      v_month := v_month + interval '1 month';
    end loop;
    exit when v_month >= v_end;
    perform 1 from spillway.locks where name = 'partitions' for update;
  end loop;
end $$;
