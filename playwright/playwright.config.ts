import { defineConfig } from '@playwright/test';
import { chromiumFlags, ensureChromium } from './chromium.ts';

const COUNTS_SECONDS = /1-first-minutes/;

/**
 * `browser` holds the tests, `alone` before it those that count seconds; `screenshots` writes the pictures of the docs and runs only when
 * asked for. Two workers, each with a real system of its own: much of what a person does is waiting.
 */
export default defineConfig({
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
    trace: { mode: 'retain-on-failure', screenshots: false, sources: false },
    launchOptions: { executablePath: ensureChromium(), args: chromiumFlags },
  },
  projects: [
    { name: 'alone', testDir: './tests', testMatch: COUNTS_SECONDS },
    { name: 'browser', testDir: './tests', testIgnore: COUNTS_SECONDS, dependencies: ['alone'] },
    { name: 'screenshots', testDir: './screenshots' },
  ],
});
