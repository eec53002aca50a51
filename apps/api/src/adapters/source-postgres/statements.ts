/**
 * The statements, as text. Names come from the catalogue and are quoted; everything else is a parameter.
 *
 * An event time goes there and back as text to the microsecond, written by `to_char`, so that no setting of a session changes it. A time that no
 * event may have is none: its row is quarantined.
 */
import { EVENT_TIMES, NAME_LENGTH_MAX } from '../../data-plane/event-limits.ts';
import type { Column, Table } from './table.ts';

/** Of the types a key or an id may have, those whose texts may be longer than a name, or empty. */
const TEXTS = ['text', 'varchar', 'bpchar', 'citext'];

/** 2⁵³ - 1. */
const SAFE = '9007199254740991';
const TIME_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS.US';

export class Statements {
  readonly #table: Table;
  /** By position of the source; null: every other key. */
  readonly #keys: readonly (readonly string[] | null)[];

  constructor(table: Table, keys: readonly (readonly string[] | null)[]) {
    this.#table = table;
    this.#keys = keys;
  }

  /** By source and minute: rows, sound ones, and what they are known by. Sources are positions; -1 is none. */
  scan(): { text: string; values: unknown[] } {
    const { relation, time, key, value, id } = this.#table;
    const values: unknown[] = [];
    const line = [this.#atSql(), `${key.name}::text`, `${value.name}::text`, `${id.name}::text`].map(
      (field) => `coalesce(${field}, chr(30))`,
    );
    return {
      text: `declare scan no scroll cursor for
        select source::text, minute::text, count(*)::text as rows, (count(*) filter (where sound))::text as events,
          sum(hash)::text as hash, sum(bytes)::text as bytes, min(at) as first, max(at) as last,
          (count(*) filter (where unnamed))::text as unnamed
        from (select ${this.#sourceSql(values)} as source, ${this.#soundSql()} as sound, unnamed,
                hashtextextended(line, 0) as hash, octet_length(line) as bytes,
                case when usable then at end as at,
                case when usable then floor(extract(epoch from own) / 60)::bigint end as minute
              from (select ${time.name} as own, ${this.#usableSql()} as usable, ${this.#atSql()} as at, ${key.name}::text as k,
                      ${value.name} as v, ${id.name}::text as i, ${id.name} is null as unnamed, concat_ws(chr(31), ${line.join(', ')}) as line
                    from ${relation}) as one) as kept
        group by source, minute`,
      values,
    };
  }

  /** Of a part of the rows: events by source and minute, times `100 / percent`. */
  sample(percent: number): { text: string; values: unknown[] } {
    const { relation, time } = this.#table;
    const values: unknown[] = [];
    return {
      text: `declare scan no scroll cursor for
        select source::text, minute::text, count(*)::text as events
        from (select ${this.#sourceSql(values)} as source, ${this.#soundSql()} as sound, floor(extract(epoch from own) / 60)::bigint as minute
              from (select ${time.name} as own, ${this.#usableSql()} as usable, ${this.#table.key.name}::text as k, ${this.#table.value.name} as v, ${this.#table.id.name}::text as i
                    from ${relation} tablesample system (${percent})) as one where usable) as kept
        where sound and source >= 0 group by source, minute`,
      values,
    };
  }

  /** The first and the last usable time. */
  ends(): string {
    return `select ${this.#atSql('min')} as first, ${this.#atSql('max')} as last from ${this.#table.relation} where ${this.#usableSql()}`;
  }

  /** Rows of a source without a usable time, by id. */
  untimed(source: number, after: string | null, limit: number): { text: string; values: unknown[] } {
    const values: unknown[] = [];
    const { id, relation } = this.#table;
    const own = this.#ownSql(source, values);
    const further = after === null ? '' : `and ${id.name} > ${push(values, after)}::${id.type}`;
    return {
      text: `select null as at, ${this.#table.time.name}::text as shown, ${this.#fieldsSql()} from ${relation} where not (${this.#usableSql()}) and ${own} ${further}
        order by ${id.name} limit ${push(values, limit)}::int`,
      values,
    };
  }

