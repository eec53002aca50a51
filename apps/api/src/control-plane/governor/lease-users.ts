/** Who can use leases as things stand, and which are to be given back to those who lack them. */
import { callBack, type LeaseUser } from '@spillway/shared/backfill/call-back';
import type { HeldLease } from '../backfill/command.ts';
import type { ControlContext } from '../context.ts';
import { leaseWorkers } from '../workers/membership.ts';
import type { Governed } from './governed.ts';
import type { GovernorMemory } from './memory.ts';

/** After the rates have been decided. They are named again until they have been given back. */
export function leasesToCallBack(
  ctx: ControlContext,
  memory: Pick<GovernorMemory, 'grants'>,
  governed: readonly Governed[],
): HeldLease[] {
  const users = governed.map((backfill) => userOf(memory, backfill));
  return callBack(users, leaseWorkers(ctx)).map(({ leaseId, workerId }) => ({ id: leaseId, workerId }));
}

function userOf({ grants }: Pick<GovernorMemory, 'grants'>, backfill: Governed): LeaseUser {
  const { id, state, leases, lanes, readyRuns, concurrency } = backfill;
  const stopped = backfill.holds.length > 0 || backfill.replayPaused;
  const mayPublish = state === 'running' && grants.planned(backfill.pipelineId, id) > 0;
  const unread = state === 'running' && lanes.some((lane) => lane.slotHeld && !lane.nothingNew);
  return {
    backfillId: id,
    priority: backfill.priority,
    ordinal: backfill.ordinal,
    concurrency,
    lastServedMs: grants.lastServedMs(id),
    isolated: backfill.isolated,
    canUse: !stopped && (mayPublish || state === 'verifying'),
    wants: unread ? concurrency : leases.length + readyRuns,
    leases: leases.map((lease) => ({
      leaseId: lease.id,
      kind: lease.kind,
      workerId: lease.workerId,
      heldMs: grants.heldMs(lease.id),
      hasPublished: grants.hasPublished(lease.id),
    })),
  };
}
