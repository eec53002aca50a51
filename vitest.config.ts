import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { slowestFirst } from './scripts/slowest-first.ts';

/** Whole systems and killed processes. What they promise is generous with time, and a third of theirs is waiting: three at a time on two cores. */
const systems = [
  'apps/api/test/crash/**/*.test.ts',
  'apps/api/test/integration/{system,supervise,history,store,backfill-,leases}*.test.ts',
];
/**
 * Those of them that take longest, longest first: who begins with them has no worker left alone with one at the end. By itself Vitest has
 * nothing but the length of a file to go by, and a clean clone no times of earlier runs.
 */
const longest = [
  'integration/system-cost',
  'crash/system',
  'integration/system-servers',
  'crash/lost-workers',
  'integration/system-external',
  'integration/system-kafka',
  'crash/second-api',
  'integration/system-sources',
  'integration/system-redis',
  'crash/supervise-installation',
  'integration/store-start',
].map((name) => `/test/${name}.test.ts`);
/** What is counted in milliseconds, and what takes all of both cores: one at a time, or they would measure each other. */
const timed = ['apps/api/test/integration/{leases,backfill-stress,supervise-wire-server}.test.ts'];
/** What is counted in seconds, and waits for most of them: two at a time, a core for each. */
const waiting = [
  'apps/api/test/crash/{drill,store-stall,supervise-watchdog}.test.ts',
  'apps/api/test/integration/system.test.ts',
];
/** A module of Node is replaced for those alone who have not loaded it yet: a process for each file. */
const mocking = {
  unit: ['apps/api/test/unit/probe-{address,look-up}.test.ts'],
  integration: ['apps/api/test/integration/webhooks.test.ts'],
};
/** For the projects that start databases. */
const globalSetup = 'apps/api/test/fixtures/database-templates.ts';

/**
 * Projects, each slower and closer to production than the one before. `sequence.groupOrder` keeps that
 * order: a wrong formula is reported before a process has been started for it. Two workers wherever nothing counts time, by name: by
 * itself Vitest leaves one of two cores alone, and runs what has one worker last.
 */
export default defineConfig({
  test: {
    environment: 'node',
    passWithNoTests: true,
    // Hundreds of processes are started from the same modules: compiled once.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/compiled') },
    sequence: { sequencer: slowestFirst(longest) },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            'packages/**/test/**/*.test.ts',
            'apps/*/src/**/*.test.ts',
            'apps/*/test/unit/**/*.test.ts',
            'scripts/**/*.test.ts',
          ],
          exclude: mocking.unit,
          // A process for each of a hundred files, which loads its modules anew, costs more than the tests in them.
          isolate: false,
          testTimeout: 30_000,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'unit, mocking',
          include: mocking.unit,
          testTimeout: 30_000,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'conformance',
          globalSetup,
          include: ['apps/api/test/conformance/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          globalSetup,
          include: ['apps/api/test/integration/**/*.test.ts'],
          exclude: [...systems, ...mocking.integration],
          isolate: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'integration, mocking',
          globalSetup,
          include: mocking.integration,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          globalSetup,
          include: systems,
          exclude: [...timed, ...waiting],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'timed',
          globalSetup,
          include: timed,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: {
          name: 'waiting',
          globalSetup,
          include: waiting,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
