import type { Step } from './step.ts';

const tsc = (project: string): Step => ({ name: `types of ${project}`, command: ['tsc', '-p', project] });

/** One step per TypeScript project: each has its own idea of which globals exist. */
const typeSteps: Step[] = [
  tsc('packages/shared'),
  tsc('packages/shared/test'),
  tsc('apps/api'),
  tsc('apps/web'),
  tsc('tsconfig.json'),
];

/** `pnpm check`: everything that can be said about the code without running it. */
export const checkSteps: Step[] = [
  {
    name: 'lint',
    command: ['biome', 'ci', '--skip=suspicious/noImportCycles', '--skip=style/noRestrictedImports', '.'],
  },
  ...typeSteps,
  {
    name: 'boundaries',
    command: ['biome', 'lint', '--only=suspicious/noImportCycles', '--only=style/noRestrictedImports', '.'],
  },
  { name: 'unused', command: ['knip'] },
];
