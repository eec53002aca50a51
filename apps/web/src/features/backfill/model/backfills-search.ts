import { type BackfillState, backfillStates } from '@spillway/shared/backfill/state-machine';
import { namedPipeline } from '../../pipeline/model/named-pipeline.ts';

/** The Backfills screen's filters as they stand in the URL, in the names of the API: shareable, and what the back button undoes. */
export interface BackfillsSearch {
  /** One state, or several separated by commas. */
  readonly state?: string;
  /** One of its sources. */
  readonly source?: string;
  readonly createdBy?: string;
  /** A part of its id or its reason. */
  readonly text?: string;
  readonly cursor?: string;
  /** No filter: that of the other screens, which it is kept for. */
  readonly pipeline?: string;
}

/** Longer than any word that can be meant. */
const WORD_MAX = 100;

/** Whatever somebody typed into the address bar becomes a valid filter: what does not fit is left out. */
export function parseBackfillsSearch(search: Readonly<Record<string, unknown>>): BackfillsSearch {
  const given = search['state'];
  const state = typeof given === 'string' ? writeStates(readStates(given)) : undefined;
  const cursor = search['cursor'];
  const words: { source?: string; createdBy?: string; text?: string } = {};
  for (const name of ['source', 'createdBy', 'text'] as const) {
    // The router reads digits out of an address as a number.
    const word = typeof search[name] === 'number' ? String(search[name]) : search[name];
    if (typeof word === 'string' && word.trim() !== '' && word.length <= WORD_MAX) words[name] = word.trim();
  }
  if (words.source !== undefined && !/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(words.source))
    delete words.source;
  return {
    ...(state === undefined ? {} : { state }),
    ...words,
    ...namedPipeline(search),
    ...(typeof cursor === 'string' && cursor.length > 0 && cursor.length <= 512 ? { cursor } : {}),
  };
}

/** With a filter changed one begins at the first page again. An empty value lifts the filter. */
export function narrowed(search: BackfillsSearch, part: Partial<BackfillsSearch>): BackfillsSearch {
  return parseBackfillsSearch({ ...search, cursor: undefined, ...part });
}

/** Not all of them are asked for, whatever the page. */
export function isNarrowed({ cursor: _, pipeline: __, ...filters }: BackfillsSearch): boolean {
  return Object.keys(filters).length > 0;
}

export function readStates(text: string | undefined): readonly BackfillState[] {
  const names = text?.split(',') ?? [];
  return backfillStates.filter((name) => names.includes(name));
}

/** Undefined stands for all of them. */
export function writeStates(states: readonly BackfillState[]): string | undefined {
  return states.length === 0 ? undefined : states.join(',');
}

/** Of all that are not over: a failed one may be tried again. */
export const unfinishedStates = 'queued,running,pausing,paused,verifying,cancelling,failed';

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
