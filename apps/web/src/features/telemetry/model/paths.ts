/** A point of a line; an unknown value is null and breaks the line. */
export interface LinePoint {
  readonly at: number;
  readonly value: number | null;
}

export interface Frame {
  readonly fromMs: number;
  readonly toMs: number;
  /** The value at the upper edge; 0 lies on the lower one. */
  readonly max: number;
  readonly width: number;
  readonly height: number;
}

export function xOf(at: number, { fromMs, toMs, width }: Frame): number {
  return toMs > fromMs ? ((at - fromMs) / (toMs - fromMs)) * width : 0;
}

export function yOf(value: number, { max, height }: Frame): number {
  return max > 0 ? height - (value / max) * height : height;
}

/** The `d` of a path. A known value between two unknown ones becomes a short stroke: it was measured and is shown. */
export function linePath(points: readonly LinePoint[], frame: Frame): string {
  let path = '';
  let drawing = false;
  for (const { at, value } of points) {
    if (value === null) {
      drawing = false;
      continue;
    }
    const place = `${xOf(at, frame).toFixed(1)} ${yOf(value, frame).toFixed(1)}`;
    path += drawing ? `L${place}` : `M${place}h.5`;
    drawing = true;
  }
  return path;
}
