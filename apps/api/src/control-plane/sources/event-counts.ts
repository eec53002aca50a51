/** Events per step as prefix sums, with the repetition of the history worked out by arithmetic. */
export interface EventCounts {
  readonly from: number;
  readonly stepMs: number;
  /** `sums[i]` events before `from + i·stepMs`, in one lap. */
  readonly sums: Float64Array;
  readonly laps: { readonly spanMs: number; readonly laps: number } | null;
}

export function eventCounts(counted: {
  from: number;
  stepMs: number;
  counts: Uint32Array;
  laps: EventCounts['laps'];
}): EventCounts {
  const sums = new Float64Array(counted.counts.length + 1);
  counted.counts.forEach((count, index) => {
    sums[index + 1] = (sums[index] as number) + count;
  });
  return { from: counted.from, stepMs: counted.stepMs, sums, laps: counted.laps };
}

/**
 * Events with `range.from <= at < range.to`: exact when the range lies on steps, otherwise the cut step counts by its share,
 * rounded to a whole event.
 */
export function eventsIn(counts: EventCounts, range: { readonly from: number; readonly to: number }): number {
  return Math.max(0, Math.round(eventsBefore(counts, range.to) - eventsBefore(counts, range.from)));
}

/** At least and at most so many: the same when the range lies on steps; otherwise nobody knows where in a cut step its events lie. */
export function eventBounds(
  counts: EventCounts,
  range: { readonly from: number; readonly to: number },
): { readonly low: number; readonly high: number } {
  const { from, to } = range;
  const inner = { from: stepEdge(counts, from, Math.ceil), to: stepEdge(counts, to, Math.floor) };
  const outer = { from: stepEdge(counts, from, Math.floor), to: stepEdge(counts, to, Math.ceil) };
  return { low: inner.from < inner.to ? eventsIn(counts, inner) : 0, high: eventsIn(counts, outer) };
}

/** The edge before or after `at`, of the steps of its lap. */
function stepEdge(
  { from, stepMs, laps }: EventCounts,
  at: number,
  toEdge: (steps: number) => number,
): number {
  const begun =
    laps === null ? 0 : clamp(Math.floor((at - from) / laps.spanMs), 0, Math.max(0, laps.laps - 1));
  const lapFrom = laps === null ? from : from + begun * laps.spanMs;
  return lapFrom + toEdge((at - lapFrom) / stepMs) * stepMs;
}

function eventsBefore(counts: EventCounts, at: number): number {
  if (counts.laps === null) return inOneLap(counts, at);
  const { spanMs, laps } = counts.laps;
  const total = counts.sums[counts.sums.length - 1] as number;
  // A lap may reach a little past its span (the file's last rows lie in the next lap's first minute): only the laps whose
  // events can lie on both sides of `at` are looked into, every earlier one counts whole.
  const lengthMs = (counts.sums.length - 1) * counts.stepMs;
  const whole = clamp(Math.floor((at - counts.from - lengthMs) / spanMs) + 1, 0, laps);
  const begun = clamp(Math.floor((at - counts.from) / spanMs) + 1, 0, laps);
  let events = whole * total;
  for (let lap = whole; lap < begun; lap++) events += inOneLap(counts, at - lap * spanMs);
  return events;
}

function inOneLap({ from, stepMs, sums }: EventCounts, at: number): number {
  const place = clamp((at - from) / stepMs, 0, sums.length - 1);
  const step = Math.floor(place);
  const before = sums[step] as number;
  return before + (place - step) * ((sums[step + 1] ?? before) - before);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
