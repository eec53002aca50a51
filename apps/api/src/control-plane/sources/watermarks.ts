import { sql } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import type { Database, Transaction } from '../database/database.ts';

export type Watermarks = Readonly<Record<string, number>>;

/** The event time live has reached, by source, as the apply worker last reported it. */
export function liveWatermarks(ctx: Pick<ControlContext, 'telemetry'>): Watermarks {
  return ctx.telemetry.watermarks();
}

/** Over several sources live is only as far as the one furthest behind. Null while one of them is unknown. */
function lowest(watermarks: Watermarks, sourceIds: readonly string[]): number | null {
  let low: number | null = null;
  for (const id of sourceIds) {
    const at = watermarks[id];
    if (at === undefined) return null;
    low = low === null ? at : Math.min(low, at);
  }
  return low;
}

/**
 * The event time that live of a pipeline has reached. What has no feed is not waited for. A source that is disconnected, or whose feed has not yet said where its outage
 * ended, holds nobody back; one that is back expects nothing from before the end of its last gap. With every source out, live stays
 * where it was.
 */
export async function pipelineWatermark(
  ctx: Pick<ControlContext, 'telemetry'>,
  database: Database | Transaction,
  pipelineId: string,
): Promise<number | null> {
  const { rows } = await database.execute<{ id: string; out: boolean; back_at: number | null }>(sql`
    select s.id,
      exists (select 1 from gaps g where g.source_id = s.id and g.gap_to is null) as out,
      (select max(g.gap_to)::float8 from gaps g where g.source_id = s.id) as back_at
    from sources s where s.pipeline_id = ${pipelineId} and s.live`);
  const own = liveWatermarks(ctx);
  const reached: Record<string, number> = {};
  for (const { id, back_at: backAt } of rows) {
    const at = own[id] ?? backAt;
    if (at !== undefined && at !== null) reached[id] = Math.max(at, backAt ?? at);
  }
  const connected = rows.filter(({ out }) => !out);
  return lowest(
    reached,
    (connected.length > 0 ? connected : rows).map(({ id }) => id),
  );
}
