import { eq, sql } from 'drizzle-orm';
import type { Transaction } from '../database/database.ts';
import { runs } from '../database/schema.ts';
import { externalOf } from '../pipelines/rows.ts';
import { eventsHandled } from './events-done.ts';
import type { BackfillRow } from './transition.ts';

/**
 * What its runs have published again, and what has been handled and no run tells of: read by one that was thrown away, or published by an attempt after its last
 * report. Exact where all that its runs tell of has been handled; while some of it waits to be applied this is too few, but never less than was known.
 */
export async function handledAgain(tx: Transaction, row: BackfillRow): Promise<number> {
  const [found] = await tx
    .select({ once: sql<number>`coalesce(sum(${runs.published} - ${runs.again}), 0)::float8` })
    .from(runs)
    .where(eq(runs.backfillId, row.id));
  const external = (await externalOf(tx, row.pipelineId)) !== null;
  return Math.max(row.eventsAgain, eventsHandled(row, external) - (found?.once ?? 0));
}
