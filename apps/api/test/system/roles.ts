/** The processes of a started system by what they do, from their command lines. */
import type { StartedSystem } from './started-system.ts';
import { until } from './until.ts';

const marks = {
  supervisor: /\/src\/start\.ts$/,
  api: /\/src\/server\.ts( --sole| --replaces [\d,]+)?$/,
  'replay worker': /\/src\/worker\.ts --role replay\b/,
  'apply worker': /\/src\/worker\.ts --role apply\b/,
  feed: /\/src\/worker\.ts --role feed\b/,
  'control database': /--dir \S+\/control --socket-dir/,
  'store database': /--dir \S+\/store --socket-dir/,
} as const;
export type Role = keyof typeof marks;

export function pidsOf(system: Pick<StartedSystem, 'processes'>, role: Role): number[] {
  return system
    .processes()
    .filter(({ command }) => marks[role].test(command))
    .map(({ pid }) => pid);
}

export async function pidOf(system: Pick<StartedSystem, 'processes'>, role: Role): Promise<number> {
  return until(`a ${role}`, () => pidsOf(system, role)[0]);
}

/** Of another process than `former`. */
export async function successorOf(
  system: Pick<StartedSystem, 'processes'>,
  role: Role,
  former: number,
): Promise<number> {
  return until(`another ${role}`, () => pidsOf(system, role).find((pid) => pid !== former));
}
