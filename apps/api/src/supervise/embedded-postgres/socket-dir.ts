/** Where an embedded database listens. */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The name PostgreSQL's clients look for in a socket directory. */
export const SOCKET_NAME = '.s.PGSQL.5432';
/** sun_path holds 104 bytes on macOS and 108 on Linux. */
const SOCKET_PATH_MAX_BYTES = 100;

/**
 * The directory (mode 0700) of the socket of `databaseDir`: that directory itself, or, where its path is too long for
 * a socket, one under the system's temporary directory. The name follows from the data directory, so a restarted
 * database has the same URL; that a stranger might have made it first is checked, not assumed away.
 */
export function socketDirectoryOf(databaseDir: string): string {
  mkdirSync(databaseDir, { recursive: true, mode: 0o700 });
  const real = realpathSync(databaseDir);
  if (Buffer.byteLength(join(real, SOCKET_NAME)) <= SOCKET_PATH_MAX_BYTES) return real;
  const short = join(tmpdir(), `spillway-${createHash('sha256').update(real).digest('hex').slice(0, 16)}`);
  mkdirSync(short, { recursive: true, mode: 0o700 });
  const found = lstatSync(short);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o077) !== 0) {
    throw new Error(`${short} is not a private directory of this user; remove it`);
  }
  return short;
}

export function connectionUrl(socketDirectory: string): string {
  return `postgres://postgres@localhost/postgres?host=${encodeURIComponent(socketDirectory)}`;
}
