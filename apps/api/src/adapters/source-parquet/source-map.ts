import { SourceError } from '../../data-plane/ports.ts';
import type { ParquetSourceConfig } from './config.ts';

/** Source ids in the order of the config, and the position of each key's source in it. */
export interface SourceMap {
  readonly ids: readonly string[];
  readonly indexByKey: ReadonlyMap<string, number>;
}

export function sourceMap(config: Pick<ParquetSourceConfig, 'sources'>): SourceMap {
  const ids = Object.keys(config.sources);
  const indexByKey = new Map<string, number>();
  ids.forEach((id, index) => {
    for (const key of config.sources[id] ?? []) {
      const other = indexByKey.get(key);
      if (other !== undefined && other !== index)
        throw new SourceError(
          'source_schema',
          `key ${JSON.stringify(key)} feeds both ${ids[other]} and ${id}`,
        );
      indexByKey.set(key, index);
    }
  });
  return { ids, indexByKey };
}
