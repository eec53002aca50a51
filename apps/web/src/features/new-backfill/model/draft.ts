import type { StartBackfill } from '@spillway/shared/api/backfill';
import { parseDurationMs } from '../../../lib/duration.ts';
import { fromInput, isoInstant } from '../../../lib/instant.ts';
import { parseTypedMoney } from '../../../lib/money.ts';
import type { Span } from './brush.ts';

/** What the form holds; numbers may be absent while somebody types. */
export interface Draft {
  readonly sourceIds: readonly string[];
  readonly window: Span | null;
  readonly subwindow: string;
  /** `finish` and `cost` are goals: the quote solves them to a rate. */
  readonly limitBy: 'default' | 'share' | 'rate' | 'finish' | 'cost';
  readonly sharePercent: number | null;
  readonly eventsPerSecond: number | null;
  /** As typed, UTC. */
  readonly finishBy: string;
  /** As typed, in the price book's currency. */
  readonly maxCost: string;
  readonly concurrency: number | null;
  /** As typed; empty: none. */
  readonly budget: string;
  readonly isolated: boolean;
  readonly reason: string;
}

export type DraftField =
  | 'sourceIds'
  | 'from'
  | 'to'
  | 'subwindow'
  | 'share'
  | 'rate'
  | 'finishBy'
  | 'maxCost'
  | 'concurrency'
  | 'budget'
  | 'reason'
  | 'form';
export type DraftProblems = Partial<Record<DraftField, string>>;

/** Those that a request names. None: all of them, of which there may be more than one can name. */
export function namedSources(ticked: readonly string[], allSourceIds: readonly string[]): readonly string[] {
  return ticked.length === allSourceIds.length ? [] : ticked;
}

/** The request this draft stands for, goals left out. Missing numbers become null, which the schema refuses where it must. */
export function bodyOf(
  draft: Draft,
  pipelineId: string,
  allSourceIds: readonly string[],
  currency: string | null = null,
): StartBackfill {
  const budget = currency === null ? null : parseTypedMoney(draft.budget, currency);
  const every = draft.sourceIds.length === allSourceIds.length;
  const reason = draft.reason.trim();
  return {
    pipelineId,
    ...(every ? {} : { sourceIds: [...draft.sourceIds] }),
    window: {
      from: draft.window === null ? '' : isoInstant(draft.window.fromMs),
      to: draft.window === null ? '' : isoInstant(draft.window.toMs),
    },
    subwindow: draft.subwindow,
    mode: 'fill',
    limits: {
      ...(draft.limitBy === 'share'
        ? { share: draft.sharePercent === null ? Number.NaN : draft.sharePercent / 100 }
        : {}),
      ...(draft.limitBy === 'rate' ? { eventsPerSecond: draft.eventsPerSecond ?? Number.NaN } : {}),
      ...(draft.concurrency === null ? {} : { concurrency: draft.concurrency }),
      ...(budget === null ? {} : { budget }),
    },
    ...(draft.isolated ? { isolated: true } : {}),
    ...(reason === '' ? {} : { reason }),
  };
}

/** The JSON pointers and words of a schema's complaints about a body; see `schema-check.ts`. */
export type SchemaCheck = (
  body: StartBackfill,
) => readonly { readonly pointer: string; readonly detail: string }[];

/**
 * The rules that no schema can say, and the schema that the server validates with. Until `schemaCheck` has been fetched (null) only
 * the former are told; the server knows both.
 */
export function checkDraft(
  draft: Draft,
  body: StartBackfill,
  schemaCheck: SchemaCheck | null,
): DraftProblems {
  const problems: DraftProblems = {};
  if (draft.sourceIds.length === 0) problems.sourceIds = 'Choose at least one source.';
  if (draft.window === null) {
    problems.from = 'Choose a window on the map, or type one.';
  } else {
    const spanMs = draft.window.toMs - draft.window.fromMs;
    const subwindowMs = parseDurationMs(draft.subwindow);
    if (spanMs <= 0) problems.to = 'The window has to end after it begins.';
    if (subwindowMs === 0) problems.subwindow = 'A subwindow has to be longer than nothing.';
    else if (subwindowMs !== null && spanMs > 0 && subwindowMs > spanMs)
      problems.subwindow = 'The subwindow is longer than the window.';
  }
  if (draft.limitBy === 'share' && draft.sharePercent === null)
    problems.share = 'Give a share between 0 and 100 %.';
  if (draft.limitBy === 'rate' && draft.eventsPerSecond === null)
    problems.rate = 'Give a rate in events per second.';
  if (draft.limitBy === 'finish' && fromInput(draft.finishBy) === null)
    problems.finishBy = 'Write a UTC time such as 2001-01-31 06:00.';
  if (draft.limitBy === 'cost' && parseTypedMoney(draft.maxCost, '') === null)
    problems.maxCost = 'Write an amount above 0, e.g. 40.00.';
  if (draft.budget.trim() !== '' && parseTypedMoney(draft.budget, '') === null)
    problems.budget = 'Write an amount above 0, e.g. 5.00, or leave it empty.';
  if (draft.concurrency === null) problems.concurrency = 'Give a number from 1 to 16.';
  for (const { pointer, detail } of schemaCheck?.(body) ?? []) {
    const field = fieldAt(pointer);
    problems[field] ??= words[field] ?? detail;
  }
  return problems;
}

