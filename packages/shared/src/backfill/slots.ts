/**
 * Who holds the pipeline's source slots (`maxSourcesReplaying`).
 *
 * A lane holds its slot from running through verifying. A backfill that is paused gives its slots up: what stands still, perhaps for days,
 * must not keep others from running. When it is resumed it waits for slots again, among the others by priority and age. They are given
 * away only once the release is written down, so that a resume in between finds its slots as they were.
 *
 * Otherwise a slot is kept, with one exception that keeps a backfill with more sources than slots from waiting for itself: a lane with nothing
 * left to do hands its slot to a lane of the same backfill that waits. Free slots go by priority, then by age. Backfills that fill
 * the gaps of one source take turns: however far apart they are, together they are one source that came back.
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
  /** Fills a gap that an outage left. */
  readonly fillsGap: boolean;
}

export interface SlotChange {
  readonly backfillId: string;
  readonly sourceId: string;
  readonly slotHeld: boolean;
}

const waitsIn: readonly BackfillState[] = ['queued', 'running', 'verifying'];
/** Holders that are named; the others are counted. */
const NAMED_MAX = 3;

export function assignSlots(lanes: readonly SlotLane[], slots: number): SlotChange[] {
  const waiting = lanes
    .filter((lane) => !lane.slotHeld && lane.mayStart && needsSlot(lane))
    .toSorted((a, b) => b.priority - a.priority || a.ordinal - b.ordinal);
  const paused = lanes.filter((lane) => lane.slotHeld && lane.state === 'paused');
  const idle = lanes.filter((lane) => lane.slotHeld && lane.finished && !paused.includes(lane));
  const holding = lanes.filter((lane) => lane.slotHeld);
  const changes = paused.map((lane) => changed(lane, false));
  let free = slots - holding.length;

  for (const lane of waiting) {
    if (aheadOf(lane, holding) !== null) continue;
    if (free <= 0) {
      const lender = idle.findIndex((other) => other.backfillId === lane.backfillId);
      if (lender < 0 || free < 0) continue;
      const [lent] = idle.splice(lender, 1) as [SlotLane];
      changes.push(changed(lent, false));
      free += 1;
    }
    changes.push(changed(lane, true));
    holding.push(lane);
    free -= 1;
  }
  return changes;
}

/** Why backfills have no slot, in words; those that have one are not in it. */
export function slotWaits(lanes: readonly SlotLane[], slots: number): ReadonlyMap<string, string> {
  const holding = lanes.filter((lane) => lane.slotHeld);
  return new Map(
    [...Map.groupBy(lanes, (lane) => lane.backfillId)]
      .filter(([, own]) => !own.some((lane) => lane.slotHeld))
      .map(([backfillId, own]) => [backfillId, waitOf(own, holding, slots)]),
  );
}

function waitOf(own: readonly SlotLane[], holding: readonly SlotLane[], slots: number): string {
  for (const lane of own) {
    const ahead = aheadOf(lane, holding);
    if (ahead !== null) return `waits for ${ahead.backfillId}, which fills another gap of ${lane.sourceId}`;
  }
  const waits = 'waits for a source slot of the pipeline';
  const holders = [...new Set(holding.map((lane) => lane.backfillId))];
  if (holding.length < slots || holders.length === 0) return waits;
  const more = holders.length - NAMED_MAX;
  const named = [...holders.slice(0, NAMED_MAX), ...(more > 0 ? [`${more} more`] : [])];
  const who = named.length === 1 ? named[0] : `${named.slice(0, -1).join(', ')} and ${named.at(-1)}`;
  return `${waits}: ${who} ${holders.length === 1 ? 'holds' : 'hold'} ${slots === 1 ? 'the only one' : `all ${slots}`}`;
}

/** Of those that hold a slot, the one whose turn it is before this lane's. */
function aheadOf(lane: SlotLane, holding: readonly SlotLane[]): SlotLane | null {
  if (!lane.fillsGap) return null;
  return (
    holding.find(
      (other) => other.fillsGap && other.sourceId === lane.sourceId && other.backfillId !== lane.backfillId,
    ) ?? null
  );
}

function changed({ backfillId, sourceId }: SlotLane, slotHeld: boolean): SlotChange {
  return { backfillId, sourceId, slotHeld };
}

/** A queued backfill whose lanes are all done (a retry of a failed proof) still needs one slot to begin. */
function needsSlot(lane: SlotLane): boolean {
  return lane.state === 'queued' || (waitsIn.includes(lane.state) && !lane.finished);
}
