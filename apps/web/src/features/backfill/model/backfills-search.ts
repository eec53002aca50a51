import { type BackfillState, backfillStates } from '@spillway/shared/backfill/state-machine';

/** The Backfills screen's filters as they stand in the URL: shareable, and what the back button undoes. */
export interface BackfillsSearch {
  /** One state, or several separated by commas, as the API takes them. */
  readonly state?: string;
  readonly cursor?: string;
}

/** Whatever somebody typed into the address bar becomes a valid filter: what does not fit is left out. */
export function parseBackfillsSearch(search: Readonly<Record<string, unknown>>): BackfillsSearch {
  const given = search['state'];
  const state = typeof given === 'string' ? writeStates(readStates(given)) : undefined;
  const cursor = search['cursor'];
  return {
    ...(state === undefined ? {} : { state }),
    ...(typeof cursor === 'string' && cursor.length > 0 && cursor.length <= 512 ? { cursor } : {}),
  };
}

export function readStates(text: string | undefined): readonly BackfillState[] {
  const names = text?.split(',') ?? [];
  return backfillStates.filter((name) => names.includes(name));
}

/** Undefined stands for all of them. */
export function writeStates(states: readonly BackfillState[]): string | undefined {
  return states.length === 0 ? undefined : states.join(',');
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
