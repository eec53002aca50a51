import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { SourceError } from '../../data-plane/ports.ts';
import { KeysBySource } from '../source-rows/source-map.ts';

const strict = { additionalProperties: false };

const formatFields = {
  columns: Type.Object(
    {
      /** Event time: TIMESTAMP or DATE, read as UTC, floored to milliseconds. */
      time: Type.String({ minLength: 1 }),
      /** Aggregation key: a string column. */
      key: Type.String({ minLength: 1 }),
      /** The measure: integers, or floats that happen to be integers; everything else is quarantined. */
      value: Type.String({ minLength: 1 }),
    },
    strict,
  ),
  sources: KeysBySource,
  /** See packages/shared, sources/partitions.ts. */
  partitions: Type.Optional(Type.String()),
  /** Events of a history with more rows are estimated from its statistics and a sample, not counted by a scan. Default 50,000,000: two minutes of it. */
  exactRowsMax: Type.Optional(Type.Integer({ minimum: 0 })),
  /** Decoded row groups kept in memory (14 bytes a row). */
  cachedRowGroups: Type.Optional(Type.Integer({ minimum: 1, maximum: 64 })),
};

/** How Parquet is read, wherever it lies. */
const ParquetFormat = Type.Object(formatFields, strict);
export type ParquetFormat = Static<typeof ParquetFormat>;

/** Parquet files, one or a folder of them, and the sources their rows belong to. Plain data: it can be stored, sent to a worker and shown. */
const ParquetSourceConfig = Type.Object({ file: Type.String({ minLength: 1 }), ...formatFields }, strict);
export type ParquetSourceConfig = Static<typeof ParquetSourceConfig>;

export function checkConfig(config: unknown): ParquetSourceConfig {
  if (Value.Check(ParquetSourceConfig, config)) return config;
  const [first] = Value.Errors(ParquetSourceConfig, config);
  throw new SourceError(
    'source_schema',
    `the source's configuration is not valid: ${first?.instancePath || '/'} ${first?.message ?? ''}`.trim(),
  );
}
