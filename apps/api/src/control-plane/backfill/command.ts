/** What the verbs on a backfill have in common: find it, lock it, ask the table. */
import {
  allowedVerbs,
  type BackfillVerb,
  isPossible,
  verbStates,
} from '@spillway/shared/backfill/state-machine';
import { and, eq, inArray } from 'drizzle-orm';
import type { Actor, ControlContext } from '../context.ts';
import type { Transaction, UnitOfWork } from '../database/database.ts';
import { holds, runs } from '../database/schema.ts';
import { governorMemory } from '../governor/memory.ts';
import { ProblemError } from '../problem-error.ts';
import { announce } from './announce.ts';
import { unknownBackfill } from './queries.ts';
import { mayOperate } from './resource.ts';
import { type BackfillRow, lockBackfill } from './transition.ts';

/** Errors: `unknown_backfill`; `illegal_transition`, naming the state, what holds it where that is why, and what is allowed. */
export async function lockFor(
  verb: BackfillVerb,
  tx: Transaction,
  actor: Actor,
  id: string,
): Promise<BackfillRow> {
  const row = await lockBackfill(tx, id);
  if (row === null) throw unknownBackfill(id);
  const held = {
    state: row.state,
    holds: await tx.select({ reason: holds.reason }).from(holds).where(eq(holds.backfillId, id)),
  };
  if (isPossible(verb, held)) return row;
  const reasons = verbStates[verb].includes(row.state) ? held.holds.map(({ reason }) => lifting[reason]) : [];
  throw new ProblemError(
    'illegal_transition',
    [`A ${row.state} backfill cannot be told to ${verb}.`, ...reasons].join(' '),
    { state: row.state, allowedActions: allowedVerbs(held, mayOperate(actor)) },
  );
}

/** What lifts a hold that resuming does not. */
const lifting = {
  operator: '',
  budget: 'It is held by its budget: raise or remove that.',
  brake: 'It is held by the emergency brake: release that.',
  storm: 'It is held by a replay storm, until that is over.',
} as const;

export interface HeldLease {
  readonly id: string;
  readonly workerId: string;
}

export async function leasesOf(tx: Transaction, ...backfillIds: readonly string[]): Promise<HeldLease[]> {
  const rows = await tx
    .select({ id: runs.id, workerId: runs.workerId })
    .from(runs)
    .where(and(inArray(runs.backfillId, [...backfillIds]), eq(runs.state, 'leased')));
  return rows.flatMap(({ id, workerId }) => (workerId === null ? [] : [{ id, workerId }]));
}

/** The moment the command is durable: the workers first, then the governor, then the browsers. */
export function afterCommand(
  ctx: ControlContext,
  work: UnitOfWork,
  backfillId: string,
  stop: { leases: readonly HeldLease[]; why: 'pause' | 'cancel' | 'revoked' } | null = null,
): void {
  work.afterCommit(() => {
    if (stop !== null) pushStop(ctx, stop.leases, stop.why);
    governorMemory(ctx).trigger();
    return announce(ctx, backfillId);
  });
}

export function pushStop(
  ctx: ControlContext,
  leases: readonly HeldLease[],
  why: 'pause' | 'cancel' | 'revoked' | 'called_back',
): void {
  for (const [workerId, held] of Map.groupBy(leases, (lease) => lease.workerId)) {
    ctx.workers.push(workerId, { type: 'stop', leaseIds: held.map((lease) => lease.id), why });
  }
}
