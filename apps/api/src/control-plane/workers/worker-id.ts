import { randomUUID } from 'node:crypto';
import { type WorkerRole, workerRoles } from '@spillway/shared/api/worker-protocol';

/** The role is part of the id, so that a restarted api knows what a worker does that connects again. */
export function newWorkerId(role: WorkerRole): string {
  return `${role}-${randomUUID().replaceAll('-', '').slice(0, 16)}`;
}

export function roleOf(workerId: string): WorkerRole | undefined {
  return workerRoles.find((role) => workerId.startsWith(`${role}-`));
}
