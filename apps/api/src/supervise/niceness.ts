/**
 * Live before replay, on the machine's cores too: where everything shares them, whoever answers operators goes first, then who
 * applies live events, and the replay reader takes what is left (not less: at 15 it came too late to its own rate, and lost 14 % of
 * it). Niceness, 0 to 19; a user may always raise it.
 *
 * An embedded store is as nice as who applies to it, both lanes of it. Beside servers, which are not ours to slow down, who applies live
 * claims as much as they do, and who applies replay alone as little as its reader.
 *
 * On Linux a session may be a scheduling group of its own, and then only the group's niceness counts against others. All of it is
 * best effort: where it cannot be done, everything works, only not in this order.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import type { LaneName } from '../data-plane/apply/next-batch.ts';

export const NICENESS = { operators: 0, store: 2, besideServers: 0, replay: 8 } as const;

/** Where a process stands among the others. Whatever throws could not be done. */
export interface Standing {
  own(): number;
  setOwn(niceness: number): void;
  /** Of its group; null: it leads none, and another's is not its to change. */
  group(): number | null;
  setGroup(niceness: number): void;
}

/** A kernel that has just been told of some group takes nothing from who has no rights for a tenth of a second (EAGAIN). */
const AGAIN_MS = 150;
const TRIES = 10;

/** Lowers the claim of a process with a session of its own. */
export function beNice(pid: number, niceness: number, tries = TRIES): void {
  if (niceness === 0) return;
  const standing = standingOf(pid);
  attempt(() => standing.setOwn(niceness));
  if (attempt(() => standing.setGroup(niceness)) === 'later' && tries > 1)
    setTimeout(() => beNice(pid, niceness, tries - 1), AGAIN_MS).unref();
}

/**
 * Of this process: as nice as replay's reader while it applies replay alone, and as it was begun otherwise. To be told with every tick: what could not be
 * set for the moment is set with the next one. What only who has the right could take back, of its own niceness, is never given up: it may be given live.
 */
export function nicerWithReplay(standing = standingOf(process.pid)): (lanes: readonly LaneName[]) => void {
  const begun = { own: known(() => standing.own()), group: known(() => standing.group()) };
  const mayTakeBack = begun.own !== null && mayRaise(standing, begun.own);
  let now: 'begun' | 'nicer' = 'begun';
  return (lanes) => {
    const wanted = lanes.includes('replay') && !lanes.includes('live') ? 'nicer' : 'begun';
    if (wanted === now) return;
    const from = (begunAt: number) => (wanted === 'nicer' ? Math.max(begunAt, NICENESS.replay) : begunAt);
    const { own, group } = begun;
    if (own !== null && mayTakeBack) attempt(() => standing.setOwn(from(own)));
    if (group !== null && attempt(() => standing.setGroup(from(group))) === 'later') return;
    now = wanted;
  };
}

/** Only trying tells, on every system: one step up, and back. */
function mayRaise(standing: Standing, niceness: number): boolean {
  if (attempt(() => standing.setOwn(niceness - 1)) !== 'done') return false;
  return attempt(() => standing.setOwn(niceness)) === 'done';
}

/** `never`: gone already, a kernel without groups, or no right. */
function attempt(set: () => void): 'done' | 'later' | 'never' {
  try {
    set();
    return 'done';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? 'later' : 'never';
  }
}

function known<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** Its threads that run JavaScript; those that collect its garbage keep theirs. */
function standingOf(pid: number): Standing {
  return {
    own: () => getPriority(pid),
    setOwn: (niceness) => setPriority(pid, niceness),
    group() {
      // Everything behind the name, which may hold anything: state, parent, process group, session.
      const [, , , session] = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      if (Number(session) !== pid) return null;
      return Number(/nice (-?\d+)/.exec(readFileSync(`/proc/${pid}/autogroup`, 'utf8'))?.[1]);
    },
    setGroup: (niceness) => writeFileSync(`/proc/${pid}/autogroup`, String(niceness)),
  };
}
