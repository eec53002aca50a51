/**
 * Which apply worker applies what. Pure.
 *
 * Where the store commits side by side, of two workers one applies live and the other replay, each in a process of its own; when one is gone the other
 * takes both, and a third stands by until then. Where it does not, one applies both and the others stand by. Whoever applies something goes on with
 * it: a hand-over costs a claim. Two that apply the same for a moment do no harm: the store fences the older.
 */
import type { ApplyLane } from '@spillway/shared/api/worker-protocol';

export interface LaneHolder {
  readonly id: string;
  /** What it was told last. */
  readonly lanes: readonly ApplyLane[];
  /** It ticks: what one that does not holds is given to another. */
  readonly heard: boolean;
}

/** `members` in the order in which they joined. While none is heard, all stays as it is. */
export function divideLanes(
  members: readonly LaneHolder[],
  commitsSideBySide: boolean,
): ReadonlyMap<string, readonly ApplyLane[]> {
  const heard = members.filter((member) => member.heard);
  const holderOf = (lane: ApplyLane, among: readonly LaneHolder[]) =>
    among.find(({ lanes }) => lanes.includes(lane));
  const spare = heard.find(({ lanes }) => lanes.length === 0);
  const live = holderOf('live', heard) ?? spare ?? heard[0];
  if (live === undefined) return new Map(members.map(({ id, lanes }) => [id, lanes]));
  const others = heard.filter((member) => member !== live);
  const replay = commitsSideBySide ? (holderOf('replay', others) ?? others[0] ?? live) : live;
  return new Map(
    members.map((member) => [
      member.id,
      [...(member === live ? (['live'] as const) : []), ...(member === replay ? (['replay'] as const) : [])],
    ]),
  );
}
