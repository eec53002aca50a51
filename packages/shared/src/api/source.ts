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

const partitions = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 500,
    description:
      'what the names of files below the folder, or of objects below the prefix, say of the times in them: year={YYYY}/month={MM}/day={DD}',
  }),
);
const timeFormat = Type.Optional(Type.Enum([...timeFormats]));
/** Default: a comma. */
const delimiter = Type.Optional(Type.Enum([',', ';', '\t', '|']));

const rowFields = { path: Path, columns: rowColumns, timeFormat, partitions };

/** A Parquet file, or a folder of them. */
export const ParquetHistory = Type.Object(
  { kind: Type.Literal('parquet'), path: Path, columns: Type.Object(columns, strict), partitions },
  strict,
);
/** A file, or a folder of files, with a JSON object a line; plain, gzip or zstd. */
export const JsonlHistory = Type.Object({ kind: Type.Literal('jsonl'), ...rowFields }, strict);
export type JsonlHistory = Static<typeof JsonlHistory>;
/** A file, or a folder of files, each with a header; plain, gzip or zstd. */
export const CsvHistory = Type.Object({ kind: Type.Literal('csv'), ...rowFields, delimiter }, strict);
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

/** What the objects of a bucket are. */
const objectFormats = ['parquet', 'jsonl', 'csv'] as const;

/** Objects below a prefix of an object store that speaks S3. */
export const S3History = Type.Object(
  {
    kind: Type.Literal('s3'),
    bucket: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{1,253}[a-z0-9]$' }),
    /** What the keys begin with; a folder ends with a slash. An object itself, when it is its whole key. Default: all of the bucket. */
    prefix: Type.Optional(Type.String({ maxLength: 1024 })),
    /** Default: us-east-1. */
    region: Type.Optional(Type.String({ pattern: '^[a-z0-9-]{1,64}$' })),
    endpoint: Type.Optional(
      Type.String({
        pattern: '^https?://[^/?#@]+/?$',
        maxLength: 500,
        description: 'scheme, host and port of the object store; without it that of AWS in the region',
      }),
    ),
    /** The bucket in the path, not in the name of the host. Default: where an endpoint is named. */
    pathStyle: Type.Optional(Type.Boolean()),
    /** Without them requests are not signed, as public buckets let them be. Kept as given, never answered. */
    credentials: Type.Optional(
      Type.Object(
        {
          accessKeyId: Type.String({ minLength: 1, maxLength: 200 }),
          secretAccessKey: Type.String({ minLength: 1, maxLength: 200 }),
          sessionToken: Type.Optional(Type.String({ minLength: 1, maxLength: 4096 })),
        },
        strict,
      ),
    ),
    format: Type.Enum([...objectFormats]),
    columns: rowColumns,
    timeFormat,
    delimiter,
    partitions,
    /** Connections that one worker may hold. Default 4. */
    connectionsMax: Type.Optional(Type.Integer({ minimum: 1, maximum: 32 })),
  },
  strict,
);
export type S3History = Static<typeof S3History>;

/** A topic of Kafka, whose values are JSON objects. */
export const KafkaHistory = Type.Object(
  {
    kind: Type.Literal('kafka'),
    url: Type.String({
      pattern: '^kafkas?://',
      maxLength: 2048,
      description:
        'kafka://user:password@host:port,host:port?mechanism=scram-sha-512, or kafkas:// over TLS; kept as given, never answered with its credentials',
    }),
    topic: Type.String({ pattern: '^[A-Za-z0-9._-]{1,249}$' }),
    columns: Type.Object(
      {
        ...columns,
        /** Default: the timestamp of the record. */
        time: Type.Optional(Name),
        /** Event id, unique within the source; without one it is `<topic>#<partition>@<offset>`. */
        id: Type.Optional(Name),
      },
      strict,
    ),
    timeFormat,
    /**
     * No record of a partition is older than the newest before it by more than this, ms, nor is its event further from its timestamp. A topic that
     * is too large to be scanned is then read from the offsets of a time; without it, from its beginning to its end.
     */
    maxLatenessMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 31_622_400_000 })),
  },
  strict,
);
export type KafkaHistory = Static<typeof KafkaHistory>;

export const SourceHistory = Type.Union([
  ParquetHistory,
  JsonlHistory,
  CsvHistory,
  PostgresHistory,
  S3History,
  KafkaHistory,
]);
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

/** What is left out stays. A history is given whole, credentials included. */
export const PatchSource = Type.Object(
  {
    title: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    history: Type.Optional(SourceHistory),
  },
  { ...strict, minProperties: 1 },
);
export type PatchSource = Static<typeof PatchSource>;
