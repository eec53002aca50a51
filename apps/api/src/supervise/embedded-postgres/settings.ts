/**
 * How the embedded PostgreSQL is set up, and why. One run each on two cores, PGlite 0.5.14 (PostgreSQL 18), this
 * program on its socket, 1,000,000 rows in batches of 2,000:
 *
 * | shared_buffers | resident after reopening | after the million |
 * |----------------|--------------------------|-------------------|
 * | 128 MB         | 377 MiB                  | 362 MiB           |
 * | 32 MB          | 286 MiB                  | 267 MiB           |
 * | 16 MB          | 288 MiB                  | 246 MiB           |
 *
 * The operating system caches the same pages, so large buffers only double them. Inside one process and on a quieter
 * machine, 16, 32 and 128 MB inserted 119,000, 121,000 and 117,000 rows/s: no difference that one run can show. The
 * machine was too busy during the runs of the table for their times to be kept.
 *
 * Without checkpoints the log of a million rows was 257 MB. A checkpoint writes at most the buffers, whatever its distance, and nobody
 * is served meanwhile: 16 to 30 ms at every 16 MB (one every two seconds of a replay: live's p99), 50 to 70 ms at every 100 MB (one in
 * fifteen seconds). So they are rare; what is paid is disk, and the time to recover after a kill. The distance is a goal, not a bound:
 * the volume is looked at once a second, and never inside a transaction.
 *
 * `full_page_writes` stays on although nothing is ever fsynced: SIGKILL can end a write of 8 KiB half way.
 */
import { PGlite } from '@electric-sql/pglite';

export const CONNECTIONS_MAX = 50;
export const HOLD_LIMIT_MS = 5_000;
export const CHECKPOINT_EVERY_BYTES = 128 * 1024 * 1024;

export function startParameters(sharedBuffers: string): string[] {
  const settings = {
    shared_buffers: sharedBuffers,
    // WebAssembly memory grows and never shrinks: one large VACUUM or sort would be resident for ever.
    maintenance_work_mem: '16MB',
    work_mem: '4MB',
    min_wal_size: '128MB',
    max_wal_size: '256MB',
  };
  return [
    ...PGlite.defaultStartParams,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
}
