import { readFileSync } from 'node:fs';

/** The kernel counts in hundredths of a second. */
const MS_PER_CLOCK_TICK = 10;

/** User and system time of a process since it began, ms. */
export function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, kernel] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(kernel)) * MS_PER_CLOCK_TICK;
}
