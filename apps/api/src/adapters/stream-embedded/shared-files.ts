/**
 * Opening the files of a stream, which two faults of LMDB make harder than it looks.
 *
 * **Opening while another process writes loses a transaction.** `mdb_env_open2` reads the newest transaction's number from
 * the file and then puts it into the shared lock table without holding the write lock. A commit in between is forgotten:
 * the next writer builds on the one before it. (Seen: one acknowledged append in about 50 starts of a second process
 * beside a busy writer.) So nobody may write while anybody opens. What keeps them apart is the *gate*, a second
 * environment that never holds anything: its write lock is a mutex across processes which the kernel frees when its owner is
 * killed, and as nothing is ever committed to it, opening the gate has nothing to forget. Openers hold it while they open,
 * writers while they write. It costs a write some 5 µs.
 *
 * **Opening twice in one process drops the locks of the first.** POSIX file locks belong to the process and go with the first
 * descriptor that is closed. So a process opens a path once and counts its users.
 */
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';

export interface SharedFiles {
  readonly gate: RootDatabase;
  readonly root: RootDatabase;
}

interface Opened extends SharedFiles {
  users: number;
}

const openedByPath = new Map<string, Opened>();

export function openShared(path: string, options: { readonly mapBytes: number; readonly flushed: boolean }): SharedFiles {
  let opened = openedByPath.get(path);
  if (opened === undefined) {
    const gate = open({ path: join(path, 'gate'), noSubdir: false, overlappingSync: false });
    const root = gate.transactionSync(() => open({ path, noSubdir: false, noSync: !options.flushed, overlappingSync: false, mapSize: options.mapBytes, maxDbs: 2 }));
    opened = { gate, root, users: 0 };
    openedByPath.set(path, opened);
  }
  opened.users++;
  return opened;
}

export async function closeShared(path: string): Promise<void> {
  const opened = openedByPath.get(path);
  if (opened === undefined || --opened.users > 0) return;
  openedByPath.delete(path);
  await opened.root.close();
  await opened.gate.close();
}
