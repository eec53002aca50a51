/** A quantity that changes at given moments: in force from `fromMs` until the next one. */
export type Timeline<T> = readonly { readonly fromMs: number; readonly value: T }[];

/** Before the first moment the first value holds. */
export function valueAt<T>(timeline: Timeline<T>, nowMs: number): T {
  let found = timeline[0];
  for (const step of timeline) if (step.fromMs <= nowMs) found = step;
  if (found === undefined) throw new RangeError('a timeline holds one value at least');
  return found.value;
}

/** A span of virtual time, half-open, ms. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export function within({ fromMs, toMs }: Span, nowMs: number): boolean {
  return fromMs <= nowMs && nowMs < toMs;
}
