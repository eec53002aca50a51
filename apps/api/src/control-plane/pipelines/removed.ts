import { removedIdsBegin } from '@spillway/shared/pipeline/removed-id';
import { max, sql } from 'drizzle-orm';
import type { Transaction } from '../database/database.ts';
import { pipelines } from '../database/schema.ts';

/** Of the pipelines of this name that have been removed, the last one's; null: there has been none. */
export async function lastRemovedRevision(tx: Transaction, name: string): Promise<number | null> {
  const [last] = await tx
    .select({ revision: max(pipelines.revision) })
    .from(pipelines)
    .where(sql`starts_with(${pipelines.id}, ${removedIdsBegin(name)})`);
  return last?.revision ?? null;
}
