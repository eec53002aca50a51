import type { ControlContext } from '../context.ts';

export type Watermarks = Readonly<Record<string, number>>;

/** The event time live has reached, by source, as the apply worker last reported it. */
export function liveWatermarks(ctx: Pick<ControlContext, 'telemetry'>): Watermarks {
  return ctx.telemetry.watermarks();
}

/** Over several sources live is only as far as the one furthest behind. Null while one of them is unknown. */
export function lowest(watermarks: Watermarks, sourceIds: readonly string[]): number | null {
  let low: number | null = null;
  for (const id of sourceIds) {
    const at = watermarks[id];
    if (at === undefined) return null;
    low = low === null ? at : Math.min(low, at);
  }
  return low;
}
