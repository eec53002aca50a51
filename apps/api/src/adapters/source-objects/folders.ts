/** Where files of history may lie: what an admin names through the api is read only inside the folders that whoever installed Spillway has named. */
import { realpath } from 'node:fs/promises';
import { isAbsolute, sep } from 'node:path';
import { SourceError } from '../../data-plane/ports.ts';

/** Null: anywhere. */
export type AllowedFolders = readonly string[] | null;

/**
 * The path with every link followed. Errors: `source_denied` outside the folders, also by a link that leads there; whatever the file system
 * says of a path inside them.
 */
export async function allowedPath(path: string, folders: AllowedFolders): Promise<string> {
  if (folders === null) return realpath(path);
  const refused = () =>
    new SourceError('source_denied', `${path} is in none of the folders that SPILLWAY_SOURCE_DIRS names`);
  // Before the file system is asked: whether there is something elsewhere is nobody's business.
  if (
    !isAbsolute(path) ||
    path.split(sep).includes('..') ||
    !folders.some((folder) => isInside(path, folder))
  )
    throw refused();
  const real = await realpath(path);
  for (const folder of folders) {
    const home = await realpath(folder).catch(() => null);
    if (home !== null && isInside(real, home)) return real;
  }
  throw refused();
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}
