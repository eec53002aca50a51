/**
 * A button that takes the place of another is pressed for it: the second half of a nervous double click on Pause lands on the Resume
 * that stands there by then, and would undo the brake. For this long after the swap a press is not believed to be meant.
 */
export const settlesMs = 600;

/** What stands in the place, and since when it does; null: nothing else has stood there. */
export interface Place {
  readonly shown: string;
  readonly sinceMs: number | null;
}

/** The same object while the same is shown. */
export function placeAfter(before: Place, shown: string, nowMs: number): Place {
  return before.shown === shown ? before : { shown, sinceMs: nowMs };
}

/** How long a press on it is not to be believed yet, ms; 0: it is meant. */
export function settlesInMs({ sinceMs }: Place, nowMs: number): number {
  return sinceMs === null ? 0 : Math.max(0, sinceMs + settlesMs - nowMs);
}
