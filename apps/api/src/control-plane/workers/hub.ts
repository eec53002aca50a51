import type { WorkerPush, WorkerRole } from '@spillway/shared/api/worker-protocol';
import type { WorkerHub } from '../context.ts';
import { roleOf } from './worker-id.ts';

/** In memory: the connections of this process. A worker that is not connected misses a push, and learns of it by its next tick. */
export function createWorkerHub(): WorkerHub {
  const listeners = new Map<string, Set<(message: WorkerPush) => void>>();

  function push(workerId: string, message: WorkerPush): void {
    for (const listener of [...(listeners.get(workerId) ?? [])]) listener(message);
  }
  return {
    push,
    broadcast(role: WorkerRole, message) {
      for (const workerId of [...listeners.keys()]) if (roleOf(workerId) === role) push(workerId, message);
    },
    subscribe(workerId, listener) {
      const own = listeners.get(workerId) ?? new Set();
      listeners.set(workerId, own.add(listener));
      return () => {
        own.delete(listener);
        if (own.size === 0 && listeners.get(workerId) === own) listeners.delete(workerId);
      };
    },
  };
}
