import { PostgresHistory } from '@spillway/shared/api/source';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { SourceError } from '../../data-plane/ports.ts';
import { type PostgresTarget, parsePostgresTarget } from '../../postgres-target.ts';
import { KeysBySource } from '../source-rows/source-map.ts';

/** One table and the sources its rows belong to. */
const PostgresSourceConfig = Type.Object(
  {
    ...PostgresHistory.properties,
    sources: KeysBySource,
    /** Rows of a table, as its statistics have them, beyond which it is sampled and not scanned. Default 50,000,000. */
    exactRowsMax: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  { additionalProperties: false },
);
export type PostgresSourceConfig = Static<typeof PostgresSourceConfig>;

/** Errors: `source_schema`, without the url. */
export function checkConfig(config: unknown): {
  readonly config: PostgresSourceConfig;
  readonly target: PostgresTarget;
} {
  if (!Value.Check(PostgresSourceConfig, config)) {
    const [first] = Value.Errors(PostgresSourceConfig, config);
    throw new SourceError(
      'source_schema',
      `the source's configuration is not valid: ${first?.instancePath || '/'} ${first?.message ?? ''}`.trim(),
    );
  }
  const target = parsePostgresTarget(config.url);
  if (typeof target === 'string') throw new SourceError('source_schema', `the source's url ${target}`);
  return { config, target };
}
