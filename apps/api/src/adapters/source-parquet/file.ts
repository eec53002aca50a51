/**
 * The bytes of one version of a file, read inside the decode thread. Every read is exact: fewer bytes than asked for
 * means the file is shorter than its own footer says, and is reported with the byte where it ends.
 */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { SourceError } from '../../data-plane/ports.ts';

const pieceBytes = 1 << 20;
/** Files up to this size are fingerprinted whole; above it, by size, modification time and footer. */
const wholeFingerprintBytes = 64 << 20;

/** Tells two versions of a file apart without reading it. */
export function versionOf(stat: { size: number; mtimeMs: number; ino: number }): string {
  return `${stat.size}:${stat.mtimeMs}:${stat.ino}`;
}

/** What an operating-system error means for a source. */
export function fileError(path: string, error: unknown): SourceError {
  if (error instanceof SourceError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new SourceError('source_missing', `${path} does not exist`, null, { cause: error });
  if (code === 'EISDIR')
    return new SourceError('source_missing', `${path} is a directory, not a file`, null, { cause: error });
  return new SourceError('source_unavailable', `${path} cannot be read: ${(error as Error).message}`, null, {
    cause: error,
  });
}

export class FileBytes {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
  readonly version: string;
  readonly #descriptor: number;

  constructor(path: string) {
    this.path = path;
    try {
      this.#descriptor = openSync(path, 'r');
    } catch (error) {
      throw fileError(path, error);
    }
    const stat = fstatSync(this.#descriptor);
    this.size = stat.size;
    this.mtimeMs = stat.mtimeMs;
    this.version = versionOf(stat);
    if (!stat.isFile()) {
      this.close();
      throw new SourceError('source_missing', `${path} is not a file`);
    }
  }

  read(from: number, to: number): ArrayBuffer {
    if (from < 0 || to < from || to > this.size) {
      throw new SourceError(
        'source_corrupt',
        `${this.path} refers to bytes ${from} to ${to} but ends at byte ${this.size}`,
        `byte ${this.size}`,
      );
    }
    const bytes = new Uint8Array(to - from);
    let filled = 0;
    while (filled < bytes.length) {
      let count: number;
      try {
        count = readSync(this.#descriptor, bytes, filled, bytes.length - filled, from + filled);
      } catch (error) {
        throw fileError(this.path, error);
      }
      if (count === 0)
        throw new SourceError(
          'source_corrupt',
          `${this.path} ends at byte ${from + filled}`,
          `byte ${from + filled}`,
        );
      filled += count;
    }
    return bytes.buffer;
  }

  fingerprint(footerBytes: number): string {
    const hash = createHash('sha256').update(`${this.size}\n`);
    let from = 0;
    if (this.size > wholeFingerprintBytes) {
      hash.update(`${this.mtimeMs}\n`);
      from = this.size - footerBytes;
    }
    for (; from < this.size; from += pieceBytes)
      hash.update(new Uint8Array(this.read(from, Math.min(this.size, from + pieceBytes))));
    return hash.digest('hex').slice(0, 32);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
