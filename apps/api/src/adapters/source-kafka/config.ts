import { KafkaHistory } from '@spillway/shared/api/source';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { SourceError } from '../../data-plane/ports.ts';
import { type KafkaAddress, parseKafkaSource } from '../../kafka-address.ts';
import { KeysBySource } from '../source-rows/source-map.ts';

/** A topic and the sources its records belong to. Plain data: it can be stored and sent to a worker. */
const KafkaSourceConfig = Type.Object(
  {
    ...KafkaHistory.properties,
    sources: KeysBySource,
    /** A topic with more entries is sampled, not scanned. Default 5,000,000. */
    exactEntriesMax: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  { additionalProperties: false },
);
export type KafkaSourceConfig = Static<typeof KafkaSourceConfig>;

/** Errors: `source_schema`; nothing of the url is quoted, as it may hold a password. */
export function checkConfig(config: unknown): {
  readonly config: KafkaSourceConfig;
  readonly address: KafkaAddress;
} {
  if (!Value.Check(KafkaSourceConfig, config)) {
    const [first] = Value.Errors(KafkaSourceConfig, config);
    throw new SourceError(
      'source_schema',
      `the source's configuration is not valid: ${first?.instancePath || '/'}`,
    );
  }
  const address = parseKafkaSource(config.url);
  if (typeof address === 'string') throw new SourceError('source_schema', `the url ${address}`);
  return { config, address };
}
