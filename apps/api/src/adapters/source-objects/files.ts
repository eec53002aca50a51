/** Files on a disk: one, or all of a kind in a folder, at any depth. */
import { createHash } from 'node:crypto';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { SourceError } from '../../data-plane/ports.ts';
import { type AllowedFolders, allowedPath } from './folders.ts';
import {
  changedMeanwhile,
  isOfKind,
  type ObjectKind,
  type ObjectPlace,
  type OpenObject,
  type StoredObject,
} from './objects.ts';

const PIECE_BYTES = 128 << 10;
const HASHED_AT_ONCE_BYTES = 1 << 20;
/** Files up to this size are fingerprinted whole; above it, by size, modification time and the bytes at their end. */
const WHOLE_FINGERPRINT_BYTES = 64 << 20;
const TAIL_BYTES = 64 << 10;

export class FilePlace implements ObjectPlace {
  /** Files, wherever their file system lies: that is no network of ours. */
  readonly reach = 'local';
  readonly pieceBytes = { first: PIECE_BYTES, most: PIECE_BYTES };
  readonly paysByRead = false;
  readonly lookMs = 1_000;
  readonly shown: string;
  readonly #kind: ObjectKind;
  readonly #folders: AllowedFolders;

  constructor(path: string, kind: ObjectKind, folders: AllowedFolders) {
    this.shown = path;
    this.#kind = kind;
    this.#folders = folders;
  }

  async list(): Promise<readonly StoredObject[]> {
    const path = this.shown;
    try {
      const home = await allowedPath(path, this.#folders);
      const found = await stat(home);
      if (found.isFile()) return [await this.#at(path, basename(path))];
      // A pipe or a device would hold its reader for ever.
      if (!found.isDirectory())
        throw new SourceError('source_missing', `${path} is neither a file nor a folder`);
      const names = (await readdir(home, { recursive: true }))
        .map((name) => name.split(sep).join('/'))
        .filter((name) => isOfKind(name, this.#kind))
        .sort();
      const files: StoredObject[] = [];
      for (const name of names) files.push(await this.#at(join(path, name), name));
      if (files.length === 0) throw new SourceError('source_missing', `${path} holds no ${this.#kind} files`);
      return files;
    } catch (error) {
      throw fileError(path, error);
    }
  }

  async open({ path, version, bytes }: StoredObject): Promise<OpenObject> {
    const handle = await open(path, 'r').catch((error: unknown) => {
      throw fileError(path, error);
    });
    try {
      if (versionOf(await handle.stat()) !== version) throw changedMeanwhile(path);
    } catch (error) {
      await handle.close();
      throw fileError(path, error);
    }
    return {
      read: (from, to) => readExactly(handle, { path, bytes }, from, to),
      close: () => handle.close(),
    };
  }

  /** Of the content: copied elsewhere a file is the same. */
  async fingerprint(object: StoredObject): Promise<string> {
    const { bytes, version } = object;
    const hash = createHash('sha256').update(`${bytes}\n`);
    const whole = bytes <= WHOLE_FINGERPRINT_BYTES;
    if (!whole) hash.update(`${modifiedIn(version)}\n`);
    const handle = await this.open(object);
    try {
      for (let from = whole ? 0 : bytes - TAIL_BYTES; from < bytes; from += HASHED_AT_ONCE_BYTES)
        hash.update(await handle.read(from, Math.min(bytes, from + HASHED_AT_ONCE_BYTES)));
    } finally {
      await handle.close();
    }
    return hash.digest('hex');
  }

  async close(): Promise<void> {}

  async #at(path: string, name: string): Promise<StoredObject> {
    const real = await allowedPath(path, this.#folders);
    const found = await stat(real);
    if (!found.isFile()) throw new SourceError('source_missing', `${path} is not a file`);
    return { name, path: real, bytes: found.size, version: versionOf(found) };
  }
}

async function readExactly(
  handle: FileHandle,
  { path, bytes: size }: Pick<StoredObject, 'path' | 'bytes'>,
  from: number,
  to: number,
): Promise<Buffer> {
  if (from < 0 || to < from || to > size) throw new RangeError(`${path} has no bytes ${from} to ${to}`);
  // Not from the pool: it may be handed to another thread.
  const bytes = Buffer.allocUnsafeSlow(to - from);
  for (let filled = 0; filled < bytes.length; ) {
    const { bytesRead } = await handle
      .read(bytes, filled, bytes.length - filled, from + filled)
      .catch((error: unknown) => {
        throw fileError(path, error);
      });
    if (bytesRead === 0) throw changedMeanwhile(path);
    filled += bytesRead;
  }
  return bytes;
}

function versionOf({ size, mtimeMs, ino }: { size: number; mtimeMs: number; ino: number }): string {
  return `${size}:${mtimeMs}:${ino}`;
}

function modifiedIn(version: string): string | undefined {
  return version.split(':')[1];
}

/** What an operating-system error means for a source. */
function fileError(path: string, error: unknown): Error {
  if (!(error instanceof Error) || error instanceof SourceError) return error as Error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new SourceError('source_missing', `${path} does not exist`, null, { cause: error });
  if (code === 'EACCES' || code === 'EPERM')
    return new SourceError('source_denied', `${path} may not be read by this worker`, null, { cause: error });
  if (code === undefined) return error;
  return new SourceError('source_unavailable', `${path} cannot be read: ${message}`, null, { cause: error });
}
