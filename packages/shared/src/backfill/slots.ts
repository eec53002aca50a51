/**
 * Who holds the pipeline's source slots (`maxSourcesReplaying`).
 *
 * A lane holds its slot from running through verifying, also while paused: it must be able to go on when it is resumed. The one
 * exception keeps a backfill with more sources than slots from waiting for itself: a lane with nothing left to do hands
 * its slot to a lane of the same backfill that waits. Free slots go by priority, then by age.
 */
import type { BackfillState } from './state-machine.ts';

export interface SlotLane {
  readonly backfillId: string;
  readonly sourceId: string;
  readonly state: BackfillState;
  readonly priority: number;
  readonly ordinal: number;
  readonly slotHeld: boolean;
  /** Nothing to do in this phase: all its subwindows are applied, or it is proved. */
  readonly finished: boolean;
  /** May begin: no hold, no brake. */
  readonly mayStart: boolean;
}

export interface SlotChange {
  readonly backfillId: string;
  readonly sourceId: string;
  readonly slotHeld: boolean;
}

const waitsIn: readonly BackfillState[] = ['queued', 'running', 'verifying'];

export function assignSlots(lanes: readonly SlotLane[], slots: number): SlotChange[] {
  const waiting = lanes
    .filter((lane) => !lane.slotHeld && lane.mayStart && needsSlot(lane))
    .toSorted((a, b) => b.priority - a.priority || a.ordinal - b.ordinal);
  const idle = lanes.filter((lane) => lane.slotHeld && lane.finished);
  const changes: SlotChange[] = [];
  let free = slots - lanes.filter((lane) => lane.slotHeld).length;

  for (const lane of waiting) {
    if (free <= 0) {
      const lender = idle.findIndex((other) => other.backfillId === lane.backfillId);
      if (lender < 0 || free < 0) continue;
      const [{ backfillId, sourceId }] = idle.splice(lender, 1) as [SlotLane];
      changes.push({ backfillId, sourceId, slotHeld: false });
      free += 1;
    }
    changes.push({ backfillId: lane.backfillId, sourceId: lane.sourceId, slotHeld: true });
    free -= 1;
  }
  return changes;
}

/** A queued backfill whose lanes are all done (a retry of a failed proof) still needs one slot to begin. */
function needsSlot(lane: SlotLane): boolean {
  return lane.state === 'queued' || (waitsIn.includes(lane.state) && !lane.finished);
}
