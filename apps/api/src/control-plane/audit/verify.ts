import type { AuditVerdict } from '@spillway/shared/api/audit';
import { asc, gt, sql } from 'drizzle-orm';
import type { Database } from '../database/database.ts';
import { audit, auditHead } from '../database/schema.ts';
import { genesisHash, rowHash } from './chain.ts';

const batchRows = 1000;

const walks = new WeakMap<Database, Promise<AuditVerdict>>();

/** One walk at a time, for all who ask meanwhile: any viewer may, and the chain only grows longer. */
export function verifyAudit(database: Database): Promise<AuditVerdict> {
  const walk =
    walks.get(database) ??
    walkChain(database).finally(() => {
      walks.delete(database);
    });
  walks.set(database, walk);
  return walk;
}

/**
 * `firstBroken`: sequence of the first row that is changed, missing or cut off the end; null when all is well.
 *
 * Walks the chain from its first row to the head, a batch at a time. Rows added while it walks are not looked at: it goes up to the
 * head as it stood at the beginning.
 */
async function walkChain(database: Database): Promise<AuditVerdict> {
  const [head] = await database.select().from(auditHead);
  const [counted] = await database.select({ rows: sql<string>`count(*)` }).from(audit);
  const entries = Number(counted?.rows ?? 0);
  if (head === undefined) return { intact: entries === 0, entries, firstBroken: entries === 0 ? null : 1 };

  let sequence = 0;
  let previousHash = genesisHash;
  while (sequence < head.sequence) {
    const rows = await database
      .select()
      .from(audit)
      .where(gt(audit.sequence, sequence))
      .orderBy(asc(audit.sequence))
      .limit(batchRows);
    if (rows.length === 0) break;
    for (const row of rows) {
      if (row.sequence > head.sequence) break;
      const expected = rowHash({ ...row, at: row.at.toISOString() });
      if (row.sequence !== sequence + 1 || row.previousHash !== previousHash || row.hash !== expected) {
        return { intact: false, entries, firstBroken: sequence + 1 };
      }
      sequence = row.sequence;
      previousHash = row.hash;
    }
  }
  const reachesHead = sequence === head.sequence && previousHash === head.hash;
  return { intact: reachesHead, entries, firstBroken: reachesHead ? null : sequence + 1 };
}
