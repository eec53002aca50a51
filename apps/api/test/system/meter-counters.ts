/** Every counter of an account, as the meter keeps it in the control database: also those that make no item of a cost, such as events. */
import { join } from 'node:path';
import { meteredOf } from '@spillway/shared/cost/meter';
import { meterOfRecord } from '@spillway/shared/cost/meter-record';
import type { Usage } from '@spillway/shared/cost/usage';
import pg from 'pg';
import { connectionUrl, socketDirectoryOf } from '../../src/supervise/embedded-postgres/socket-dir.ts';

const nothingPaid = { cores: 0, storeOperationsPerSecond: 0, streamBytes: 0 };

/** Of a started system with an embedded control database; of an account that has not left the meter. */
export async function countersOf(dataDir: string, account: string): Promise<Usage> {
  const control = new pg.Client({
    connectionString: connectionUrl(socketDirectoryOf(join(dataDir, 'control'))),
  });
  await control.connect();
  try {
    const { rows } = await control.query(`select state from meters where pipeline_id = 'flights'`);
    return meteredOf(meterOfRecord(rows[0].state), account, nothingPaid, Date.now()).total;
  } finally {
    await control.end();
  }
}
