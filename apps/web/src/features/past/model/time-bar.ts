/** Where things are on the time bar, and where a key leads: pure. */
import type { Timeline } from '@spillway/shared/api/past';
import { alertWords, sinceWords } from '../../alerts/model/alert-words.ts';
import { describeMarker } from '../../telemetry/model/markers.ts';

export type SpanName = 'PT1H' | 'P1D' | 'P30D';
export const spans: readonly { readonly value: SpanName; readonly label: string; readonly ms: number }[] = [
  { value: 'PT1H', label: '1 h', ms: 3_600_000 },
  { value: 'P1D', label: '24 h', ms: 86_400_000 },
  { value: 'P30D', label: '30 d', ms: 30 * 86_400_000 },
];

/** The shortest that reaches back so far. */
export function spanFor(ageMs: number): SpanName {
  return (spans.find(({ ms }) => ageMs < ms) ?? spans[2])?.value ?? 'P30D';
}

export interface BarRange {
  readonly fromMs: number;
  /** The right edge: the present, when the bar was drawn. */
  readonly toMs: number;
}

/** Shorter is no bar to drag a handle on. */
const SHORTEST_MS = 120_000;

/** What lies before anything was recorded takes no room: an hour of which two minutes are known is two minutes wide. */
export function rangeOf({
  from,
  to,
  recordedFrom,
}: Pick<Timeline, 'from' | 'to' | 'recordedFrom'>): BarRange {
  const toMs = Date.parse(to);
  const beginMs = Math.min(recordedFrom === null ? toMs : Date.parse(recordedFrom), toMs - SHORTEST_MS);
  return { fromMs: Math.max(Date.parse(from), beginMs), toMs };
}

/** The moment under a place of the bar, 0..1; null at its end, which is the present. */
export function momentAtPlace(place: number, { fromMs, toMs }: BarRange, stepMs: number): number | null {
  if (place >= 0.999) return null;
  const atMs = fromMs + Math.max(0, place) * (toMs - fromMs);
  return Math.floor(atMs / stepMs) * stepMs;
}

export function placeOf(atMs: number, { fromMs, toMs }: BarRange): number {
  return Math.min(1, Math.max(0, (atMs - fromMs) / (toMs - fromMs)));
}

/** Steps of Page Up and Page Down. */
const LONG_STEPS = 30;

/**
 * Where a key leads from a moment (null: the present); undefined: it is not a key of the bar. Never beyond the bar, and beyond the present
 * there is only the present.
 */
export function momentAfterKey(
  key: string,
  atMs: number | null,
  { fromMs, toMs }: BarRange,
  stepMs: number,
): number | null | undefined {
  const leads: Readonly<Record<string, number>> = {
    ArrowLeft: -stepMs,
    ArrowDown: -stepMs,
    ArrowRight: stepMs,
    ArrowUp: stepMs,
    PageDown: -LONG_STEPS * stepMs,
    PageUp: LONG_STEPS * stepMs,
  };
  if (key === 'Home') return Math.ceil(fromMs / stepMs) * stepMs;
  if (key === 'End' || key === 'Escape') return null;
  const lead = leads[key];
  if (lead === undefined) return undefined;
  if (atMs === null) return lead > 0 ? null : Math.floor((toMs + lead) / stepMs) * stepMs;
  const next = Math.floor((atMs + lead) / stepMs) * stepMs;
  return next >= toMs ? null : Math.max(next, Math.ceil(fromMs / stepMs) * stepMs);
}

export interface Mark {
  readonly atMs: number;
  /** Null: a moment, not a stretch. */
  readonly untilMs: number | null;
  readonly kind: 'deed' | 'warning' | 'critical';
  readonly text: string;
}

/** What somebody did and what was wrong, in order of time. An alert that is still raised reaches to the end of the bar. */
export function marksOf({ markers, alerts, to }: Pick<Timeline, 'markers' | 'alerts' | 'to'>): Mark[] {
  const deeds = markers.map(
    (marker): Mark => ({
      atMs: Date.parse(marker.at),
      untilMs: null,
      kind: 'deed',
      text: describeMarker(marker),
    }),
  );
  const wrongs = alerts.map(
    ({ code, severity, raisedAt, clearedAt }): Mark => ({
      atMs: Date.parse(raisedAt),
      untilMs: Date.parse(clearedAt ?? to),
      kind: severity,
      // Not its sentence: that follows what is measured, and is of its last moment.
      text: `${alertWords[code]}, ${severity}, ${sinceWords({ raisedAt, clearedAt }, null)}`,
    }),
  );
  return [...deeds, ...wrongs].sort((a, b) => a.atMs - b.atMs);
}

/**
 * The next mark in a direction, of those on the bar; null: there is none. Marks of one second are one stop. An alert is raised by what its
 * second showed, so its stop is the first whole second after it.
 */
export function nextMark(
  marks: readonly Mark[],
  atMs: number | null,
  direction: -1 | 1,
  { fromMs, toMs }: BarRange,
  stepMs: number,
): number | null {
  const stops = marks
    .map((mark) => Math.ceil(mark.atMs / stepMs) * stepMs)
    .filter((stop) => stop >= fromMs && stop < toMs);
  const here = atMs ?? toMs;
  return direction === -1
    ? (stops.findLast((stop) => stop < here) ?? null)
    : (stops.find((stop) => stop > here) ?? null);
}

/** What is marked within so many ms of a moment: the nearest deed, or else what was wrong. A deed is a small thing in the middle of a stretch. */
export function markNear(marks: readonly Mark[], atMs: number, withinMs: number): Mark | null {
  const far = ({ atMs: from, untilMs }: Mark) =>
    untilMs !== null && atMs >= from && atMs <= untilMs ? 0 : Math.abs(atMs - from);
  const [best] = marks
    .filter((mark) => far(mark) <= withinMs)
    .toSorted((a, b) => Number(a.untilMs !== null) - Number(b.untilMs !== null) || far(a) - far(b));
  return best ?? null;
}
