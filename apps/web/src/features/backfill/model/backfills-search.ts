import { type BackfillState, backfillStates } from '@spillway/shared/backfill/state-machine';

/** The Backfills screen's filters as they stand in the URL: shareable, and what the back button undoes. */
export interface BackfillsSearch {
  readonly state?: readonly BackfillState[];
  readonly cursor?: string;
}

/** Whatever somebody typed into the address bar becomes a valid filter: what does not fit is left out. */
export function parseBackfillsSearch(search: Readonly<Record<string, unknown>>): BackfillsSearch {
  const given = search['state'];
  const names = Array.isArray(given) ? given : typeof given === 'string' ? given.split(',') : [];
  const state = backfillStates.filter((name) => names.includes(name));
  const cursor = search['cursor'];
  return {
    ...(state.length > 0 ? { state } : {}),
    ...(typeof cursor === 'string' && cursor.length > 0 && cursor.length <= 512 ? { cursor } : {}),
  };
}

/** Groups of states that answer the questions people come with. */
export const stateGroups: readonly { readonly label: string; readonly states: readonly BackfillState[] }[] = [
  { label: 'All', states: [] },
  { label: 'Active', states: ['running', 'pausing', 'verifying', 'cancelling'] },
  { label: 'Waiting', states: ['queued', 'paused'] },
  { label: 'Failed', states: ['failed'] },
  { label: 'Completed', states: ['completed'] },
  { label: 'Cancelled', states: ['cancelled'] },
];

export function sameStates(a: readonly BackfillState[], b: readonly BackfillState[]): boolean {
  return a.length === b.length && a.every((state) => b.includes(state));
}
