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
    after: unknown;
    backfill: boolean;
  }>(sql`
    select a.at, a.actor, a.action, a.target, a.reason, a.after, b.id is not null as backfill
    from audit a left join backfills b on b.id = a.target
    where a.at >= ${new Date(range.from).toISOString()}::timestamptz and a.at < ${new Date(range.to).toISOString()}::timestamptz
      and (b.pipeline_id = ${range.pipelineId} or a.target = ${range.pipelineId})
    order by a.sequence limit ${MOST_MARKERS}`);
  return rows.map((row) => ({
    at: new Date(row.at).toISOString(),
    actor: row.actor,
    action: row.action,
    backfillId: row.backfill ? row.target : null,
    detail: (row.action === 'backfill.throttle' ? limitsInWords(row.after) : null) ?? row.reason,
  }));
}

/** "→ 2,000 events/s", of the limits an audit entry keeps; null when they say no rate. */
function limitsInWords(after: unknown): string | null {
  if (typeof after !== 'object' || after === null) return null;
  const { eventsPerSecond, share } = after as { eventsPerSecond?: unknown; share?: unknown };
  const words = [
    typeof eventsPerSecond === 'number' ? `${inEnglish.format(eventsPerSecond)} events/s` : null,
    typeof share === 'number' ? `${inEnglish.format(share * 100)} % of capacity` : null,
  ].filter((each) => each !== null);
  return `→ ${words.length === 0 ? 'the pipeline’s default share' : words.join(', ')}`;
}

const inEnglish = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
