/** The emergency brake: every backfill of the pipeline stops, and none begins, until it is lifted. */
import type { Receipt } from '@spillway/shared/api/backfill';
import { and, eq, notInArray } from 'drizzle-orm';
import { appendAudit } from '../audit/append.ts';
import type { Actor, ControlContext } from '../context.ts';
import type { Transaction, UnitOfWork } from '../database/database.ts';
import { backfills, holds, pipelines } from '../database/schema.ts';
import { governorMemory } from '../governor/memory.ts';
import { describe } from '../pipelines/queries.ts';
import { unknownPipeline } from '../pipelines/rows.ts';
import { announce } from './announce.ts';
import { type HeldLease, leasesOf, pushStop } from './command.ts';
import { openReceipt } from './receipts.ts';
import { liftHold } from './resume.ts';
import { settle } from './settle.ts';
import { type BackfillRow, lockBackfills, transition } from './transition.ts';

type Options = { reason?: string | null };

export async function pauseReplay(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  pipelineId: string,
  { reason = null }: Options = {},
): Promise<Receipt> {
  const { tx } = work;
  const affected = await lockUnfinished(tx, pipelineId);
  await setBrake(ctx, work, actor, pipelineId, true, reason);
  const leases = await leasesOf(tx, ...affected.map((row) => row.id));
  const receipt = await openReceipt(tx, {
    verb: 'pause_replay',
    backfillId: null,
    pipelineId,
    done: leases.length === 0,
  });
  if (affected.length > 0)
    await tx
      .insert(holds)
      .values(
        affected.map(({ id }) => ({
          ...{ backfillId: id, reason: 'brake' as const },
          ...{ detail: reason, by: actor.name },
        })),
      )
      .onConflictDoNothing();
  for (const row of affected) {
    // A proof under way gives its leases back and stays `verifying`: the table knows no pause there.
    if (row.state === 'running')
      await settle(tx, await transition(tx, row, 'pausing', { revision: row.revision + 1 }));
  }
  afterBrake(ctx, work, affected, leases);
  return receipt;
}

export async function resumeReplay(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  pipelineId: string,
  { reason = null }: Options = {},
): Promise<Receipt> {
  const { tx } = work;
  const affected = await lockUnfinished(tx, pipelineId);
  await setBrake(ctx, work, actor, pipelineId, false, reason);
  for (const row of affected) await liftHold(tx, row, 'brake');
  const receipt = await openReceipt(tx, { verb: 'resume_replay', backfillId: null, pipelineId, done: true });
  afterBrake(ctx, work, affected, []);
  return receipt;
}

async function lockUnfinished(tx: Transaction, pipelineId: string): Promise<BackfillRow[]> {
  const rows = await tx
    .select({ id: backfills.id })
    .from(backfills)
    .where(
      and(
        eq(backfills.pipelineId, pipelineId),
        notInArray(backfills.state, ['completed', 'cancelled', 'failed']),
      ),
    );
  return lockBackfills(
    tx,
    rows.map((row) => row.id),
  );
}

async function setBrake(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  pipelineId: string,
  replayPaused: boolean,
  reason: string | null,
): Promise<void> {
  const [pipeline] = await work.tx
    .select({ replayPaused: pipelines.replayPaused, revision: pipelines.revision })
    .from(pipelines)
    .where(eq(pipelines.id, pipelineId))
    .for('update');
  if (pipeline === undefined) throw unknownPipeline(pipelineId);
  const [after] = await work.tx
    .update(pipelines)
    .set({ replayPaused, revision: pipeline.revision + 1 })
    .where(eq(pipelines.id, pipelineId))
    .returning();
  if (after === undefined) throw unknownPipeline(pipelineId);
  const action = replayPaused ? 'pipeline.pause_replay' : 'pipeline.resume_replay';
  await appendAudit(work, ctx.clock, {
    actor,
    action,
    target: pipelineId,
    reason,
    before: { replayPaused: pipeline.replayPaused },
    after: { replayPaused },
  });
  const resource = await describe(ctx, work.tx, after, actor);
  work.afterCommit(() => ctx.changes.publish({ event: 'pipeline', data: { pipeline: resource } }));
}

function afterBrake(
  ctx: ControlContext,
  work: UnitOfWork,
  affected: readonly BackfillRow[],
  leases: readonly HeldLease[],
): void {
  work.afterCommit(async () => {
    pushStop(ctx, leases, 'pause');
    governorMemory(ctx).trigger();
    await announce(ctx, ...affected.map((row) => row.id));
  });
}
