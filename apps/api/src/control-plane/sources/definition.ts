/** What an admin has said of where a source's history lies: as it is kept, as it is shown, and what a schema cannot say about it. Pure. */
import { isAbsolute, normalize, sep } from 'node:path';
import type { Problem } from '@spillway/shared/api/problem';
import type { CreateSource, SourceHistory } from '@spillway/shared/api/source';
import { parsePostgresTarget } from '../../postgres-target.ts';
import { shownUrl } from '../outbound/shown-url.ts';

/** Made for the adapter of its kind. The url of a database is kept as it was given. */
export function configOf({ id, history, keys }: CreateSource): { connector: string; config: object } {
  const { kind, ...config } = history;
  return { connector: kind, config: { ...config, sources: { [id]: keys ?? null } } };
}

/** Without credentials. Null: it was not made by a request. */
export function shownHistory({
  connector,
  config,
}: {
  readonly connector: string;
  readonly config: unknown;
}): SourceHistory | null {
  const { sources: _, ...definition } = config as { sources?: unknown; path?: string; url?: string };
  if (definition.path === undefined && definition.url === undefined) return null;
  const url = definition.url === undefined ? {} : { url: shownUrl(definition.url) };
  return { kind: connector, ...definition, ...url } as SourceHistory;
}

/** Empty: it can be used, as far as can be said without looking. Pointers point into the body; no url is quoted. */
export function complaintsAbout({ history }: CreateSource, folders: readonly string[]): Problem['errors'] {
  if (history.kind === 'postgres') {
    const target = parsePostgresTarget(history.url);
    return typeof target === 'string' ? [{ pointer: '/history/url', detail: target }] : [];
  }
  const { path } = history;
  if (!isAbsolute(path) || normalize(path) !== path.replace(/(?<=.)\/$/, ''))
    return [{ pointer: '/history/path', detail: 'must be an absolute path without . and ..' }];
  const inside = folders.some(
    (folder) => path === folder || path.startsWith(`${folder.replace(/\/$/, '')}${sep}`),
  );
  return inside
    ? []
    : [
        {
          pointer: '/history/path',
          detail: `is in none of the folders that SPILLWAY_SOURCE_DIRS names (${folders.join(', ')})`,
        },
      ];
}
