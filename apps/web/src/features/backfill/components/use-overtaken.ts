import type { Backfill } from '@spillway/shared/api/backfill';
import { useQuery } from '@tanstack/react-query';
import { throttlesQuery } from '../api/list-audit.ts';
import { type Overtaken, overtaken } from '../model/limit-changes.ts';

/** Who changed what while an edit of limits was open, once the server has said that somebody did; null: nobody has, or who it was is still being read. */
export function useOvertaken(base: Backfill | undefined, conflict: Backfill | null): Overtaken | null {
  const { id = '', revision = 0 } = conflict ?? {};
  const throttles = useQuery({ ...throttlesQuery(id, revision), enabled: conflict !== null });
  if (base === undefined || conflict === null || throttles.isPending) return null;
  return overtaken(throttles.data ?? null, base.limits, conflict.limits);
}
