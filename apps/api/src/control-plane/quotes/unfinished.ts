/** Backfills that are not finished and share sources and a time with one that is planned. Quotes and starts see the same ones. */
import { and, desc, eq, exists, gt, inArray, lt, ne, notInArray, sql } from 'drizzle-orm';
import type { PlannedRequest } from '../backfill/request.ts';
import type { Transaction } from '../database/database.ts';
import { backfills, lanes } from '../database/schema.ts';

export interface UnfinishedBackfill {
  readonly backfillId: string;
  readonly sourceIds: readonly string[];
  readonly from: number;
  readonly to: number;
}

/** Named in a quote; what overlaps with more than that is told enough. */
const OVERLAPS_MAX = 50;

/** The newest of them, in the order they came: so a quote's own backfill is among them, however many there are. */
export async function readUnfinished(
  tx: Transaction,
  { pipeline, plan }: Pick<PlannedRequest, 'pipeline' | 'plan'>,
  except: string | null,
): Promise<UnfinishedBackfill[]> {
  const sourceIds = plan.lanes.map(({ sourceId }) => sourceId);
  const newest = await tx
    .select({
      backfillId: backfills.id,
      sourceIds: sql<
        string[]
      >`(select json_agg(l.source_id order by l.source_id) from ${lanes} l where l.backfill_id = ${backfills.id})`,
      from: backfills.windowFrom,
      to: backfills.windowTo,
    })
    .from(backfills)
    .where(
      and(
        eq(backfills.pipelineId, pipeline.id),
        lt(backfills.windowFrom, plan.window.to),
        gt(backfills.windowTo, plan.window.from),
        notInArray(backfills.state, ['completed', 'cancelled']),
        exists(
          tx
            .select()
            .from(lanes)
            .where(and(eq(lanes.backfillId, backfills.id), inArray(lanes.sourceId, sourceIds))),
        ),
        except === null ? undefined : ne(backfills.id, except),
      ),
    )
    .orderBy(desc(backfills.ordinal))
    .limit(OVERLAPS_MAX);
  return newest.toReversed();
}
