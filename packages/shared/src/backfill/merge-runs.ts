/** A stretch of subwindows `[fromIndex, toIndex)` of one lane, all done, with what its attempts did. */
export interface DoneRun {
  readonly id: string;
  readonly fromIndex: number;
  readonly toIndex: number;
  readonly read: number;
  readonly published: number;
  /** Of these, what an attempt before had published already. */
  readonly again: number;
  readonly quarantined: number;
}

/**
 * Joins neighbours, so that a lane keeps a handful of rows however many subwindows it has. The first of those joined keeps its id.
 * Invariant: the subwindows covered and the sums are the same before and after.
 */
export function mergeDone(runs: readonly DoneRun[]): DoneRun[] {
  const merged: DoneRun[] = [];
  for (const run of runs.toSorted((a, b) => a.fromIndex - b.fromIndex)) {
    const last = merged.at(-1);
    if (last === undefined || last.toIndex !== run.fromIndex) {
      merged.push(run);
      continue;
    }
    merged[merged.length - 1] = {
      id: last.id,
      fromIndex: last.fromIndex,
      toIndex: run.toIndex,
      read: last.read + run.read,
      published: last.published + run.published,
      again: last.again + run.again,
      quarantined: last.quarantined + run.quarantined,
    };
  }
  return merged;
}
