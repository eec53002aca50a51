/**
 * How unfinished backfills and raised alerts stand now, as the browsers were last told: kept beside the beat so that recording a second asks the
 * database for nothing. In memory, bounded, and dispensable: the governor's loop tells every unfinished backfill within a second of its start, and an alert
 * that was raised before it is known from the database, with what it said last.
 */
import type { Backfill } from '@spillway/shared/api/backfill';
import type { Alert } from '@spillway/shared/api/governor';
import { activeStates, isFinal } from '@spillway/shared/backfill/state-machine';
import type { Standing } from '@spillway/shared/telemetry/snapshot';
import type { Changes } from '../context.ts';

/** Of all pipelines together. Ten thousand may wait: what is forgotten here is still counted. */
const KEPT_MAX = 200;

export function keepStanding(changes: Changes): { of(pipelineId: string): Standing } {
  const backfills = new Map<string, Backfill>();
  /** Every unfinished one, by its pipeline. */
  const unfinished = new Map<string, string>();
  const alerts = new Map<string, Alert>();

  changes.subscribe((change) => {
    if (change.event === 'backfill') observe(change.data.backfill);
    else if (change.event === 'alert') {
      const { alert } = change.data;
      if (alert.clearedAt === null) alerts.set(alert.id, alert);
      else alerts.delete(alert.id);
    }
  });

  function observe(backfill: Backfill): void {
    const { id, pipelineId, state } = backfill;
    if (isFinal(state)) {
      unfinished.delete(id);
      backfills.delete(id);
      return;
    }
    unfinished.set(id, pipelineId);
    backfills.set(id, backfill);
    if (backfills.size <= KEPT_MAX) return;
    const last = [...backfills.values()].toSorted(mattersMost).at(-1);
    if (last !== undefined) backfills.delete(last.id);
  }

  return {
    of: (pipelineId) => ({
      backfills: [...backfills.values()]
        .filter((backfill) => backfill.pipelineId === pipelineId)
        .toSorted(mattersMost),
      unfinished: unfinished.values().reduce((sum, of) => sum + (of === pipelineId ? 1 : 0), 0),
      alerts: [...alerts.values()].filter((alert) => alert.pipelineId === pipelineId),
    }),
  };
}

/** Those at work first, then those that need somebody, then those that wait; each the newest first. */
function mattersMost(a: Backfill, b: Backfill): number {
  return rankOf(a) - rankOf(b) || b.createdAt.localeCompare(a.createdAt);
}

function rankOf({ state }: Backfill): number {
  if (activeStates.includes(state)) return 0;
  return state === 'queued' ? 2 : 1;
}
