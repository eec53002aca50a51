/** The store's write-ahead log as PostgreSQL itself tells it: the independent count of what the meter says was written. */
import { join } from 'node:path';
import pg from 'pg';
import { connectionUrl, socketDirectoryOf } from '../../src/supervise/embedded-postgres/socket-dir.ts';

export interface StoreLog {
  /** Bytes ever written. */
  position(): Promise<number>;
  close(): Promise<void>;
}

/** Of a started system with an embedded store. */
export async function openStoreLog(dataDir: string): Promise<StoreLog> {
  const store = new pg.Client({ connectionString: connectionUrl(socketDirectoryOf(join(dataDir, 'store'))) });
  await store.connect();
  return {
    position: async () =>
      Number((await store.query(`select pg_current_wal_lsn() - '0/0'::pg_lsn as lsn`)).rows[0].lsn),
    close: () => store.end(),
  };
}
