/**
 * How far the user's groups are, from what the server says of them. Pure.
 *
 *     first unfinished = min(oldest pending, first entry after the last delivered)       none: all there is, is finished
 *     position         = just before it; without one, the newest id ever given out
 *
 * Whatever was delivered and not acknowledged counts as not passed, however long ago. A lag that the server does not know (nil, after removals)
 * is reckoned where that is exact, else counted by whoever asks (counts.ts).
 *
 * **Lost**: what was removed from the front before a group had it. While the stream begins after what the group was last given, everything on it
 * is undelivered; a server that has counted more undelivered than that has lost the difference. Of a stream that is replaced all is lost that was
 * not finished.
 */
import type { ExternalLook } from '../../data-plane/ports.ts';
import { type EntryId, isBefore, justBefore, offsetOfId } from './entry-id.ts';

export interface StreamFacts {
  readonly length: number;
  readonly newest: EntryId;
  /** Null: it is empty. */
  readonly oldest: EntryId | null;
  /** Ever. */
  readonly added: number;
  /** The newest that was ever removed by its id (XDEL); `0-0`: none. Null: the server does not say. */
  readonly removed: EntryId | null;
}

export interface GroupFacts {
  readonly name: string;
  readonly delivered: EntryId;
  /** Ever, as the server counts; null: it does not know. */
  readonly read: number | null;
  /** As the server says; null: it does not know. */
  readonly lag: number | null;
  readonly pending: number;
  readonly oldestPending: EntryId | null;
  /** First entry after the last delivered that is still there. */
  readonly nextUndelivered: EntryId | null;
  /** Counted because nothing else could tell; null: not counted, or too many. */
  readonly countedUndelivered: number | null;
}

/**
 * Whether it is another stream under the same name, or has been set back to how it once was: removed and made anew, flushed, restored, or its
 * server has come back without what it had not yet written down. Neither number falls while it stays the same, whatever is removed from it.
 */
export function isReplaced(before: StreamFacts, now: StreamFacts): boolean {
  return now.added < before.added || isBefore(now.newest, before.newest);
}

export function lookOf(
  stream: StreamFacts,
  groups: readonly GroupFacts[],
  nowMs: number,
): Omit<ExternalLook, 'replaced'> {
  const unfinished = groups.map(firstUnfinished).filter((id) => id !== null);
  const first = unfinished.reduce<EntryId | null>(
    (least, id) => (least === null || isBefore(id, least) ? id : least),
    null,
  );
  const backlog = worst(groups.map((group) => backlogOf(stream, group)));
  return {
    length: stream.length,
    lagEntries: backlog,
    lagMs: first === null ? 0 : ageOf(first, nowMs),
    position: offsetOfId(first === null ? stream.newest : justBefore(first)),
    finishedEntries: backlog === null ? null : Math.max(0, stream.added - backlog),
    lostEntries: Math.max(0, ...groups.map((group) => lostOf(stream, group))),
  };
}

function backlogOf(stream: StreamFacts, group: GroupFacts): number | null {
  const undelivered = undeliveredOf(stream, group);
  return undelivered === null ? null : group.pending + undelivered;
}

/** Null: only counting could tell. */
export function undeliveredOf(stream: StreamFacts, group: GroupFacts): number | null {
  if (group.nextUndelivered === null) return 0;
  if (beginsAfter(stream, group)) return stream.length;
  return group.lag ?? lagOf(stream, group) ?? group.countedUndelivered;
}

/**
 * As the server reckons it, and as right. It says nil already where the last entry that the group was given is the newest that was removed, as
 * consumers do that remove what they have finished; but of what the group was not given, nothing is missing then.
 */
function lagOf(stream: StreamFacts, { read, delivered }: GroupFacts): number | null {
  const { removed, added, length } = stream;
  if (read === null || removed === null || isBefore(delivered, removed)) return null;
  return Math.min(length, Math.max(0, added - read));
}

function firstUnfinished({ oldestPending, nextUndelivered }: GroupFacts): EntryId | null {
  if (oldestPending === null || nextUndelivered === null) return oldestPending ?? nextUndelivered;
  return isBefore(oldestPending, nextUndelivered) ? oldestPending : nextUndelivered;
}

function beginsAfter({ oldest }: StreamFacts, { delivered }: GroupFacts): boolean {
  return oldest === null || isBefore(delivered, oldest);
}

function lostOf(stream: StreamFacts, group: GroupFacts): number {
  if (group.read === null || !beginsAfter(stream, group)) return 0;
  return Math.max(0, stream.added - group.read - stream.length);
}

/** The most; unknown when one is. */
function worst(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>(
    (most, value) => (most === null || value === null ? null : Math.max(most, value)),
    0,
  );
}

/** Ids are times unless somebody gives out their own. */
const PLAUSIBLE_FROM_MS = Date.UTC(2010, 0, 1);

function ageOf({ ms }: EntryId, nowMs: number): number | null {
  const at = Number(ms);
  return at < PLAUSIBLE_FROM_MS || at > nowMs + 86_400_000 ? null : Math.max(0, nowMs - at);
}
