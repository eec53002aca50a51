import type { Change, Changes } from './context.ts';

/** Delivery in this process, in order, at once. A listener that throws harms neither the publisher nor the others. */
export function createChanges(onListenerError: (error: unknown) => void = () => {}): Changes {
  const listeners = new Set<(change: Change) => void>();
  return {
    publish(change) {
      for (const listener of listeners) {
        try {
          listener(change);
        } catch (error) {
          onListenerError(error);
        }
      }
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
