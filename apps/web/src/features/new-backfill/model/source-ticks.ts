/**
 * Which sources are ticked, and what a start would be refused for. Of those that the window does not touch: by name, and they are left out where nobody
 * named any. Of one that the window touches, and of which it asks for more than retention has left: always.
 */
import type { Source } from '@spillway/shared/api/pipeline';
import { formatWindow } from '../../../lib/instant.ts';
import { eventsText, quarantineNote, wholeFromText } from '../../sources/model/source-words.ts';
import type { Span } from './brush.ts';
import type { DraftProblems } from './draft.ts';

export interface TickableSource {
  readonly id: string;
  /** What it holds; null: not counted yet. */
  readonly range: { readonly from: string; readonly to: string } | null;
  /** Its retention has removed what it held before. Absent: nothing, as far as is known. */
  readonly wholeFrom?: Source['wholeFrom'];
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

interface Refused {
  readonly outside: readonly TickableSource[];
  /** The window begins before they are whole. */
  readonly cut: readonly TickableSource[];
  /** There is no other: it is the window that has to change. */
  readonly all: boolean;
}

function refusedOf(
  sources: readonly TickableSource[],
  ticked: readonly string[],
  window: Span | null,
): Refused {
  const chosen = sources.filter(({ id }) => ticked.includes(id));
  const outside = chosen.filter((source) => !touches(source, window));
  const cut = chosen.filter((source) => isCut(source, window));
  // Where all of the pipeline's are ticked nobody has named any.
  const leavesOut = chosen.length === sources.length && outside.length < chosen.length;
  return { outside: leavesOut ? [] : outside, cut, all: outside.length + cut.length === chosen.length };
}

/** Those of the ticked ones for which the start would be refused. */
export function refusedIds(
  sources: readonly TickableSource[],
  ticked: readonly string[],
  window: Span | null,
): readonly string[] {
  const { outside, cut } = refusedOf(sources, ticked, window);
  return idsOf([...outside, ...cut]);
}

/** Why it would be, for all of them at once. */
export function tickProblem(
  sources: readonly TickableSource[],
  ticked: readonly string[],
  window: Span | null,
): DraftProblems {
  const { outside, cut, all } = refusedOf(sources, ticked, window);
  const sentences = [
    ...(outside.length === 0
      ? []
      : [
          `The window does not touch ${all && cut.length === 0 ? 'what the sources hold: ' : ''}${listOf(outside, held)}.`,
        ]),
    ...(cut.length === 0
      ? []
      : [
          `Retention has removed what ${listOf(cut, lost)}: begin the window no earlier${all ? '' : `, or untick ${cut.length === 1 ? 'it' : 'them'}`}.`,
        ]),
  ];
  return sentences.length === 0 ? {} : { [all ? 'from' : 'sourceIds']: sentences.join(' ') };
}

/** Beside a tick: what the source holds, and what a start with it would be refused for. */
export function tickWords(
  source: Pick<Source, 'events' | 'failure' | 'id' | 'range' | 'state' | 'statistics' | 'wholeFrom'>,
  window: Span | null,
): string {
  const { failure, range, state } = source;
  if (failure !== null) return `failed, and would fail the backfill: ${failure.detail}`;
  const quarantine = quarantineNote(source);
  return [
    range === null ? eventsText(source) : `${eventsText(source)}, ${formatWindow(range)}`,
    ...(quarantine === null ? [] : [quarantine]),
    ...(state === 'disconnected' ? ['live feed disconnected'] : []),
    ...(touches(source, window) ? [] : ['the window does not touch it']),
    ...(isCut(source, window)
      ? [`the window asks for what its retention has removed: it is whole from ${wholeFromText(source)} on`]
      : []),
  ].join(' · ');
}

const NAMED_MAX = 5;
const listed = new Intl.ListFormat('en-GB');

function listOf(sources: readonly TickableSource[], words: (source: TickableSource) => string): string {
  const named = sources.slice(0, NAMED_MAX).map(words);
  const more = sources.length - NAMED_MAX;
  return listed.format(more > 0 ? [...named, `${more} more`] : named);
}

function held({ id, range }: TickableSource): string {
  return range === null ? id : `${id} (${formatWindow(range)})`;
}

function lost(source: TickableSource): string {
  return `${source.id} held before ${wholeFromText(source)}`;
}

/** What is not touched is no gap: nothing of it was asked for. */
function isCut(source: TickableSource, window: Span | null): boolean {
  const { wholeFrom } = source;
  return (
    window !== null &&
    window.toMs > window.fromMs &&
    wholeFrom !== undefined &&
    window.fromMs < Date.parse(wholeFrom) &&
    touches(source, window)
  );
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
