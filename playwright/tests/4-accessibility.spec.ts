import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { BackfillPage } from '../pages/backfill-page.ts';
import { BackfillsPage } from '../pages/backfills-page.ts';
import { NewBackfillPage } from '../pages/new-backfill-page.ts';
import { NowPage } from '../pages/now-page.ts';
import { PipelinePage } from '../pages/pipeline-page.ts';
import { cancelAll, expect, startLong, test } from './started.ts';

test.beforeEach(({ system }) => cancelAll(system));
test.afterEach(({ system }) => cancelAll(system));
// Every screen and dialog, each looked through as a whole.
test.setTimeout(240_000);

async function serious(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, help, nodes }) =>
        `${id}: ${help}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary?.replaceAll('\n', ' ').slice(0, 200)}`).join(' | ')}`,
    );
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`no serious finding of axe on any screen, ${colorScheme}`, async ({
    system,
    signedIn: page,
    browser,
  }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { id } = await startLong(system);
    const now = new NowPage(page);
    await now.open();
    await expect(now.tile('Replay rate')).toContainText('events/s', { timeout: 30_000 });
    await now.showChart();
    expect(await serious(page), 'Now').toEqual([]);

    const pipeline = new PipelinePage(page);
    await pipeline.open();
    await expect(pipeline.signal('liveFreshnessMsP99')).toBeVisible();
    await expect(pipeline.disconnect('west')).toBeVisible();
    expect(await serious(page), 'Pipeline').toEqual([]);
    await pipeline.signal('storeCommitMsP99').getByRole('button').click();
    await expect(page.getByRole('dialog')).toBeVisible();
    expect(await serious(page), 'the dialog of a target').toEqual([]);
    await page.keyboard.press('Escape');
    await pipeline.probes.getByRole('button', { name: 'Add probe' }).click();
    await expect(page.getByRole('dialog')).toBeVisible();
    expect(await serious(page), 'the dialog of a probe').toEqual([]);
    await page.keyboard.press('Escape');
    await pipeline.startDrill.click();
    await expect(pipeline.drillDialog.safe).toBeFocused();
    expect(await serious(page), 'the dialog of a drill').toEqual([]);
    await pipeline.drillDialog.safe.click();

    const backfills = new BackfillsPage(page);
    await backfills.open();
    await expect(backfills.table.row(id)).toBeVisible();
    expect(await serious(page), 'Backfills').toEqual([]);

    const fresh = new NewBackfillPage(page);
    await fresh.open();
    await expect(fresh.map).toBeVisible();
    await fresh.largestHole.click();
    expect(await serious(page), 'New').toEqual([]);

    const backfill = new BackfillPage(page);
    await backfill.open(id);
    await expect(backfill.audit).toContainText('browser test');
    expect(await serious(page), 'Backfill').toEqual([]);
    await backfill.cancel.click();
    await expect(backfill.cancelDialog.keep).toBeFocused();
    expect(await serious(page), 'the dialog that cancels').toEqual([]);

    const context = await browser.newContext({ colorScheme, reducedMotion: 'reduce' });
    const stranger = await context.newPage();
    await stranger.goto(`${system.url}/sign-in`);
    await expect(stranger.getByLabel('Sign-in code')).toBeVisible();
    expect(await serious(stranger), 'Sign in').toEqual([]);
    await context.close();
  });
}

test('at 320 px nothing is cut off sideways', async ({ system, signedIn: page }) => {
  const { id } = await startLong(system);
  await page.setViewportSize({ width: 320, height: 800 });
  for (const path of ['/', '/pipeline', '/backfills', '/backfills/new', `/backfills/${id}`]) {
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible({ timeout: 15_000 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(320);
  }
});
