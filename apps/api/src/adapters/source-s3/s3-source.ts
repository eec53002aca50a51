/**
 * History in an object store that speaks S3: Parquet, JSONL or CSV objects below a prefix, read as files are. Nothing but listing and reading is asked
 * of it, over a few connections, and no more than a few pieces of objects are held.
 */
import { S3History } from '@spillway/shared/api/source';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { type HistorySource, SourceError } from '../../data-plane/ports.ts';
import { openLines } from '../source-jsonl/line-source.ts';
import { openParquet } from '../source-parquet/parquet-source.ts';
import { KeysBySource } from '../source-rows/source-map.ts';
import { addressOf } from './address.ts';
import { S3Place, type S3PlaceOptions } from './s3-place.ts';

const S3SourceConfig = Type.Object(
  { ...S3History.properties, sources: KeysBySource },
  { additionalProperties: false },
);
export type S3SourceConfig = Static<typeof S3SourceConfig>;

const CONNECTIONS_MAX = 4;

/** Errors: `source_schema` for a configuration that is none; nothing of it is quoted, it holds a secret. */
export function openS3Source(
  config: S3SourceConfig,
  options: Partial<Omit<S3PlaceOptions, 'connectionsMax'>> = {},
): HistorySource {
  if (!Value.Check(S3SourceConfig, config)) {
    const [first] = Value.Errors(S3SourceConfig, config);
    throw new SourceError(
      'source_schema',
      `the source's configuration is not valid: ${first?.instancePath || '/'}`,
    );
  }
  const { format, prefix = '', columns, sources, partitions, connectionsMax = CONNECTIONS_MAX } = config;
  const place = new S3Place(addressOf(config), prefix, format, { ...options, connectionsMax });
  if (format !== 'parquet') {
    const { timeFormat, delimiter } = config;
    return openLines(place, { kind: format, columns, timeFormat, delimiter, partitions, sources });
  }
  const { time, key, value } = columns;
  return openParquet(place, {
    columns: { time, key, value },
    sources,
    ...(partitions === undefined ? {} : { partitions }),
  });
}
