import { randomUUID } from 'node:crypto';
import type { Receipt } from '@spillway/shared/api/backfill';
import { eq, sql } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import type { Transaction } from '../database/database.ts';
import { commands } from '../database/schema.ts';
import { ProblemError } from '../problem-error.ts';

type CommandRow = typeof commands.$inferSelect;

/** `done`: there was no worker to wait for. */
export async function openReceipt(
  tx: Transaction,
  command: {
    readonly verb: string;
    readonly backfillId: string | null;
    readonly pipelineId: string | null;
    readonly done: boolean;
  },
): Promise<Receipt> {
  const { done, ...columns } = command;
  // clock_timestamp: now() is when the transaction began, which may be before it waited for a lock.
  const at = sql`clock_timestamp()`;
  const id = `cm_${randomUUID().replaceAll('-', '')}`;
  const [row] = await tx
    .insert(commands)
    .values({ id, ...columns, requestedAt: at })
    .returning();
  return done ? settled(tx, id) : receiptOf(row as CommandRow);
}

async function settled(tx: Transaction, id: string): Promise<Receipt> {
  const [row] = await tx
    .update(commands)
    .set({ acknowledgedAt: sql`requested_at`, effectiveAt: sql`requested_at` })
    .where(eq(commands.id, id))
    .returning();
  return receiptOf(row as CommandRow);
}

/** Of a brake: it has been on since it was asked for. What a release overtook reaches nobody and takes no hold any more. */
const unreleased = sql`not exists (
  select 1 from commands released
  where released.pipeline_id = commands.pipeline_id and released.verb = 'resume_replay' and released.requested_at > commands.requested_at)`;

/** First reaction of a worker. */
export async function acknowledgeReceipts(tx: Transaction, backfillId: string): Promise<void> {
  await tx.execute(sql`
    update commands set acknowledged_at = greatest(requested_at, clock_timestamp())
    where acknowledged_at is null and effective_at is null
      and (backfill_id = ${backfillId} and verb in ('pause', 'cancel')
        or backfill_id is null and verb = 'pause_replay' and pipeline_id = (select pipeline_id from backfills where id = ${backfillId}) and ${unreleased})`);
}

/** What was asked has been done: the newest command of that verb. An older one that is still open was overtaken and never became effective. */
export async function settleReceipt(
  tx: Transaction,
  backfillId: string,
  verb: 'pause' | 'cancel',
): Promise<void> {
  await tx.execute(sql`
    update commands set acknowledged_at = coalesce(acknowledged_at, greatest(requested_at, reached.at)),
      effective_at = greatest(requested_at, acknowledged_at, reached.at)
    from (select clock_timestamp() as at) reached
    where effective_at is null and id = (select id from commands where backfill_id = ${backfillId} and verb = ${verb} order by requested_at desc limit 1)`);
}

/** The brake is effective when no lease of the pipeline is left; one that was released before that never became effective. */
export async function settleBrake(tx: Transaction, pipelineId: string): Promise<void> {
  await tx.execute(sql`
    update commands set acknowledged_at = coalesce(acknowledged_at, greatest(requested_at, reached.at)),
      effective_at = greatest(requested_at, acknowledged_at, reached.at)
    from (select clock_timestamp() as at) reached
    where pipeline_id = ${pipelineId} and backfill_id is null and verb = 'pause_replay' and effective_at is null
      and exists (select 1 from pipelines where id = ${pipelineId} and replay_paused) and ${unreleased}
      and not exists (select 1 from runs r join backfills b on b.id = r.backfill_id where b.pipeline_id = ${pipelineId} and r.state = 'leased')`);
}

export async function readReceipt(ctx: ControlContext, id: string): Promise<Receipt> {
  const [row] = await ctx.database.select().from(commands).where(eq(commands.id, id));
  if (row === undefined) throw new ProblemError('not_found', `There is no command ${id}.`);
  return receiptOf(row);
}

function receiptOf(row: CommandRow): Receipt {
  return {
    id: row.id,
    verb: row.verb,
    backfillId: row.backfillId,
    requestedAt: row.requestedAt.toISOString(),
    acknowledgedAt: row.acknowledgedAt?.toISOString() ?? null,
    effectiveAt: row.effectiveAt?.toISOString() ?? null,
  };
}

/** Throttles that every worker has acted on. */
export async function settleThrottles(tx: Transaction, commandIds: readonly string[]): Promise<void> {
  await tx.execute(sql`
    update commands set acknowledged_at = coalesce(acknowledged_at, greatest(requested_at, reached.at)),
      effective_at = greatest(requested_at, acknowledged_at, reached.at)
    from (select clock_timestamp() as at) reached
    where id = any(${sql.param([...commandIds])}::text[]) and effective_at is null`);
}
