import type { Grant } from '@spillway/shared/api/worker-protocol';
import type { ControlContext } from '../context.ts';
import { governorMemory } from './memory.ts';

/** Sends each worker the grants of its leases in one message. */
export function pushGrants(ctx: ControlContext, leaseIds: readonly string[]): void {
  const { grants } = governorMemory(ctx);
  const byWorker = new Map<string, Grant[]>();
  for (const leaseId of leaseIds) {
    const workerId = grants.workerOf(leaseId);
    const grant = grants.send(leaseId);
    if (workerId === undefined || grant === null) continue;
    byWorker.set(workerId, [...(byWorker.get(workerId) ?? []), grant]);
  }
  for (const [workerId, own] of byWorker) ctx.workers.push(workerId, { type: 'grants', grants: own });
}
