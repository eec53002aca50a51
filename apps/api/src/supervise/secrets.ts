/** The secrets of one installation: what is kept in the data directory, and what lives for one start only. */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDataDir } from './data-dir-lock.ts';

const TOKEN_LENGTH_BYTES = 32;

export function newToken(): string {
  return randomBytes(TOKEN_LENGTH_BYTES).toString('base64url');
}

/**
 * The admin API token: the one that is set (it replaces the kept one), else the kept one, else a new one.
 * Kept in `admin-token` with mode 0600, in a directory that is made where there is none. Call with the data directory's lock held.
 */
export function adminTokenOf(dataDir: string, given: string | null): string {
  makeDataDir(dataDir);
  const path = join(dataDir, 'admin-token');
  const kept = read(path);
  const token = given ?? kept ?? newToken();
  if (token !== kept) {
    // The oldest whose seals have not been renewed: nothing has been sealed since.
    if (kept !== null && replacedAdminToken(dataDir) === null) write(replacedPath(dataDir), kept);
    write(path, token);
  }
  chmodSync(path, 0o600);
  return token;
}

/** The admin token before the present one, kept until what was sealed with it has been sealed anew; null: nothing has to be. */
export function replacedAdminToken(dataDir: string): string | null {
  return read(replacedPath(dataDir));
}

export function forgetReplacedAdminToken(dataDir: string): void {
  rmSync(replacedPath(dataDir), { force: true });
}

const replacedPath = (dataDir: string) => join(dataDir, 'admin-token.replaced');

function read(path: string): string | null {
  const text = existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
  return text === '' ? null : text;
}

function write(path: string, token: string): void {
  const unfinished = `${path}.unfinished`;
  writeFileSync(unfinished, `${token}\n`, { mode: 0o600 });
  renameSync(unfinished, path);
}
