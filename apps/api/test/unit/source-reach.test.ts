import { expect, test } from 'vitest';
import { openPostgresSource } from '../../src/adapters/source-postgres/postgres-source.ts';
import { addressOf as bucketAddress } from '../../src/adapters/source-s3/address.ts';
import { isOverNetwork } from '../../src/control-plane/sources/reach.ts';
import { addressOf as brokerAddress } from '../../src/kafka-address.ts';

type Config = { url?: string; endpoint?: string };

test.each<[string, Config, boolean]>([
  ['parquet', {}, false],
  ['postgres', { url: 'postgres://u:p@db.example.com/d' }, true],
  ['postgres', { url: 'postgres://u:p@localhost:5433/d' }, false],
  ['postgres', { url: 'postgres:///d?host=/run/postgresql' }, false],
  ['postgres', { url: 'postgres://127.0.0.1/d?host=10.0.0.7' }, true],
  ['s3', {}, true],
  ['s3', { endpoint: 'http://127.0.0.1:9000' }, false],
  ['s3', { endpoint: 'http://[::1]:9000/' }, false],
  ['s3', { endpoint: 'https://minio.example.com' }, true],
  ['kafka', { url: 'kafka://localhost:9092' }, false],
  ['kafka', { url: 'kafka://u:p%40@[::1]:9092,127.0.0.1:9093/?mechanism=PLAIN' }, false],
  ['kafka', { url: 'kafka://localhost:9092,broker.example.com:9092' }, true],
  // What cannot be read is taken to be far.
  ['postgres', { url: 'nonsense' }, true],
])('whether %s %j is read over a network, as its reader has it', (connector, config, isFar) => {
  expect(isOverNetwork({ connector, config })).toBe(isFar);
  const reader = readers[connector]?.(config);
  if (reader !== undefined) expect(reader).toBe(isFar ? 'network' : 'local');
});

const readers: Readonly<Record<string, (config: Config) => string | undefined>> = {
  s3: (config) => bucketAddress({ bucket: 'flights', ...config }).reach,
  kafka: ({ url = '' }) => brokerAddress(url).reach,
  postgres: ({ url = '' }) =>
    url.startsWith('postgres')
      ? openPostgresSource({
          kind: 'postgres',
          url,
          table: 'flights',
          columns: { time: 't', key: 'k', value: 'v', id: 'i' },
          sources: { east: null },
        }).reach
      : undefined,
};
