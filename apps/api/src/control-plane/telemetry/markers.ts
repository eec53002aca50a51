/** Who did what, for the charts: read from the audit, which is the only record of it. */
import type { Telemetry } from '@spillway/shared/api/pipeline';
import { sql } from 'drizzle-orm';
import type { Database } from '../database/database.ts';

const MOST_MARKERS = 500;

export async function listMarkers(
  database: Database,
  range: { readonly pipelineId: string; readonly from: number; readonly to: number },
): Promise<Telemetry['markers']> {
  const { rows } = await database.execute<{
    at: string;
    actor: string;
    action: string;
    target: string;
    reason: string | null;
    backfill: boolean;
  }>(sql`
    select a.at, a.actor, a.action, a.target, a.reason, b.id is not null as backfill
    from audit a left join backfills b on b.id = a.target
    where a.at >= ${new Date(range.from).toISOString()}::timestamptz and a.at < ${new Date(range.to).toISOString()}::timestamptz
      and (b.pipeline_id = ${range.pipelineId} or a.target = ${range.pipelineId})
    order by a.sequence limit ${MOST_MARKERS}`);
  return rows.map((row) => ({
    at: new Date(row.at).toISOString(),
    actor: row.actor,
    action: row.action,
    backfillId: row.backfill ? row.target : null,
    detail: row.reason,
  }));
}
