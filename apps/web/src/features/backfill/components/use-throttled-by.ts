import type { Backfill } from '@spillway/shared/api/backfill';
import { useChangedBy } from '../../telemetry/components/use-changed-by.ts';

/** Who changed the backfill's limits since the edit of them began, where this tab has heard of it. */
export function useThrottledBy({ id, pipelineId }: Backfill, editing: boolean) {
  return useChangedBy(
    pipelineId,
    editing,
    ({ backfillId, action }) => backfillId === id && action === 'backfill.throttle',
  );
}
