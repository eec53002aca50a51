/** What embedded streams are told by: a file beside their folder, so that it outlives streams that are removed, and moves with the data directory. */
import { randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Identity } from '@spillway/shared/api/worker-protocol';

const FILE = 'streams-id';
/** Of a file system that has no links. */
const NO_LINKS: readonly unknown[] = ['EPERM', 'ENOTSUP', 'ENOSYS'];

/** Errors: those of the file system. */
export function embeddedIdentity(dataDir: string): Identity {
  const path = join(dataDir, FILE);
  return {
    id: read(path) ?? made(path, dataDir),
    name: `embedded in ${resolve(dataDir)} of ${hostname()}`,
  };
}

/** Of several that make it at once the first one's is everybody's: a link is there whole or not at all, and never replaces another. */
function made(path: string, dataDir: string): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const own = `${path}.${randomUUID()}`;
  try {
    writeFileSync(own, `${randomUUID()}\n`, { flush: true });
    putThere(own, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(own, { force: true });
  }
  return readFileSync(path, 'utf8').trim();
}

function putThere(own: string, path: string): void {
  try {
    linkSync(own, path);
  } catch (error) {
    if (!NO_LINKS.includes(codeOf(error))) throw error;
    // Whole or not at all here, too; whom another one was a moment ahead of reads that one's when it comes back.
    if (!existsSync(path)) renameSync(own, path);
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return (error as NodeJS.ErrnoException).code;
}
