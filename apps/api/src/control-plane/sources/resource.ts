import type { Source } from '@spillway/shared/api/pipeline';
import { formatDuration } from '@spillway/shared/time/duration';
import type { InferSelectModel } from 'drizzle-orm';
import { mayOperate } from '../backfill/resource.ts';
import type { Actor, ControlContext } from '../context.ts';
import type { sources } from '../database/schema.ts';
import { ProblemError } from '../problem-error.ts';
import { shownHistory } from './definition.ts';
import { liveWatermarks } from './watermarks.ts';

export type SourceRow = InferSelectModel<typeof sources>;

export function sourceResource(ctx: ControlContext, row: SourceRow, actor: Actor): Source {
  const { rangeFrom: from, rangeTo: to, countedAt, countStepMs, fingerprint } = row;
  const range = from === null || to === null ? null : { from, to };
  const watermark = liveWatermarks(ctx)[row.id];
  return {
    id: row.id,
    title: row.title,
    pipelineId: row.pipelineId,
    connector: row.connector,
    range: range === null ? null : { from: iso(range.from), to: iso(range.to) },
    ...(row.wholeFrom === null ? {} : { wholeFrom: iso(row.wholeFrom) }),
    events: range === null ? null : ctx.statistics.expectedEvents(row.id, range),
    statistics:
      countedAt === null || countStepMs === null || fingerprint === null
        ? null
        : {
            step: formatDuration(countStepMs),
            countedAt: countedAt.toISOString(),
            fingerprint,
            exact: !row.countsEstimated,
            rowsQuarantined: row.rowsQuarantined,
          },
    state: row.state as Source['state'],
    disconnectedAt: row.disconnectedAt === null ? null : iso(row.disconnectedAt),
    allowedActions: sourceActions(row, actor),
    failure: row.failure,
    liveWatermark: watermark === undefined ? null : iso(watermark),
    ...(row.live ? {} : { historyOnly: true as const }),
    ...(actor.role === 'admin' ? { history: shownHistory(row) } : {}),
    revision: row.revision,
  };
}

export function sourceActions(
  row: Pick<SourceRow, 'disconnectedAt' | 'live'>,
  actor: Actor,
): Source['allowedActions'] {
  if (!mayOperate(actor) || !row.live) return [];
  return [row.disconnectedAt === null ? 'disconnect' : 'reconnect'];
}

export function unknownSource(id: string): ProblemError {
  return new ProblemError('unknown_source', `There is no source ${id}.`);
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
