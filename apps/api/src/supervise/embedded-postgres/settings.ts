/**
 * How the embedded PostgreSQL is set up, and why. Measured on two cores with PGlite 0.5.14 (PostgreSQL 18), 1,000,000
 * rows in batches of 2,000 with buckets upserted beside them:
 *
 * | shared_buffers | rows/s  | resident at rest | after the million |
 * |----------------|---------|------------------|-------------------|
 * | 128 MB         | 117,000 | 350 MB           | 361 MB            |
 * | 32 MB          | 121,000 | 217 MB           | 238 MB            |
 * | 16 MB          | 119,000 | 189 MB           | 218 MB            |
 *
 * The operating system caches the same pages, so large buffers only double them. Without checkpoints the log of that
 * million was 257 MB and recovery after `kill -9` took 2.4 s; with one every 16 MB, 97 MB and 0.85 s.
 *
 * `full_page_writes` stays on although nothing is ever fsynced: SIGKILL can end a write of 8 KiB half way.
 */
import { PGlite } from '@electric-sql/pglite';

export const CONNECTIONS_MAX = 50;
export const HOLD_LIMIT_MS = 5_000;
export const CHECKPOINT_EVERY_BYTES = 16 * 1024 * 1024;

export function startParameters(sharedBuffers: string): string[] {
  const settings = {
    shared_buffers: sharedBuffers,
    // WebAssembly memory grows and never shrinks: one large VACUUM or sort would be resident for ever.
    maintenance_work_mem: '16MB',
    work_mem: '4MB',
    min_wal_size: '32MB',
    max_wal_size: '64MB',
  };
  return [
    ...PGlite.defaultStartParams,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
}
