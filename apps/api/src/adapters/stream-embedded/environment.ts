/**
 * One LMDB environment per stream: two tables and one write lock, shared by every process that opens the stream.
 *
 * `entries` holds one record per entry under its sequence number. `meta` holds the head (first and next sequence, bytes held),
 * the producer's state, and what each group has acknowledged. Whatever belongs together changes in one transaction.
 *
 * **What survives.** A commit writes its pages and then, in one write, the page that points to them: a reader or a
 * successor sees all of a transaction or nothing.
 * - `survives: 'crash'` (default): commits go to the operating system and are not flushed. A process killed at any
 *   point loses nothing acknowledged. A power cut or kernel crash may lose the last seconds *and*, since the kernel
 *   writes pages in any order, may leave the file unreadable: the same promise as the embedded store makes, which does not
 *   flush either.
 * - `survives: 'power-loss'`: every commit is flushed before it is acknowledged, at one or two disk flushes an append and with
 *   the event loop waiting for them (0.6 ms here on a server's disk, 5 ms and more on a laptop's).
 *
 * lmdb's own default, `overlappingSync`, is turned off on purpose. It flushes after the lock is released, but a synchronous
 * transaction waits for the flush all the same; it opens the environment on its previous snapshot, exclusively until the
 * first write; and each process reuses only pages it has seen flushed itself. Fine for one process, a risk for several.
 *
 * **Pages stay free.** A read transaction keeps every page of its snapshot from being reused, and lmdb holds one until
 * the end of the event-loop turn. {@link Environment.fresh} ends it with the read. A process killed inside a read leaves its
 * slot behind, which {@link Environment.forgetDeadReaders} clears.
 */
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { asBinary, type Database, type RootDatabase } from 'lmdb';
import { StreamError } from '../../data-plane/ports.ts';
import type { EntryRecord } from '../stream-entry-record.ts';
import { closeShared, openShared } from './shared-files.ts';

export interface Head {
  /** Of the oldest entry held; equal to `next` when none is. */
  readonly first: number;
  /** Of the next entry to be appended. */
  readonly next: number;
  readonly lengthBytes: number;
}

const EMPTY: Head = { first: 1, next: 1, lengthBytes: 0 };

export interface EnvironmentOptions {
  readonly directory: string;
  readonly name: string;
  /** Address space of the memory map, not memory. Above what the stream may hold, so that no process has to map it anew. */
  readonly mapBytes: number;
  readonly survives: 'crash' | 'power-loss';
}

export class Environment {
  readonly #path: string;
  readonly #gate: RootDatabase;
  readonly #root: RootDatabase;
  readonly #entries: Database<EntryRecord, number>;
  readonly #meta: Database<unknown, string | string[]>;
  #closed = false;

  constructor(options: EnvironmentOptions) {
    this.#path = join(options.directory, options.name);
    const { gate, root } = translated(options.directory, () =>
      openShared(this.#path, { mapBytes: options.mapBytes, flushed: options.survives === 'power-loss' }),
    );
    this.#gate = gate;
    this.#root = root;
    this.#entries = this.#table('entries');
    this.#meta = this.#table('meta');
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** All that `change` writes, or nothing. Holds the stream's write lock, across processes: keep it short. */
  write<Result>(change: (transaction: WriteTransaction) => Result): Result {
    return this.#guarded(() =>
      this.#gate.transactionSync(() => this.#root.transactionSync(() => change(this.#transaction))),
    );
  }

  /** One snapshot, the newest, given back at once. */
  fresh<Result>(look: (snapshot: Snapshot) => Result): Result {
    return this.#guarded(() => {
      try {
        return look(this.#transaction);
      } finally {
        this.#root.resetReadTxn();
      }
    });
  }

  /** What {@link WriteTransaction.append} stores. Encoding is done before the lock is taken. */
  encode(record: EntryRecord): Buffer {
    // The table's own msgpack encoder: lmdb has it on every table, but not in its types.
    return (
      this.#entries as unknown as { readonly encoder: { encode(value: unknown): Buffer } }
    ).encoder.encode(record);
  }

  forgetDeadReaders(): void {
    this.#guarded(() => this.#root.readerCheck());
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await closeShared(this.#path);
  }

  readonly #transaction: WriteTransaction = {
    head: () => {
      const stored = this.#meta.get('head') as
        | readonly [first: number, next: number, lengthBytes: number]
        | undefined;
      return stored ? { first: stored[0], next: stored[1], lengthBytes: stored[2] } : EMPTY;
    },
    putHead: (head) => void this.#meta.putSync('head', [head.first, head.next, head.lengthBytes]),
    producerState: () => (this.#meta.get('producer') as string | undefined) ?? null,
    putProducerState: (state) => void this.#meta.putSync('producer', state),
    acknowledged: (group) => this.#meta.get(['group', group]) as number | null | undefined,
    putAcknowledged: (group, sequence) => void this.#meta.putSync(['group', group], sequence),
    groups: () =>
      [...this.#meta.getRange({ start: ['group', ''], end: ['group', '\uffff'] })].map(
        ({ value }) => value as number | null,
      ),
    records: (first, limit) => [...this.#entries.getRange({ start: first, limit })].map(({ value }) => value),
    record: (sequence) => this.#entries.get(sequence),
    // MDB_APPEND fills pages instead of splitting them in the middle: half the file.
    append: (sequence, encoded) =>
      void this.#entries.putSync(sequence, asBinary(encoded) as unknown as EntryRecord, { append: true }),
    remove: (sequence) => {
      const bytes = this.#entries.getBinaryFast(sequence)?.length ?? 0;
      this.#entries.removeSync(sequence);
      return bytes;
    },
  };

  /** Made by the first to open the stream: a write like any other. */
  #table<Value, Key extends string | number | string[]>(name: string): Database<Value, Key> {
    return translated(this.#path, () =>
      this.#gate.transactionSync(() => this.#root.openDB<Value, Key>(name, { encoding: 'msgpack' })),
    );
  }

  #guarded<Result>(action: () => Result): Result {
    if (this.#closed) throw new StreamError('stream_unavailable', 'the stream is closed');
    return translated(this.#path, action);
  }
}

export interface Snapshot {
  head(): Head;
  producerState(): string | null;
  /** Null before the group's first acknowledgement, undefined when there is no such group. */
  acknowledged(group: string): number | null | undefined;
  /** What each has acknowledged. */
  groups(): readonly (number | null)[];
  record(sequence: number): EntryRecord | undefined;
  /** At most `limit` records in order from the sequence number `first` on. */
  records(first: number, limit: number): readonly EntryRecord[];
}

export interface WriteTransaction extends Snapshot {
  putHead(head: Head): void;
  putProducerState(state: string): void;
  putAcknowledged(group: string, sequence: number | null): void;
  append(sequence: number, encoded: Buffer): void;
  /** Returns the bytes that the record held. */
  remove(sequence: number): number;
}

/** On a full disk LMDB reports its short write as an input/output error. */
const WRITE_FAILED = /Input\/output error|No space left|MDB_MAP_FULL/;
const FULL_DISK_BYTES = 4 * 2 ** 20;

/** The driver's errors become the port's, once. What the caller did wrong stays what it is. */
function translated<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof StreamError || cause instanceof RangeError) throw cause;
    const detail = cause instanceof Error ? cause.message : String(cause);
    const full = WRITE_FAILED.test(detail) && freeBytes(path) < FULL_DISK_BYTES;
    throw new StreamError(
      full ? 'stream_full' : 'stream_unavailable',
      full ? `no space left on the disk of ${path}` : detail,
      { cause },
    );
  }
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}
