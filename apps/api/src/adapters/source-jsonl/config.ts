import { CsvHistory, JsonlHistory } from '@spillway/shared/api/source';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { SourceError } from '../../data-plane/ports.ts';
import { KeysBySource } from '../source-rows/source-map.ts';

const strict = { additionalProperties: false };

/** Files of lines and the sources their rows belong to. Plain data: it can be stored, sent to a worker and shown. */
const LineSourceConfig = Type.Union([
  Type.Object({ ...JsonlHistory.properties, sources: KeysBySource }, strict),
  Type.Object({ ...CsvHistory.properties, sources: KeysBySource }, strict),
]);
export type LineSourceConfig = Static<typeof LineSourceConfig>;

/** How lines are read, wherever they lie. */
export interface LineFormat {
  readonly kind: 'jsonl' | 'csv';
  readonly columns: LineSourceConfig['columns'];
  readonly timeFormat?: LineSourceConfig['timeFormat'];
  readonly delimiter?: string | undefined;
  readonly partitions?: string | undefined;
  readonly sources: KeysBySource;
}

export function checkConfig(config: unknown): LineSourceConfig {
  if (Value.Check(LineSourceConfig, config)) return config;
  const [first] = Value.Errors(LineSourceConfig, config);
  throw new SourceError(
    'source_schema',
    `the source's configuration is not valid: ${first?.instancePath || '/'} ${first?.message ?? ''}`.trim(),
  );
}
