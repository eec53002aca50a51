/** The secrets of one installation: what is kept in the data directory, and what lives for one start only. */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const TOKEN_LENGTH_BYTES = 32;

export function newToken(): string {
  return randomBytes(TOKEN_LENGTH_BYTES).toString('base64url');
}

/**
 * The admin API token: the one that is set (it replaces the kept one), else the kept one, else a new one.
 * Kept in `admin-token` with mode 0600. Call with the data directory's lock held.
 */
export function adminTokenOf(dataDir: string, given: string | null): string {
  const path = join(dataDir, 'admin-token');
  const kept = existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
  const token = given ?? (kept === '' ? newToken() : kept);
  if (token !== kept) {
    const unfinished = `${path}.unfinished`;
    writeFileSync(unfinished, `${token}\n`, { mode: 0o600 });
    renameSync(unfinished, path);
  }
  chmodSync(path, 0o600);
  return token;
}
