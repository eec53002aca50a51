/**
 * Queues what reconnects left to fill, gives out the source slots, starts what was queued, and moves on what nobody else has moved. Acts; the
 * deciding is `fillsFor`'s and `assignSlots`'.
 */
import { assignSlots, type SlotChange, type SlotLane } from '@spillway/shared/backfill/slots';
import type { BackfillState } from '@spillway/shared/backfill/state-machine';
import { and, eq } from 'drizzle-orm';
import { announce } from '../backfill/announce.ts';
import { settle } from '../backfill/settle.ts';
import { lockBackfills, transition } from '../backfill/transition.ts';
import type { ControlContext } from '../context.ts';
import { unitOfWork } from '../database/database.ts';
import { lanes } from '../database/schema.ts';
import { queueReconnects } from '../sources/reconnect.ts';
import { advance } from '../workers/advance.ts';
import type { Governed } from './governed.ts';

/** True when it changed something: what was read is out of date then. */
export async function schedule(ctx: ControlContext, governed: readonly Governed[]): Promise<boolean> {
  const queued = await queueReconnects(ctx);
  const changes = [...Map.groupBy(governed, (backfill) => backfill.pipelineId).values()].flatMap(slotChanges);
  const stuck = governed.filter(mayAdvance).map((backfill) => backfill.id);
  const affected = new Set([...changes.map((change) => change.backfillId), ...stuck]);
  if (affected.size === 0) return queued;

  await unitOfWork(ctx.database, async (work) => {
    const { tx } = work;
    for (const row of await lockBackfills(tx, [...affected])) {
      const own = changes.filter((change) => change.backfillId === row.id);
      let now = row;
      // An operator may have been quicker: what has ended, or is ending, gets no slot; what was resumed keeps those it has.
      if (['queued', 'running', 'verifying', 'paused'].includes(row.state)) {
        for (const { sourceId, slotHeld } of own.filter((change) => holdsStill(change, governed, row.state)))
          await tx
            .update(lanes)
            .set({ slotHeld })
            .where(and(eq(lanes.backfillId, row.id), eq(lanes.sourceId, sourceId)));
        if (row.state === 'queued' && own.some((change) => change.slotHeld))
          now = await transition(tx, now, 'running');
      }
      now = await settle(tx, await advance(ctx, work, now));
      if (now.state !== row.state) work.afterCommit(() => announce(ctx, row.id));
    }
    work.afterCommit(() => ctx.workers.broadcast('replay', { type: 'wake' }));
  });
  return true;
}

/** What is given up because of a pause, or taken because there is none, was decided on a state that may have changed since. */
function holdsStill(
  { backfillId }: SlotChange,
  governed: readonly Governed[],
  state: BackfillState,
): boolean {
  const decided = governed.find(({ id }) => id === backfillId)?.state;
  return (decided === 'paused') === (state === 'paused');
}

export function slotLanes(ofPipeline: readonly Governed[]): SlotLane[] {
  return ofPipeline.flatMap((backfill) =>
    backfill.lanes.map((lane) => ({
      backfillId: backfill.id,
      sourceId: lane.sourceId,
      state: backfill.state,
      priority: backfill.priority,
      ordinal: backfill.ordinal,
      slotHeld: lane.slotHeld,
      finished: backfill.state === 'verifying' ? lane.verified : lane.done,
      mayStart:
        backfill.holds.length === 0 &&
        !backfill.replayPaused &&
        !backfill.staggered &&
        !waitsForIsolated(backfill),
      fillsGap: backfill.origin === 'reconnect',
    })),
  );
}

/** It would hold its slots for nothing, and others wait for them; any other backfill waits for the same workers as everybody. */
export function waitsForIsolated({ isolated, replayWorkers }: Governed): boolean {
  return isolated && replayWorkers === 0;
}

function slotChanges(ofPipeline: readonly Governed[]): SlotChange[] {
  return assignSlots(slotLanes(ofPipeline), ofPipeline[0]?.maxSourcesReplaying ?? 0);
}

/** What moves by itself in the transaction that makes it so; here for what a crash or a resume left behind. */
function mayAdvance(backfill: Governed): boolean {
  if (backfill.state === 'running')
    return backfill.subwindowsDone === backfill.subwindowsTotal || backfill.failedRuns > 0;
  return (backfill.state === 'pausing' || backfill.state === 'cancelling') && backfill.leases.length === 0;
}
