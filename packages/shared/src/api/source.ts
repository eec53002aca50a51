/** Where the history of a source lies, by `kind`, and which of its columns make an event. */
import { type Static, Type } from 'typebox';
import { Id, strict } from './primitives.ts';

const Name = Type.String({ minLength: 1, maxLength: 200 });
const Path = Type.String({
  minLength: 1,
  maxLength: 4096,
  description: 'absolute, inside one of the folders that SPILLWAY_SOURCE_DIRS names',
});

const columns = {
  /** Event time, read as UTC where it names no offset, floored to milliseconds. */
  time: Name,
  /** Aggregation key. */
  key: Name,
  /** The measure: safe integers; a row with another one is quarantined. */
  value: Name,
};

/** How a number is a time: since 1970, in this unit. `text`: RFC 3339, a date, or a date and a time. */
export const timeFormats = ['text', 'seconds', 'milliseconds', 'microseconds', 'nanoseconds'] as const;
export type TimeFormat = (typeof timeFormats)[number];

/** Of files of rows. */
export const rowColumns = Type.Object(
  {
    ...columns,
    /** Event id, unique within the source; without one it is `<file>#<line>`. */
    id: Type.Optional(Name),
  },
  strict,
);

const rowFields = {
  path: Path,
  columns: rowColumns,
  timeFormat: Type.Optional(Type.Enum([...timeFormats])),
};

/** One Parquet file. */
export const ParquetHistory = Type.Object(
  { kind: Type.Literal('parquet'), path: Path, columns: Type.Object(columns, strict) },
  strict,
);
/** A file, or a folder of files, with a JSON object a line; plain, gzip or zstd. */
export const JsonlHistory = Type.Object({ kind: Type.Literal('jsonl'), ...rowFields }, strict);
export type JsonlHistory = Static<typeof JsonlHistory>;
/** A file, or a folder of files, each with a header; plain, gzip or zstd. */
export const CsvHistory = Type.Object(
  {
    kind: Type.Literal('csv'),
    ...rowFields,
    /** Default: a comma. */
    delimiter: Type.Optional(Type.Enum([',', ';', '\t', '|'])),
  },
  strict,
);
export type CsvHistory = Static<typeof CsvHistory>;
/** A table or view of a PostgreSQL database: best a replica. */
export const PostgresHistory = Type.Object(
  {
    kind: Type.Literal('postgres'),
    url: Type.String({
      pattern: '^postgres(ql)?://',
      maxLength: 2048,
      description:
        'postgres://user:password@host:port/database?sslmode=…; kept as given, never answered with its credentials',
    }),
    /** Default: public. */
    schema: Type.Optional(Name),
    table: Name,
    columns: Type.Object(
      {
        ...columns,
        /** Event id, unique in the table, or together with the time. */
        id: Name,
      },
      strict,
    ),
    /** Of every statement of a reading, ms. Default 30,000. */
    statementTimeoutMs: Type.Optional(Type.Integer({ minimum: 1_000, maximum: 3_600_000 })),
    /** Connections that one worker may hold. Default 4. */
    connectionsMax: Type.Optional(Type.Integer({ minimum: 1, maximum: 32 })),
  },
  strict,
);
export type PostgresHistory = Static<typeof PostgresHistory>;

export const SourceHistory = Type.Union([ParquetHistory, JsonlHistory, CsvHistory, PostgresHistory]);
export type SourceHistory = Static<typeof SourceHistory>;

export const CreateSource = Type.Object(
  {
    id: Id,
    title: Type.String({ minLength: 1, maxLength: 200 }),
    pipelineId: Id,
    history: SourceHistory,
    /** The keys that feed this source; without them every key does. */
    keys: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 400 }), { minItems: 1, maxItems: 10_000 }),
    ),
  },
  strict,
);
export type CreateSource = Static<typeof CreateSource>;
