/** Which sources are ticked, and which of them the window does not touch: those are refused by name, and left out where nobody named any. */
import { formatWindow } from '../../../lib/instant.ts';
import type { Span } from './brush.ts';
import type { DraftProblems } from './draft.ts';

export interface TickableSource {
  readonly id: string;
  /** What it holds; null: not counted yet. */
  readonly range: { readonly from: string; readonly to: string } | null;
  readonly failure: unknown;
}

/** Until somebody chooses: a source that has failed would take the whole backfill down with it. Where all have, all: whoever starts it means one. */
export function sourcesAtFirst(sources: readonly TickableSource[]): readonly string[] {
  const well = sources.filter(({ failure }) => failure === null);
  return idsOf(well.length === 0 ? sources : well);
}

/** As many as a request may name. */
const REQUESTED_MAX = 64;

/**
 * The same of a window: those that hold something of it. Where none does all of them, which is a fault of the window; and where more do than may be
 * named, since of all, which need no names, the server leaves out the rest.
 */
export function tickedAtFirst(sources: readonly TickableSource[], window: Span | null): readonly string[] {
  const first = sourcesAtFirst(sources);
  const touched = sources.filter((source) => first.includes(source.id) && touches(source, window));
  return touched.length === 0 || touched.length > REQUESTED_MAX ? first : idsOf(touched);
}

/** Those of the ticked ones that the window does not touch. */
export function outsideOf<S extends TickableSource>(
  sources: readonly S[],
  ticked: readonly string[],
  window: Span | null,
): readonly S[] {
  return sources.filter((source) => ticked.includes(source.id) && !touches(source, window));
}

/** Why the start would be refused for them, all at once. */
export function outsideProblem(
  sources: readonly TickableSource[],
  ticked: readonly string[],
  window: Span | null,
): DraftProblems {
  const outside = outsideOf(sources, ticked, window);
  if (outside.length === 0) return {};
  if (outside.length === ticked.length)
    return { from: `The window does not touch what the sources hold: ${held(outside)}.` };
  // All of the pipeline's: nobody named any.
  return ticked.length === sources.length ? {} : { sourceIds: `The window does not touch ${held(outside)}.` };
}

const NAMED_MAX = 5;
const listed = new Intl.ListFormat('en-GB');

function held(sources: readonly TickableSource[]): string {
  const named = sources
    .slice(0, NAMED_MAX)
    .map(({ id, range }) => (range === null ? id : `${id} (${formatWindow(range)})`));
  const more = sources.length - NAMED_MAX;
  return listed.format(more > 0 ? [...named, `${more} more`] : named);
}

function touches({ range }: TickableSource, window: Span | null): boolean {
  return (
    window === null ||
    window.toMs <= window.fromMs ||
    range === null ||
    (Date.parse(range.from) < window.toMs && window.fromMs < Date.parse(range.to))
  );
}

function idsOf(sources: readonly TickableSource[]): readonly string[] {
  return sources.map(({ id }) => id);
}
