/** The files of a history, in the order of their names, as they lie there now. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { SourceError } from '../../data-plane/ports.ts';
import { type AllowedFolders, allowedPath } from '../source-rows/folders.ts';
import type { LineSourceConfig } from './config.ts';

export interface LineFile {
  /** As ids and addresses name it: below the folder, with slashes; of a single file its own name. */
  readonly name: string;
  /** No links in it. */
  readonly path: string;
  readonly bytes: number;
  /** Tells two versions of a file apart without reading it. */
  readonly version: string;
}

const endings = {
  jsonl: /\.(jsonl|ndjson)(\.(gz|zst))?$/i,
  csv: /\.(csv|tsv)(\.(gz|zst))?$/i,
};

/** Of a folder every file, at any depth, that ends as files of its kind do; what begins with a dot or an underscore is left out. */
export async function filesOf(
  { kind, path }: Pick<LineSourceConfig, 'kind' | 'path'>,
  folders: AllowedFolders,
): Promise<readonly LineFile[]> {
  try {
    const home = await allowedPath(path, folders);
    const found = await stat(home);
    if (found.isFile()) return [await fileAt(path, basename(path), folders)];
    // A pipe or a device would hold its reader for ever.
    if (!found.isDirectory())
      throw new SourceError('source_missing', `${path} is neither a file nor a folder`);
    const names = (await readdir(home, { recursive: true }))
      .map((name) => name.split(sep).join('/'))
      .filter((name) => endings[kind].test(name) && !/(^|\/)[._]/.test(name))
      .sort();
    const files: LineFile[] = [];
    for (const name of names) files.push(await fileAt(join(path, name), name, folders));
    if (files.length === 0) throw new SourceError('source_missing', `${path} holds no ${kind} files`);
    return files;
  } catch (error) {
    throw fileError(path, error);
  }
}

async function fileAt(path: string, name: string, folders: AllowedFolders): Promise<LineFile> {
  const real = await allowedPath(path, folders);
  const found = await stat(real);
  if (!found.isFile()) throw new SourceError('source_missing', `${path} is not a file`);
  return { name, path: real, bytes: found.size, version: versionOf(found) };
}

export function versionOf({ size, mtimeMs, ino }: { size: number; mtimeMs: number; ino: number }): string {
  return `${size}:${mtimeMs}:${ino}`;
}

/** What an operating-system error means for a source. */
export function fileError(path: string, error: unknown): Error {
  if (!(error instanceof Error) || error instanceof SourceError) return error as Error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new SourceError('source_missing', `${path} does not exist`, null, { cause: error });
  if (code === 'EACCES' || code === 'EPERM')
    return new SourceError('source_denied', `${path} may not be read by this worker`, null, { cause: error });
  if (code === undefined) return error;
  return new SourceError('source_unavailable', `${path} cannot be read: ${message}`, null, { cause: error });
}
