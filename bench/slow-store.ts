/**
 * A store that really is slower: its process is stopped and continued fifty times a second. Whatever it does takes longer in that
 * proportion, in pieces shorter than a commit, as on a machine that it shares.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { pidsOf } from '../apps/api/test/system/roles.ts';
import { type StartedSystem, signal } from '../apps/api/test/system/started-system.ts';

export interface SlowStore {
  /** Part of the time it may run, 0..1; 1 leaves it alone. */
  runs(part: number): void;
  end(): Promise<void>;
}

const PERIOD_MS = 20;

export function slowStore(system: StartedSystem): SlowStore {
  const [pid] = pidsOf(system, 'store database');
  if (pid === undefined) throw new Error('the store runs in no process of its own');
  let part = 1;
  let ended = false;
  const turning = (async () => {
    while (!ended) {
      if (part < 1) signal(pid, 'SIGSTOP');
      await delay(PERIOD_MS * (1 - part));
      signal(pid, 'SIGCONT');
      await delay(PERIOD_MS * part);
    }
  })();
  return {
    runs: (wanted) => void (part = wanted),
    async end() {
      ended = true;
      await turning;
      signal(pid, 'SIGCONT');
    },
  };
}
