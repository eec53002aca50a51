/**
 * Memberships that end for good: a worker says that it leaves, or somebody has seen its process end. Nobody publishes in its name any more, so
 * what it held is free in the same transaction.
 *
 * Invariant: nobody who has left holds a lease. A claim of the same worker that is under way either commits before, and what it was given is taken
 * back here, or waits for the row of the worker and is refused ({@link requireStillHere}).
 */
import { and, eq, isNull, type SQL, sql } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import { type Transaction, unitOfWork } from '../database/database.ts';
import { workers } from '../database/schema.ts';
import { governorMemory } from '../governor/memory.ts';
import { ProblemError } from '../problem-error.ts';
import { endLeasesOf } from './lost-leases.ts';

/** Whoever has left, or was never here, has left. Who stands by takes over at once. */
export async function leave(ctx: ControlContext, workerId: string): Promise<void> {
  // Heard for the last time: where its role is empty, it is from now on (alerts/lost-workers.ts).
  await endMemberships(ctx, eq(workers.id, workerId), { lastTickAt: sql`now()` });
  governorMemory(ctx).trigger();
}

export async function endMemberships(
  ctx: ControlContext,
  which: SQL | undefined,
  heard: { readonly lastTickAt?: SQL } = {},
): Promise<void> {
  await unitOfWork(ctx.database, async (work) => {
    const ended = await work.tx
      .update(workers)
      .set({ leftAt: sql`now()`, ...heard })
      .where(and(which, isNull(workers.leftAt)))
      .returning({ id: workers.id });
    if (ended.length === 0) return;
    const ids = ended.map(({ id }) => id);
    work.afterCommit(() => {
      for (const id of ids) governorMemory(ctx).members.delete(id);
    });
    await endLeasesOf(ctx, work, ids);
  });
}

/** Until the transaction ends it does not leave. Errors: `not_found`. */
export async function requireStillHere(tx: Transaction, workerId: string): Promise<void> {
  const [row] = await tx
    .select({ id: workers.id })
    .from(workers)
    .where(and(eq(workers.id, workerId), isNull(workers.leftAt)))
    .for('share');
  if (row === undefined) throw notHere(workerId);
}

export function notHere(workerId: string): ProblemError {
  return new ProblemError('not_found', `There is no worker ${workerId}: it has to join.`);
}
