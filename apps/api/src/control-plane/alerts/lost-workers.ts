/**
 * Whose loss has left a role empty. Pure: every worker of the last day goes in, one of each such role comes out.
 *
 * A role is empty when nobody of it was heard for ten seconds; those that left count as heard then, so that one that is restarted has the time to
 * join. One that fell silent is missed until another of its role joins after it, wherever: who leaves answers for itself alone.
 *
 * Invariant: of an empty role somebody is lost exactly where somebody is missed.
 */
import type { WorkerRole } from '@spillway/shared/api/worker-protocol';

export interface WorkerFact {
  readonly id: string;
  readonly role: WorkerRole;
  readonly host: string;
  /** How long ago it joined. */
  readonly joinedMs: number;
  /** How long ago it was heard last. */
  readonly silentMs: number;
  /** By itself, or another has taken its place. */
  readonly left: boolean;
}

export interface LostWorker extends WorkerFact {
  /** Who was heard after it and has left by itself, last of all; null: nobody. */
  readonly leftSince: WorkerFact | null;
}

export const LOST_AFTER_MS = 10_000;

/** Of several that are missed the one heard last stands for them: who joined after it joined after them all. */
export function lostWorkers(workers: readonly WorkerFact[]): ReadonlyMap<WorkerRole, LostWorker> {
  const lost = new Map<WorkerRole, LostWorker>();
  for (const [role, members] of Map.groupBy(workers, (worker) => worker.role)) {
    const byHearing = members.toSorted((a, b) => a.silentMs - b.silentMs);
    const last = byHearing[0];
    const silent = byHearing.find(({ left }) => !left);
    if (last === undefined || silent === undefined || last.silentMs < LOST_AFTER_MS) continue;
    const isReplaced = members.some((other) => other !== silent && other.joinedMs < silent.silentMs);
    if (!isReplaced) lost.set(role, { ...silent, leftSince: last.left ? last : null });
  }
  return lost;
}
