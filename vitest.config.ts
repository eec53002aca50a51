import { defineConfig } from 'vitest/config';

const serial = { fileParallelism: false, maxWorkers: 1 };

/**
 * Three projects, each slower and closer to production than the one before. `sequence.groupOrder` keeps that
 * order: a wrong formula is reported before a process has been started for it.
 */
export default defineConfig({
  test: {
    environment: 'node',
    passWithNoTests: true,
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
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'conformance',
          include: ['apps/api/test/conformance/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          ...serial,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['apps/api/test/{integration,crash}/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          ...serial,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
