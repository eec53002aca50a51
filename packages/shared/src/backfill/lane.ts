/** One source of one backfill: `[laneFrom, laneTo)` in event time, epoch ms, cut into subwindows from `laneFrom` on. */
export interface LaneShape {
  readonly laneFrom: number;
  readonly laneTo: number;
  readonly subwindowMs: number;
}

export function subwindowCount({ laneFrom, laneTo, subwindowMs }: LaneShape): number {
  return Math.ceil((laneTo - laneFrom) / subwindowMs);
}

/** Where subwindow `index` begins. The last one may be cut short by the end of the lane. */
export function subwindowStart({ laneFrom, laneTo, subwindowMs }: LaneShape, index: number): number {
  return Math.min(laneTo, laneFrom + index * subwindowMs);
}

/** Event time of the subwindows `[fromIndex, toIndex)`. */
export function rangeOf(lane: LaneShape, fromIndex: number, toIndex: number): { from: number; to: number } {
  return { from: subwindowStart(lane, fromIndex), to: subwindowStart(lane, toIndex) };
}