  /** Rows of a source with `from <= time < to`, epoch ms, behind a place, by time and id. */
  timed(
    source: number,
    range: { readonly from: number; readonly to: number },
    after: { readonly at: string; readonly id: string } | null,
    limit: number,
  ): { text: string; values: unknown[] } {
    const values: unknown[] = [];
    const { time, id, relation } = this.#table;
    const own = this.#ownSql(source, values);
    const moment = (text: string) =>
      `${push(values, time.zoned ? `${text}Z` : text)}::${time.zoned ? 'timestamptz' : 'timestamp'}`;
    const from = `${time.name} >= ${moment(textOf(range.from))}`;
    const further =
      after === null
        ? ''
        : `and (${time.name}, ${id.name}) > (${moment(after.at)}, ${push(values, after.id)}::${id.type})`;
    return {
      text: `select ${this.#atSql()} as at, ${this.#fieldsSql()} from ${relation}
        where ${from} and ${time.name} < ${moment(textOf(range.to))} and ${own} ${further}
        order by ${time.name}, ${id.name} limit ${push(values, limit)}::int`,
      values,
    };
  }

  #fieldsSql(): string {
    const { key, value, id } = this.#table;
    return `${key.name}::text as key, ${value.name}::text as value, ${id.name}::text as id`;
  }

  #atSql(of: 'min' | 'max' | '' = ''): string {
    const { name, zoned } = this.#table.time;
    const time = of === '' ? name : `${of}(${name})`;
    return `to_char(${zoned ? `${time} at time zone 'UTC'` : `${time}::timestamp`}, '${TIME_FORMAT}')`;
  }

  /** Never null. */
  #usableSql(): string {
    const { name, zoned } = this.#table.time;
    const bound = (at: number) => (zoned ? `timestamptz '${textOf(at)}Z'` : `timestamp '${textOf(at)}'`);
    return `coalesce(${name} >= ${bound(EVENT_TIMES.from)} and ${name} < ${bound(EVENT_TIMES.to)}, false)`;
  }

  /** Of the columns `usable`, `k`, `v` and `i`. */
  #soundSql(): string {
    const { key, id, value } = this.#table;
    const { typeName } = value;
    const safe = `v between -${SAFE} and ${SAFE}`;
    const whole = typeName.startsWith('int')
      ? `coalesce(${safe}, false)`
      : `coalesce(v = trunc(v) and ${safe}, false)`;
    return `(usable and k is not null and ${nameSql('k', key)} and ${nameSql('i', id)} and i <> '' and ${whole})`;
  }

  /** Position of the source that column `k` feeds; what has no key is met by the first. */
  #sourceSql(values: unknown[]): string {
    const named = this.#keys.flatMap((keys, source) =>
      keys === null ? [] : [`when k = any(${push(values, keys)}::text[]) then ${source}`],
    );
    const first = this.#keys.length > 0 ? 0 : -1;
    return `case when k is null then ${first} ${named.join(' ')} else ${this.#keys.indexOf(null)} end`;
  }

  #ownSql(source: number, values: unknown[]): string {
    const key = `${this.#table.key.name}::text`;
    const keys = this.#keys[source] ?? null;
    const others = this.#keys.flatMap((one) => one ?? []);
    const own =
      keys === null
        ? `${key} <> all(${push(values, others)}::text[])`
        : `${key} = any(${push(values, keys)}::text[])`;
    return source === 0 ? `(${own} or ${this.#table.key.name} is null)` : own;
  }
}

/**
 * Whether it is as long as a name may be, in whatever encoding the database has: no unit of UTF-16 takes more than four bytes in any. The digits of its UTF-8
 * are kept of each first byte, those of F0 and above twice: of what lies beyond the first 65,536 characters of Unicode.
 */
function nameSql(name: string, { typeName }: Column): string {
  if (!TEXTS.includes(typeName)) return 'true';
  const digits = `encode(convert_to(${name}, 'UTF8'), 'hex')`;
  const units = `length(regexp_replace(${digits}, '([0-7c-e].)|(f.)|[89ab].', E'\\\\1\\\\2\\\\2', 'g')) / 2`;
  return `case when octet_length(${name}) <= ${NAME_LENGTH_MAX} then true when octet_length(${name}) > ${4 * NAME_LENGTH_MAX} then false
    else ${units} <= ${NAME_LENGTH_MAX} end`;
}

function push(values: unknown[], value: unknown): string {
  values.push(value);
  return `$${values.length}`;
}

function textOf(at: number): string {
  return new Date(at).toISOString().slice(0, -1);
}
