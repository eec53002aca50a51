/**
 * When a bucket is final: nothing more is expected for it.
 *
 *     final(bucket) = watermark ≥ bucket.end + allowed lateness        every connected source has passed it
 *                   ∧ bucket ⊆ (live coverage ∖ gaps) ∪ completed backfills
 *                   ∧ bucket ∩ unfinished backfills = ∅
 *
 * A gap is what a feed left out of live while it was disconnected; one that has not ended reaches to the end of time.
 *
 * A pure function of what is recorded, so the same question always gets the same answer. Live moves the watermark; replay
 * neither moves nor obeys it. A later backfill over the bucket makes it not final until that one has ended, and raises the bucket's version.
 */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Coverage {
  /** The lowest event time over all connected sources that live has reached; null while unknown. */
  readonly watermark: number | null;
  readonly allowedLatenessMs: number;
  /** Where live began; null when the pipeline has no live traffic. */
  readonly liveFrom: number | null;
  /** Left out of live; `to` is infinite while the outage lasts. */
  readonly gaps: readonly Span[];
  readonly completed: readonly Span[];
  readonly unfinished: readonly Span[];
}

export function isFinal(bucket: Span, coverage: Coverage): boolean {
  const { watermark, allowedLatenessMs, liveFrom, gaps, completed, unfinished } = coverage;
  if (watermark === null || watermark < bucket.to + allowedLatenessMs) return false;
  if (unfinished.some((span) => span.from < bucket.to && bucket.from < span.to)) return false;
  const live = liveFrom === null ? [] : without({ from: liveFrom, to: watermark }, gaps);
  return covers([...completed, ...live], bucket);
}

/** What is left of `whole` outside the holes, in order. */
export function without(whole: Span, holes: readonly Span[]): Span[] {
  const left: Span[] = [];
  let from = whole.from;
  for (const hole of holes.toSorted((a, b) => a.from - b.from)) {
    if (hole.from > from) left.push({ from, to: Math.min(hole.from, whole.to) });
    from = Math.max(from, hole.to);
    if (from >= whole.to) return left;
  }
  return from < whole.to ? [...left, { from, to: whole.to }] : left;
}

/** Whether the spans together hold all of `whole`. */
export function covers(spans: readonly Span[], whole: Span): boolean {
  let reached = whole.from;
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    if (span.from > reached) return false;
    reached = Math.max(reached, span.to);
    if (reached >= whole.to) return true;
  }
  return reached >= whole.to;
}
