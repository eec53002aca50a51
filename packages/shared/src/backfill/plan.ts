/**
 * What a backfill will cover: the window clipped to what each source holds, cut into subwindows. O(sources), however many
 * subwindows there are.
 */
import { subwindowCount } from './lane.ts';

export interface PlanSource {
  readonly sourceId: string;
  /** What it holds; null while it has not been looked at: nothing is clipped then. */
  readonly range: { readonly from: number; readonly to: number } | null;
  /** Retention has removed what it held before; null: nothing, as far as is known. */
  readonly wholeFrom: number | null;
}

export interface PlanRequest {
  /** Epoch ms, half-open. */
  readonly window: { readonly from: number; readonly to: number };
  /** Null: one hour, or the whole window when that is shorter. */
  readonly subwindowMs: number | null;
  readonly sources: readonly PlanSource[];
  /** The caller named the sources: one that the window does not touch is a mistake, not something to leave out. */
  readonly sourcesNamed: boolean;
}

export interface PlannedLane {
  readonly sourceId: string;
  readonly laneFrom: number;
  readonly laneTo: number;
  readonly subwindows: number;
}

export interface Plan {
  readonly subwindowMs: number;
  readonly window: { readonly from: number; readonly to: number };
  readonly lanes: readonly PlannedLane[];
  readonly subwindows: number;
  readonly warnings: readonly { readonly code: string; readonly detail: string }[];
}

export type PlanRefusal = {
  readonly code:
    | 'invalid_window'
    | 'invalid_subwindow'
    | 'window_outside_source'
    | 'gap'
    | 'too_many_subwindows';
  readonly pointer: string;
  readonly detail: string;
};

const DEFAULT_SUBWINDOW_MS = 3_600_000;
export const MAX_SUBWINDOWS = 100_000_000;

export function planBackfill(request: PlanRequest): Plan | PlanRefusal {
  const { window } = request;
  if (!(window.from < window.to))
    return { code: 'invalid_window', pointer: '/window/to', detail: 'The window must end after it begins.' };
  const subwindowMs = request.subwindowMs ?? Math.min(DEFAULT_SUBWINDOW_MS, window.to - window.from);
  if (!(subwindowMs > 0))
    return {
      code: 'invalid_subwindow',
      pointer: '/subwindow',
      detail: 'A subwindow must be longer than zero.',
    };
  if (subwindowMs > window.to - window.from)
    return {
      code: 'invalid_subwindow',
      pointer: '/subwindow',
      detail: 'A subwindow may not be longer than the window.',
    };

  const lanes: PlannedLane[] = [];
  const outside: PlanSource[] = [];
  for (const source of request.sources) {
    const laneFrom = Math.max(window.from, source.range?.from ?? window.from);
    const laneTo = Math.min(window.to, source.range?.to ?? window.to);
    if (laneFrom >= laneTo) outside.push(source);
    // Clipped to what is left it would be proved, of events that are gone.
    else if (window.from < (source.wholeFrom ?? window.from)) return gapIn(source);
    else
      lanes.push({
        sourceId: source.sourceId,
        laneFrom,
        laneTo,
        subwindows: subwindowCount({ laneFrom, laneTo, subwindowMs }),
      });
  }
  if (outside.length > 0 && (request.sourcesNamed || lanes.length === 0)) {
    return {
      code: 'window_outside_source',
      pointer: '/window',
      detail: `The window does not touch ${outsideText(outside)}.`,
    };
  }
  const subwindows = lanes.reduce((total, lane) => total + lane.subwindows, 0);
  if (subwindows > MAX_SUBWINDOWS) {
    return {
      code: 'too_many_subwindows',
      pointer: '/subwindow',
      detail: `${subwindows} subwindows are more than ${MAX_SUBWINDOWS}; choose a longer subwindow.`,
    };
  }
  return {
    subwindowMs,
    window: {
      from: Math.min(...lanes.map((lane) => lane.laneFrom)),
      to: Math.max(...lanes.map((lane) => lane.laneTo)),
    },
    lanes,
    subwindows,
    warnings: warningsOf(request, lanes, outside),
  };
}

function gapIn({ sourceId, wholeFrom }: PlanSource): PlanRefusal {
  const from = new Date(wholeFrom ?? 0).toISOString();
  return {
    code: 'gap',
    pointer: '/window/from',
    detail: `Source ${sourceId} is whole from ${from} on: what it held before has been removed by its retention. Begin the window there, or leave the source out.`,
  };
}

function warningsOf(
  request: PlanRequest,
  lanes: readonly PlannedLane[],
  outside: readonly PlanSource[],
): Plan['warnings'] {
  const clipped = lanes.filter(
    (lane) => lane.laneFrom > request.window.from || lane.laneTo < request.window.to,
  );
  return [
    ...clipped.map(({ sourceId, laneFrom, laneTo }) => ({
      code: 'window_clipped',
      detail: `Source ${sourceId} is replayed for ${rangeText({ from: laneFrom, to: laneTo })} only: it holds no more of the window.`,
    })),
    ...outside.map(({ sourceId, range }) => ({
      code: 'source_left_out',
      detail: `Source ${sourceId} is left out: it holds ${rangeText(range)}.`,
    })),
  ];
}

const NAMED_MAX = 5;

/** All of them at once, so that they can be left out at once. */
function outsideText(outside: readonly PlanSource[]): string {
  const named = outside
    .slice(0, NAMED_MAX)
    .map(({ sourceId, range }) => `source ${sourceId}, which holds ${rangeText(range)}`);
  const more = outside.length - NAMED_MAX;
  return [...named, ...(more > 0 ? [`${more} more`] : [])].join('; nor ');
}

function rangeText(range: { readonly from: number; readonly to: number } | null): string {
  return range === null
    ? 'nothing'
    : `${new Date(range.from).toISOString()} to ${new Date(range.to).toISOString()}`;
}
