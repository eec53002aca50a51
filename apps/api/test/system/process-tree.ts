import { readdirSync, readFileSync } from 'node:fs';

/** What it takes is read when asked for: the kernel counts every page for it, and who looks for a process looks often. */
export interface RunningProcess {
  readonly pid: number;
  readonly command: string;
  /** Resident, pages shared with others counted in each. */
  readonly rssBytes: number;
  /** Resident, pages shared with others counted by their share: what the set of processes really takes. */
  readonly pssBytes: number;
}

/** A process and all its descendants, from /proc. */
export function processTree(root: number): RunningProcess[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (Number.isInteger(pid)) parents.set(pid, parentOf(pid));
  }
  const inTree = (pid: number): boolean =>
    pid === root || (parents.has(pid) && pid > 1 && inTree(parents.get(pid) as number));
  return [...parents.keys()]
    .filter(inTree)
    .map(describe)
    .filter((process) => process !== null);
}

function parentOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`);
  // The name in parentheses may hold anything.
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
}

function describe(pid: number): RunningProcess | null {
  const command = read(`/proc/${pid}/cmdline`).split('\0').join(' ').trim();
  if (command === '') return null;
  return {
    pid,
    command,
    get rssBytes() {
      return memoryOf(pid, 'Rss');
    },
    get pssBytes() {
      return memoryOf(pid, 'Pss');
    },
  };
}

/** 0 once it is gone. */
function memoryOf(pid: number, what: 'Rss' | 'Pss'): number {
  const rollup = read(`/proc/${pid}/smaps_rollup`);
  return Number(new RegExp(`^${what}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0) * 1024;
}

/** Empty for a process that has just ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
