/**
 * One started system for a worker's tests, and pages that are signed in to it. Starting and signing in are the slow parts; what a test
 * needs to be alone with, it makes itself: a backfill, and a browser context, of its own.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, test as base, expect, type Page } from '@playwright/test';
import type { Backfill, StartBackfill } from '@spillway/shared/api/backfill';
import type { PatchPipeline, Pipeline, Source } from '@spillway/shared/api/pipeline';
import { startMeasuredSystem } from '../../apps/api/test/system/measured-system.ts';
import { configurePipeline } from '../../apps/api/test/system/pipelines.ts';
import { type StartedSystem, startSystem } from '../../apps/api/test/system/started-system.ts';

type Cookies = Parameters<BrowserContext['addCookies']>[0];

export interface OfWorker {
  /** It starts past its beginnings, not from nothing as a newcomer's does. */
  readonly measured: boolean;
  /** How the pipeline is set before the first test; null: as the product comes. */
  readonly pipeline: PatchPipeline | null;
  /** Where the system may read history from; empty. */
  readonly sourceFolder: string;
  readonly system: StartedSystem;
  /** Of an admin. */
  readonly session: Cookies;
}
interface OfTest {
  /** As admin; nothing is opened yet. */
  readonly signedIn: Page;
}

export const test = base.extend<OfTest, OfWorker>({
  measured: [false, { scope: 'worker', option: true }],
  pipeline: [null, { scope: 'worker', option: true }],
  sourceFolder: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads from the pattern what a fixture needs.
    async ({}, use) => {
      const folder = mkdtempSync(join(tmpdir(), 'spillway-sources-'));
      await use(folder);
      rmSync(folder, { recursive: true, force: true });
    },
    { scope: 'worker' },
  ],
  system: [
    async ({ measured, pipeline, sourceFolder }, use) => {
      // Receivers of webhooks are servers of the tests.
      const env = { SPILLWAY_WEBHOOK_HOSTS: '127.0.0.1', SPILLWAY_SOURCE_DIRS: sourceFolder };
      const system = await (measured ? startMeasuredSystem(env) : startSystem({ env }));
      if (pipeline !== null) await configurePipeline(system, pipeline);
      await use(system);
      await system.remove();
    },
    { scope: 'worker', timeout: 300_000 },
  ],
  session: [
    async ({ system, browser }, use) => {
      const context = await browser.newContext();
      const page = await context.newPage();
      // With a fresh code: the one of the ready line belongs to the newcomer.
      const { body } = await system.call('POST', '/v1/sign-in-codes', {});
      await page.goto(`${system.url}/#code=${body.code}`);
      await page.getByRole('navigation', { name: 'Screens' }).waitFor();
      const cookies = await context.cookies();
      await context.close();
      await use(cookies);
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  signedIn: async ({ context, session, page }, use) => {
    await context.addCookies(session);
    await use(page);
  },
  baseURL: async ({ system }, use) => use(system.url),
});
export { expect };

/** Capacity is measured and every source is counted: before, what is quoted is unknown, truly. */
export async function untilKnown(system: StartedSystem): Promise<void> {
  const unknown = async () => {
    const { capacity } = (await system.call('GET', '/v1/pipelines/flights')).body as Pipeline;
    const { items } = (await system.call('GET', '/v1/sources')).body as { items: Source[] };
    const uncounted = items.filter(({ events }) => events === null).map(({ id }) => id);
    return capacity.eventsPerSecond === null ? ['capacity', ...uncounted] : uncounted;
  };
  await expect.poll(unknown, { timeout: 90_000 }).toEqual([]);
}

export const fourWeeks = { from: '2001-02-05T00:00:00Z', to: '2001-03-05T00:00:00Z' };

/**
 * Four weeks of history by themselves, 25 minutes at their rate: longer than any test, on any machine. What can be known is known before.
 * A test that waits for the end starts something short of its own.
 */
export async function startLong(system: StartedSystem, body: Partial<StartBackfill> = {}): Promise<Backfill> {
  await untilKnown(system);
  const { status, body: started } = await system.call('POST', '/v1/backfills', {
    pipelineId: 'flights',
    window: fourWeeks,
    limits: { eventsPerSecond: 300 },
    reason: 'browser test',
    ...body,
  });
  expect(status, JSON.stringify(started)).toBe(201);
  return started;
}

export async function stateOf(system: StartedSystem, id: string): Promise<Backfill['state']> {
  return (await system.call('GET', `/v1/backfills/${id}`)).body.state;
}

/** What a test has started it ends, so that the next has the pipeline to itself. */
export async function cancelAll(system: StartedSystem): Promise<void> {
  const { items } = (
    await system.call('GET', '/v1/backfills?limit=200&state=queued,running,pausing,paused,verifying,failed')
  ).body;
  for (const { id } of items as Backfill[]) {
    await system.call('POST', `/v1/backfills/${id}/cancel`, { reason: 'browser test is over' });
    await expect.poll(() => stateOf(system, id), { timeout: 30_000 }).toMatch(/cancelled|completed/);
  }
}
