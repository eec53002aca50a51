import type { Drill } from '@spillway/shared/api/governor';
import type { drills } from '../database/schema.ts';
import { type DrillProgress, type DrillSetting, type DrillStage, detailOf, stagesOf } from './report.ts';

export type DrillRow = typeof drills.$inferSelect;

const stageOrder: readonly DrillStage[] = ['store', 'aggregate', 'stream', 'source'];
export const unfilled: Drill['stages'] = stageOrder.map((stage) => ({ stage, filledAt: null }));

export function toDrill(row: DrillRow): Drill {
  const { id, pipelineId, state, forMs, startedBy, stages, peakBacklog, detail } = row;
  return {
    id,
    pipelineId,
    state,
    forMs,
    startedBy,
    requestedAt: row.requestedAt.toISOString(),
    stalledAt: timestamp(row.stalledAt),
    stages,
    readerStoppedAt: timestamp(row.readerStoppedAt),
    governorStoppedAt: timestamp(row.governorStoppedAt),
    peakBacklog,
    releasedAt: timestamp(row.releasedAt),
    releasedBy: row.releasedBy,
    recoveredAt: timestamp(row.recoveredAt),
    detail,
  };
}

/** The columns that unfold. `releasedBy` is not among them: it is written with the audit of that wish. */
export function columnsOf(setting: DrillSetting, progress: DrillProgress) {
  const filledAt = stagesOf(progress);
  return {
    state: progress.state,
    stalledAt: instant(progress.stalledAt),
    stages: stageOrder.map((stage) => ({ stage, filledAt: timestamp(instant(filledAt[stage])) })),
    readerStoppedAt: instant(progress.readerStoppedAt),
    governorStoppedAt: instant(progress.governorStoppedAt),
    peakBacklog: progress.peakBacklog,
    releasedAt: instant(progress.releasedAt),
    recoveredAt: instant(progress.recoveredAt),
    detail: detailOf(setting, progress),
  };
}

function instant(atMs: number | null): Date | null {
  return atMs === null ? null : new Date(Math.round(atMs));
}

function timestamp(at: Date | null): string | null {
  return at?.toISOString() ?? null;
}
