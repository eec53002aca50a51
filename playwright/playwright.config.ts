import { join } from 'node:path';
import { defineConfig } from '@playwright/test';
import type { PatchPipeline } from '@spillway/shared/api/pipeline';
import { chromiumFlags, ensureChromium } from './chromium.ts';
import type { OfWorker } from './tests/started.ts';

// As in vitest.config.ts: the systems under test are started from modules compiled before.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, '../node_modules/.cache/compiled');

const COUNTS_SECONDS = /1-first-minutes/;
/** Two systems and two browsers on two cores have better things to do than to apply live events that nobody looks at. */
const BESIDE_OTHERS: PatchPipeline = { demo: { liveEventsPerSecond: 20 } };

/**
 * `browser` holds the tests, `alone` before it those that count seconds; `screenshots` writes the pictures of the docs, `matrix` those of
 * every screen in every state (see matrix.spec.ts); these two run only when asked for. Two workers, each with a real system of its own: much of what a person does is waiting.
 */
export default defineConfig<object, OfWorker>({
  globalSetup: './global-setup.ts',
  outputDir: '../test-results',
  workers: 2,
  fullyParallel: false,
  forbidOnly: Boolean(process.env.CI),
  retries: 0,
  timeout: 120_000,
  expect: { timeout: 10_000 },
  reporter: [['list'], ['json', { outputFile: '../reports/playwright.json' }]],
  use: {
    browserName: 'chromium',
    headless: true,
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    timezoneId: 'UTC',
    contextOptions: { reducedMotion: 'reduce' },
    screenshot: 'only-on-failure',
    // Without its film: taking a picture of every frame is work that a page at 1 Hz would have to share two cores with.
    trace: 'off',
    launchOptions: { executablePath: ensureChromium(), args: chromiumFlags },
  },
  projects: [
    { name: 'alone', testDir: './tests', testMatch: COUNTS_SECONDS },
    {
      name: 'browser',
      testDir: './tests',
      testIgnore: COUNTS_SECONDS,
      dependencies: ['alone'],
      use: { measured: true, pipeline: BESIDE_OTHERS },
    },
    { name: 'screenshots', testDir: './screenshots' },
    { name: 'matrix', testDir: './matrix', use: { measured: true, pipeline: BESIDE_OTHERS } },
  ],
});
