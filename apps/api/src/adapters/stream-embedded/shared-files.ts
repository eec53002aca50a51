/**
 * Opening and closing the files of a stream, which three faults of LMDB make harder than it looks.
 *
 * **Opening while another process writes loses a transaction.** `mdb_env_open2` reads the newest transaction's number from
 * the file and then puts it into the shared lock table, without holding the write lock. A commit in between is forgotten:
 * the next writer builds on the one before it. (Seen: three acknowledged appends lost in 150 rounds of two processes
 * starting.) **Opening while the last user closes finds a destroyed lock.** So nobody may write, open or close while anybody
 * opens. What keeps them apart is the *gate*, a second environment that never holds anything: its write lock is a mutex across
 * processes which the kernel frees when its owner is killed, and as nothing is ever committed to it, opening the gate has
 * nothing to forget. It costs a write some 5 µs. A gate stays open until its process ends, so that nobody destroys its lock.
 *
 * **Opening twice in one process drops the locks of the first.** POSIX file locks belong to the process and go with the first
 * descriptor that is closed. So a process opens a path once and counts its users.
 *
 * Do not delete a stream's folder and make it anew under the same name while a process that has used it lives on.
 */
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';

export interface SharedFiles {
  readonly gate: RootDatabase;
  readonly root: RootDatabase;
}

const gatesByPath = new Map<string, RootDatabase>();
const openedByPath = new Map<string, { readonly root: RootDatabase; users: number }>();

export function openShared(
  path: string,
  options: { readonly mapBytes: number; readonly flushed: boolean },
): SharedFiles {
  const gate =
    gatesByPath.get(path) ?? open({ path: join(path, 'gate'), noSubdir: false, overlappingSync: false });
  gatesByPath.set(path, gate);
  const opened = openedByPath.get(path) ?? {
    root: gate.transactionSync(() =>
      open({
        path,
        noSubdir: false,
        noSync: !options.flushed,
        overlappingSync: false,
        mapSize: options.mapBytes,
        maxDbs: 2,
      }),
    ),
    users: 0,
  };
  openedByPath.set(path, opened);
  opened.users++;
  return { gate, root: opened.root };
}

export async function closeShared(path: string): Promise<void> {
  const opened = openedByPath.get(path);
  if (opened === undefined || --opened.users > 0) return;
  openedByPath.delete(path);
  let closed: Promise<void> | undefined;
  gatesByPath.get(path)?.transactionSync(() => {
    // Done when it returns, there being no asynchronous write; the promise must not leave the transaction open.
    closed = opened.root.close();
  });
  await closed;
}
