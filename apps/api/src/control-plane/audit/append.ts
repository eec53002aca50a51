import type { AuditAction } from '@spillway/shared/audit/actions';
import { eq, sql } from 'drizzle-orm';
import { redact, redactText } from '../access/redaction.ts';
import type { Actor, Clock } from '../context.ts';
import type { UnitOfWork } from '../database/database.ts';
import { audit, auditHead } from '../database/schema.ts';
import { genesisHash, rowHash } from './chain.ts';

export interface AuditInput {
  readonly actor: Actor;
  readonly action: AuditAction;
  /** Id of what was changed. */
  readonly target: string;
  readonly reason?: string | null;
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * Adds one row to the audit, in the transaction of the mutation it tells of: both are durable, or neither.
 *
 * The head row is locked until that transaction ends, so the chain has no forks. Call it last: whoever comes next waits from here on.
 */
export async function appendAudit(work: UnitOfWork, clock: Clock, input: AuditInput): Promise<void> {
  const head = await lockHead(work);
  const at = new Date(clock.now());
  const row = {
    sequence: head.sequence + 1,
    at: at.toISOString(),
    actor: input.actor.name,
    address: input.actor.address,
    action: input.action,
    target: input.target,
    reason: input.reason === undefined || input.reason === null ? null : redactText(input.reason),
    before: asJson(input.before),
    after: asJson(input.after),
    previousHash: head.hash,
  };
  const hash = rowHash(row);
  await work.tx.insert(audit).values({ ...row, at, hash });
  await work.tx.update(auditHead).set({ sequence: row.sequence, hash }).where(eq(auditHead.id, 1));
}

/** The upsert locks the row whether it was there or not, in one round trip. */
async function lockHead(work: UnitOfWork): Promise<{ sequence: number; hash: string }> {
  const [head] = await work.tx
    .insert(auditHead)
    .values({ id: 1, sequence: 0, hash: genesisHash })
    .onConflictDoUpdate({ target: auditHead.id, set: { id: sql`${auditHead.id}` } })
    .returning({ sequence: auditHead.sequence, hash: auditHead.hash });
  if (head === undefined) throw new Error('The head of the audit was not returned');
  return head;
}

/** As it will be read back: without secrets, without what JSON cannot say. */
function asJson(value: unknown): unknown {
  return value === undefined || value === null ? null : JSON.parse(JSON.stringify(redact(value)));
}
