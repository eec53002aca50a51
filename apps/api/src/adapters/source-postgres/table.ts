/** What the catalogue says about a table: that it and its columns are there, what they are, and how they are written in a statement. */
import pg from 'pg';
import { SourceError } from '../../data-plane/ports.ts';
import type { PostgresSourceConfig } from './config.ts';
import type { Snapshot } from './connections.ts';

export interface Table {
  /** Quoted, with its schema. */
  readonly relation: string;
  readonly time: Column & { readonly zoned: boolean };
  readonly key: Column;
  readonly value: Column;
  readonly id: Column;
  /** Rows as the planner last counted them; null: nobody has, or it is a view. */
  readonly rowsEstimated: number | null;
  readonly bytes: number;
}

export interface Column {
  /** Quoted. */
  readonly name: string;
  /** As the catalogue writes it, for casts. */
  readonly type: string;
  readonly typeName: string;
}

const types = {
  time: ['timestamptz', 'timestamp', 'date'],
  key: ['text', 'varchar', 'bpchar', 'name', 'citext', 'uuid', 'int2', 'int4', 'int8'],
  value: ['int2', 'int4', 'int8', 'numeric', 'float4', 'float8'],
  id: ['text', 'varchar', 'bpchar', 'name', 'citext', 'uuid', 'int2', 'int4', 'int8'],
} as const;
type Role = keyof typeof types;

/** For people. */
export function shownTable({
  schema = 'public',
  table,
}: Pick<PostgresSourceConfig, 'schema' | 'table'>): string {
  return `${schema}.${table}`;
}

/** Errors: `source_missing` without the table, `source_schema` for a column that is not there, is of another type, or names no row. */
export async function lookAtTable(
  snapshot: Snapshot,
  { schema = 'public', table, columns }: Pick<PostgresSourceConfig, 'schema' | 'table' | 'columns'>,
): Promise<Table> {
  const shown = shownTable({ schema, table });
  const [found] = await snapshot.query(
    `select c.oid::text as oid, c.relkind as kind,
       (select sum(greatest(p.reltuples, 0)) from pg_class p
        where p.oid = c.oid or p.oid in (select relid from pg_partition_tree(c.oid) where isleaf))::float8::text as rows,
       (select sum(pg_table_size(p.oid)) from pg_class p
        where p.relkind in ('r', 'm') and (p.oid = c.oid or p.oid in (select relid from pg_partition_tree(c.oid) where isleaf)))::text as bytes
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p', 'v', 'm', 'f')`,
    [schema, table],
  );
  if (found === undefined) throw new SourceError('source_missing', `there is no table ${shown}`);
  const attributes = await snapshot.query(
    `select a.attname as name, format_type(a.atttypid, a.atttypmod) as type, t.typname as type_name, t.typtype as kind, a.attnotnull as filled
     from pg_attribute a join pg_type t on t.oid = a.atttypid
     where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped and a.attname = any($2::text[])`,
    [found['oid'], Object.values(columns)],
  );
  const column = (role: Role): Column => {
    const name = columns[role];
    const attribute = attributes.find((one) => one['name'] === name);
    if (attribute === undefined) throw new SourceError('source_schema', `${shown} has no column ${name}`);
    const { type_name: typeName, type, kind } = attribute as Record<string, string>;
    const known =
      (types[role] as readonly string[]).includes(typeName ?? '') || (role === 'key' && kind === 'e');
    if (!known)
      throw new SourceError(
        'source_schema',
        `column ${name} of ${shown} is of type ${type}; a ${role} is one of ${types[role].join(', ')}`,
      );
    return { name: pg.escapeIdentifier(name), type: type as string, typeName: typeName as string };
  };
  const time = column('time');
  const parts = { time, key: column('key'), value: column('value'), id: column('id') };
  if (found['kind'] === 'r' || found['kind'] === 'p') {
    if (attributes.find(({ name }) => name === columns.id)?.['filled'] !== 't')
      throw new SourceError(
        'source_schema',
        `column ${columns.id} of ${shown} may be null: it names no event`,
      );
    await refuseRepeatable(snapshot, found['oid'] as string, columns, shown);
  }
  const rows = Number(found['rows'] ?? 0);
  return {
    relation: `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`,
    ...parts,
    time: { ...time, zoned: time.typeName === 'timestamptz' },
    rowsEstimated: rows > 0 && (found['kind'] === 'r' || found['kind'] === 'p') ? rows : null,
    bytes: Number(found['bytes'] ?? 0),
  };
}

/**
 * Where its rows lie, how large that is, and how many have ever been inserted, updated and deleted: what the server counts anyway, about a second after a
 * commit and ten at most. A replica does not count, and tells by the size alone. Undefined of a view, which nobody counts. Errors: `source_missing`.
 */
export async function versionOf(
  snapshot: Snapshot,
  { schema = 'public', table }: Pick<PostgresSourceConfig, 'schema' | 'table'>,
): Promise<string | undefined> {
  const [found] = await snapshot.query(
    `select (select string_agg(concat_ws(':', p.oid, pg_relation_filenode(p.oid), pg_relation_size(p.oid), pg_stat_get_tuples_inserted(p.oid),
         pg_stat_get_tuples_updated(p.oid), pg_stat_get_tuples_deleted(p.oid)), ' ' order by p.oid) from pg_class p
       where p.relkind in ('r', 'm') and (p.oid = c.oid or p.oid in (select relid from pg_partition_tree(c.oid) where isleaf))) as version
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p', 'v', 'm', 'f')`,
    [schema, table],
  );
  if (found === undefined)
    throw new SourceError('source_missing', `there is no table ${shownTable({ schema, table })}`);
  return found['version'] ?? undefined;
}

/** Reading goes on behind the last time and id: of two rows with the same ones the second could be passed over. */
async function refuseRepeatable(
  snapshot: Snapshot,
  oid: string,
  { time, id }: PostgresSourceConfig['columns'],
  shown: string,
): Promise<void> {
  const [unique] = await snapshot.query(
    `select 1 as found from pg_index i
     where i.indrelid = $1::oid and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
       and (select array_agg(a.attname::text) from unnest(i.indkey[0:i.indnkeyatts - 1]) k join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k)
         <@ $2::text[]
       and exists (select from unnest(i.indkey[0:i.indnkeyatts - 1]) k join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k where a.attname = $3)
     limit 1`,
    [oid, [time, id], id],
  );
  if (unique === undefined)
    throw new SourceError(
      'source_schema',
      `${shown} has no unique index on ${id}, or on ${time} and ${id}: an event could not be told from another`,
    );
}
