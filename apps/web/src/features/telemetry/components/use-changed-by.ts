import { useState } from 'react';
import { type MarkerEntry, serverAtMostMs } from '../model/live-store.ts';
import { changedBy } from '../model/markers.ts';
import { useLive } from './live-context.ts';

/** Who made such a change since this edit began, where this tab has heard of it. `editing`: from its beginning to its end. */
export function useChangedBy(
  pipelineId: string,
  editing: boolean,
  isSuch: (marker: MarkerEntry) => boolean,
  now: () => number = Date.now,
): MarkerEntry | undefined {
  const live = useLive();
  const [edit, setEdit] = useState<{ readonly sinceMs: number | null } | null>(null);
  if (editing !== (edit !== null))
    setEdit(editing ? { sinceMs: serverAtMostMs(live, pipelineId, now()) } : null);
  return edit === null
    ? undefined
    : changedBy(live.pipelines[pipelineId]?.markers ?? [], edit.sinceMs, isSuch);
}
