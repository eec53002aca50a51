/** The history adapter that a source's connector names. For the entry points alone: only they choose. */
import { openLineSource } from './adapters/source-jsonl/line-source.ts';
import { openKafkaSource } from './adapters/source-kafka/kafka-source.ts';
import { openParquetSource } from './adapters/source-parquet/parquet-source.ts';
import { openPostgresSource } from './adapters/source-postgres/postgres-source.ts';
import { openS3Source } from './adapters/source-s3/s3-source.ts';
import type { Settings } from './config.ts';
import { repeatHistory } from './data-plane/history/laps.ts';
import { type ConfiguredSource, type LentHistories, lendHistories } from './data-plane/history/lending.ts';
import { type HistorySource, SourceError } from './data-plane/ports.ts';

/** Sources with the same configuration share one history, which is closed when no source has it and nobody uses it. */
export function historyCatalogue({ sourceDirs }: Pick<Settings, 'sourceDirs'>): LentHistories {
  return lendHistories((source) => openHistory(source, sourceDirs));
}

/** The configuration is what the control database holds: the adapter checks it. */
function openHistory({ connector, config }: ConfiguredSource, folders: readonly string[]): HistorySource {
  switch (connector) {
    case 'parquet':
      return openParquet(config as ParquetConfig, folders);
    case 'jsonl':
    case 'csv':
      return openLineSource(withKind<typeof openLineSource>(connector, config), { folders });
    case 'postgres':
      return openPostgresSource(withKind<typeof openPostgresSource>(connector, config));
    case 'kafka':
      return openKafkaSource(withKind<typeof openKafkaSource>(connector, config));
    case 's3':
      return openS3Source(withKind<typeof openS3Source>(connector, config));
    default:
      throw new SourceError('source_schema', `there is no connector ${connector}`);
  }
}

type ParquetConfig = Parameters<typeof openParquetSource>[0] & {
  readonly path?: string;
  readonly repeat?: Parameters<typeof repeatHistory>[1] | null;
};

/** The demo's file is part of the installation; what a request has named as its `path` lies in one of the folders. */
function openParquet(
  { repeat = null, path, ...own }: ParquetConfig,
  folders: readonly string[],
): HistorySource {
  const history =
    path === undefined ? openParquetSource(own) : openParquetSource({ ...own, file: path }, { folders });
  return repeat === null ? history : repeatHistory(history, repeat);
}

function withKind<T extends (config: never, ...rest: never[]) => unknown>(
  kind: string,
  config: unknown,
): Parameters<T>[0] {
  return { ...(config as object), kind } as Parameters<T>[0];
}