const words: DraftProblems = {
  from: 'This is not a time.',
  to: 'This is not a time.',
  subwindow: 'Write an ISO 8601 duration, e.g. PT1H or P1D.',
  share: 'Give a share between 0 and 100 %.',
  rate: 'Give a rate between 0 and 10,000,000 events/s.',
  concurrency: 'Give a number from 1 to 16.',
  reason: 'At most 500 characters.',
};

/** Where a JSON pointer of the request stands in the form; what no field holds goes above the start button. */
export function fieldAt(pointer: string): DraftField {
  const path = pointer.replace(/^#?\/?(body\/)?/, '');
  if (path.startsWith('window/from') || path === 'window') return 'from';
  if (path.startsWith('window/to')) return 'to';
  if (path.startsWith('sourceIds')) return 'sourceIds';
  if (path.startsWith('subwindow')) return 'subwindow';
  if (path.startsWith('limits/share')) return 'share';
  if (path.startsWith('limits/eventsPerSecond')) return 'rate';
  if (path.startsWith('limits/concurrency')) return 'concurrency';
  if (path.startsWith('limits/budget')) return 'budget';
  if (path.startsWith('finishBy')) return 'finishBy';
  if (path.startsWith('maxCost')) return 'maxCost';
  if (path.startsWith('reason')) return 'reason';
  return 'form';
}

/** The server's refusal, each part at its field. A code that means one field is put there also without a pointer. */
export function problemsOf(problem: {
  readonly code: string;
  readonly detail: string;
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
}): DraftProblems {
  const problems: DraftProblems = {};
  for (const { pointer, detail } of problem.errors) problems[fieldAt(pointer)] ??= detail;
  if (Object.keys(problems).length === 0) problems[codeFields[problem.code] ?? 'form'] = problem.detail;
  return problems;
}

/**
 * Of a refusal, what stands beside the button that was pressed: its fields may be out of sight. Where several are named, the first, and how
 * many more there are.
 */
export function refusedWords({ form, ...atFields }: DraftProblems): string {
  const [first, ...more] = [...(form === undefined ? [] : [form]), ...Object.values(atFields)];
  if (more.length === 0) return first ?? '';
  return `${first} ${more.length} more: see the fields marked above.`;
}

const codeFields: Readonly<Record<string, DraftField>> = {
  invalid_window: 'to',
  window_outside_source: 'from',
  gap: 'from',
  invalid_subwindow: 'subwindow',
  too_many_subwindows: 'subwindow',
  unknown_source: 'sourceIds',
  source_not_in_pipeline: 'sourceIds',
};

/** How many subwindows that makes, over all sources; null while window or subwindow do not stand. */
export function countSubwindows(draft: Draft): number | null {
  const subwindowMs = parseDurationMs(draft.subwindow);
  if (draft.window === null || subwindowMs === null || subwindowMs <= 0) return null;
  return (
    Math.ceil(Math.max(0, draft.window.toMs - draft.window.fromMs) / subwindowMs) * draft.sourceIds.length
  );
}

/** The rate the draft asks for, events/s; null where capacity is not known yet, or where a goal is to be solved to one. */
export function askedRate(draft: Draft, capacity: number | null, defaultShare: number): number | null {
  if (draft.limitBy === 'finish' || draft.limitBy === 'cost') return null;
  if (draft.limitBy === 'rate') return draft.eventsPerSecond;
  const share = draft.limitBy === 'share' ? (draft.sharePercent ?? 0) / 100 : defaultShare;
  return capacity === null ? null : capacity * share;
}
