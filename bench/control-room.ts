/** A browser signed in to a started system, and what it can tell of its own work. */
import { type CDPSession, chromium, type Page } from '@playwright/test';
import type { StartedSystem } from '../apps/api/test/system/started-system.ts';
import { chromiumFlags, ensureChromium } from '../playwright/chromium.ts';

export interface ControlRoom {
  readonly page: Page;
  readonly devtools: CDPSession;
  close(): Promise<void>;
}

/** As an admin, in a window of 1280 × 800; nothing is opened yet. */
export async function openControlRoom(system: StartedSystem): Promise<ControlRoom> {
  const browser = await chromium.launch({ executablePath: ensureChromium(), args: chromiumFlags });
  const context = await browser.newContext({
    baseURL: system.url,
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    timezoneId: 'UTC',
  });
  const page = await context.newPage();
  const { body } = await system.call('POST', '/v1/sign-in-codes', {});
  await page.goto(`/#code=${body.code}`);
  await page.getByRole('navigation', { name: 'Screens' }).waitFor();
  const devtools = await context.newCDPSession(page);
  return { page, devtools, close: () => browser.close() };
}

/** Main-thread time in scripts since the page was opened, s. */
export async function scriptSeconds(devtools: CDPSession): Promise<number> {
  const { metrics } = await devtools.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'ScriptDuration')?.value ?? Number.NaN;
}

/** After a garbage collection, MiB. */
export async function heapMiB(devtools: CDPSession): Promise<number> {
  await devtools.send('HeapProfiler.collectGarbage');
  return (await devtools.send('Runtime.getHeapUsage')).usedSize / 2 ** 20;
}
