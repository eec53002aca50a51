import type { WorkerResource } from '@spillway/shared/api/session';

/** Whether anybody is at work who may read history: for one that asks for isolated workers, such a worker. */
export function readable(
  workers: readonly Pick<WorkerResource, 'role' | 'state' | 'tags'>[],
  isolated: boolean,
): boolean {
  return workers.some(
    ({ role, state, tags }) =>
      role === 'replay' && state === 'working' && (!isolated || tags.includes('isolated')),
  );
}
