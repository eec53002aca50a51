import { useSyncExternalStore } from 'react';

/** One timer for every clock on the page: ages tick together, and stop when nobody looks. */
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | null = null;
let nowMs = Date.now();

/** Calls back once a second, with everybody else. */
export function subscribeNow(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === null) {
    nowMs = Date.now();
    timer = setInterval(() => {
      nowMs = Date.now();
      for (const each of listeners) each();
    }, 1_000);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0 && timer !== null) {
      clearInterval(timer);
      timer = null;
    }
  };
}

/** Wall clock, epoch ms, to the second. */
export function useNow(): number {
  return useSyncExternalStore(subscribeNow, () => nowMs);
}
