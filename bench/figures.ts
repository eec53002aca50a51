export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What was promised: `atMost` or `atLeast`. */
  readonly promised: { readonly atMost?: number; readonly atLeast?: number } | null;
  readonly met: boolean | null;
  readonly detail?: unknown;
}

export function figure(
  name: string,
  value: number,
  unit: string,
  promised: Figure['promised'] = null,
  detail?: unknown,
): Figure {
  const rounded = Math.round(value * 100) / 100;
  const met =
    promised === null
      ? null
      : value <= (promised.atMost ?? Number.POSITIVE_INFINITY) &&
        value >= (promised.atLeast ?? Number.NEGATIVE_INFINITY);
  return { name, value: rounded, unit, promised, met, ...(detail === undefined ? {} : { detail }) };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}
