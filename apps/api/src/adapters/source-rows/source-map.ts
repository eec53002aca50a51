/** Whose the rows of a history are. */
import { Type } from 'typebox';
import { SourceError } from '../../data-plane/ports.ts';

/** Source id -> the keys that feed it; null: every key that feeds no other. A key belongs to one source at most; rows with other keys are no events. */
export const KeysBySource = Type.Record(
  Type.String({ minLength: 1 }),
  Type.Union([Type.Array(Type.String()), Type.Null()]),
);
export type KeysBySource = Readonly<Record<string, readonly string[] | null>>;

export interface SourceMap {
  /** In the order of the configuration. */
  readonly ids: readonly string[];
  /** Position in `ids` of the source that a key feeds; -1: none. */
  sourceOf(key: string): number;
}

/** Errors: `source_schema` for a key, or all the other keys, that would feed two. */
export function sourceMap(sources: KeysBySource): SourceMap {
  const ids = Object.keys(sources);
  const named = new Map<string, number>();
  let others = -1;
  ids.forEach((id, index) => {
    const keys = sources[id] ?? null;
    if (keys === null) {
      if (others >= 0)
        throw new SourceError('source_schema', `every other key feeds both ${ids[others]} and ${id}`);
      others = index;
      return;
    }
    for (const key of keys) {
      const other = named.get(key);
      if (other !== undefined && other !== index)
        throw new SourceError(
          'source_schema',
          `key ${JSON.stringify(key)} feeds both ${ids[other]} and ${id}`,
        );
      named.set(key, index);
    }
  });
  return { ids, sourceOf: (key) => named.get(key) ?? others };
}
