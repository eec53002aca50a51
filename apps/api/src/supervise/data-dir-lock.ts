/**
 * One process per data directory (invariant 17).
 *
 * Two PGlites on one directory corrupt it without a word, so the lock must hold against every interleaving and must
 * not outlive its holder. A pid file does neither: between "the pid is dead" and "I write mine" a second starter does
 * the same, and pids are reused. The operating system's own file lock does both: the kernel grants it to one process
 * and drops it when that process ends, however it ends. Node has no call for it, but SQLite, which ships with Node,
 * takes exactly that lock (fcntl on POSIX, LockFileEx on Windows) in `BEGIN EXCLUSIVE`. Nothing is ever written
 * through SQLite, so there is no journal to recover either.
 *
 * The `owner` file beside the lock is for people: whoever holds the lock writes its pid there. It is read only to name
 * the holder in a refusal, never to decide.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';

/** About a second of them. */
const OWNER_LOOKS = 20;
const RETRY_EVERY_MS = 50;
const SQLITE_BUSY = 5;

export interface DataDirLock {
  release(): void;
}

export class DataDirInUseError extends Error {
  readonly code = 'data_dir_in_use';
  readonly dataDir: string;
  readonly ownerPid: number | null;

  constructor(dataDir: string, ownerPid: number | null) {
    super(
      `The data directory ${dataDir} is in use by ${ownerPid === null ? 'another process' : `process ${ownerPid}`}. ` +
        'Stop it first, or choose another directory with SPILLWAY_DATA_DIR.',
    );
    this.dataDir = dataDir;
    this.ownerPid = ownerPid;
  }
}

/**
 * Takes the lock of `dataDir`, which is made (mode 0700) when missing.
 *
 * `waitMs` is for a successor whose predecessor is known to be leaving: after `kill -9` of the supervisor its embedded
 * databases go by themselves, but a statement they are running ends first.
 *
 * @throws DataDirInUseError naming the holder
 */
export async function lockDataDir(dataDir: string, waitMs = 0): Promise<DataDirLock> {
  makeDataDir(dataDir);
  const giveUpAt = performance.now() + waitMs;
  for (;;) {
    const lock = tryLock(dataDir);
    if (lock !== null) return lock;
    if (performance.now() >= giveUpAt) throw new DataDirInUseError(dataDir, await ownerPidOf(dataDir));
    await delay(RETRY_EVERY_MS);
  }
}

function tryLock(dataDir: string): DataDirLock | null {
  const database = new DatabaseSync(join(dataDir, 'lock'), { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = MEMORY');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return null;
    throw new Error(`The lock of ${dataDir} cannot be taken: its file system must support file locks`, {
      cause: error,
    });
  }
  writeOwnerPid(dataDir);
  return { release: () => database.close() };
}

/** Renamed into place, so that a refused starter never reads half a number. */
function writeOwnerPid(dataDir: string): void {
  const unfinished = join(dataDir, `owner.${process.pid}`);
  writeFileSync(unfinished, `${process.pid}\n`, { mode: 0o600 });
  renameSync(unfinished, join(dataDir, 'owner'));
}

/** Between taking the lock and writing its name the holder is nobody, or the one before it: a moment's patience names it. */
async function ownerPidOf(dataDir: string): Promise<number | null> {
  for (let look = 0; look < OWNER_LOOKS; look++) {
    const pid = readOwnerPid(dataDir);
    if (pid !== null && isRunning(pid)) return pid;
    await delay(RETRY_EVERY_MS);
  }
  return readOwnerPid(dataDir);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function readOwnerPid(dataDir: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(join(dataDir, 'owner'), 'utf8'), 10);
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

/** It holds secrets: nobody else may look into it. One that is there is left as it is. */
export function makeDataDir(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
}
