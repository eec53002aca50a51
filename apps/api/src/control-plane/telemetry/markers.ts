/** Who did what, for the charts: read from the audit, which is the only record of it. */
import type { Telemetry } from '@spillway/shared/api/pipeline';
import { sql } from 'drizzle-orm';
import type { Database } from '../database/database.ts';

const MOST_MARKERS = 500;

/** Of whoever had the name before, and was removed, nothing. */
export async function listMarkers(
  database: Database,
  range: { readonly pipelineId: string; readonly from: number; readonly to: number },
  /** Which of them, where there are more than one answer holds. They are told in order all the same. */
  kept: 'oldest' | 'newest' = 'oldest',
): Promise<Telemetry['markers']> {
  const { rows } = await database.execute<{
    at: string;
    actor: string;
    action: string;
    target: string;
    reason: string | null;
    before: unknown;
    after: unknown;
    backfill: boolean;
    source: boolean;
  }>(sql`
    select a.at, a.actor, a.action, a.target, a.reason, a.before, a.after, b.id is not null as backfill, s.id is not null as source
    from audit a left join backfills b on b.id = a.target left join sources s on s.id = a.target
    where a.at >= ${new Date(range.from).toISOString()}::timestamptz and a.at < ${new Date(range.to).toISOString()}::timestamptz
      and a.sequence > coalesce((select max(sequence) from audit where target = ${range.pipelineId} and action = 'pipeline.remove'), 0)
      and (b.pipeline_id = ${range.pipelineId} or s.pipeline_id = ${range.pipelineId} or a.target = ${range.pipelineId})
    order by a.sequence ${sql.raw(kept === 'newest' ? 'desc' : 'asc')} limit ${MOST_MARKERS}`);
  return (kept === 'newest' ? rows.toReversed() : rows).map((row) => ({
    at: new Date(row.at).toISOString(),
    actor: row.actor,
    action: row.action,
    backfillId: row.backfill ? row.target : null,
    detail: row.source
      ? [row.target, row.reason].filter((part) => part !== null).join(': ')
      : ((row.action === 'backfill.throttle' ? changeInWords(row.before, row.after) : null) ?? row.reason),
  }));
}

/** "→ 2,000 events/s": the limits that a throttle changed; null when it changed none. */
function changeInWords(before: unknown, after: unknown): string | null {
  const [was, is] = [limitsOf(before), limitsOf(after)];
  const words: string[] = [];
  if (is.eventsPerSecond !== was.eventsPerSecond)
    words.push(
      is.eventsPerSecond === null ? 'no rate limit' : `${inEnglish.format(is.eventsPerSecond)} events/s`,
    );
  if (is.share !== was.share)
    words.push(is.share === null ? 'the default share' : `${inEnglish.format(is.share * 100)} % of capacity`);
  if (is.concurrency !== was.concurrency) words.push(`concurrency ${is.concurrency ?? 'unknown'}`);
  return words.length === 0 ? null : `→ ${words.join(', ')}`;
}

/** What an audit entry keeps of limits; absent is null. */
function limitsOf(kept: unknown): Record<'eventsPerSecond' | 'share' | 'concurrency', number | null> {
  const limits = (typeof kept === 'object' && kept !== null ? kept : {}) as Record<string, unknown>;
  const numberAt = (name: string) => (typeof limits[name] === 'number' ? limits[name] : null);
  return {
    eventsPerSecond: numberAt('eventsPerSecond'),
    share: numberAt('share'),
    concurrency: numberAt('concurrency'),
  };
}

const inEnglish = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
