import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/**
 * Lowers a process's claim to the cores, 0 (none) to 19. Best effort: where it cannot be done, everything works, only not in this order.
 *
 * On Linux a process with a session of its own may also be a scheduling group of its own, and then only the group's niceness counts
 * against others.
 */
export function beNice(pid: number, niceness: number): void {
  if (niceness === 0) return;
  try {
    setPriority(pid, niceness);
    if (process.platform === 'linux') writeFileSync(`/proc/${pid}/autogroup`, String(niceness));
  } catch {
    // Gone already, or a kernel without groups.
  }
}
