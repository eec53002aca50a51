import type { Page } from '@playwright/test';
import { AuditPage } from '../pages/audit-page.ts';
import { BackfillPage } from '../pages/backfill-page.ts';
import { BackfillsPage } from '../pages/backfills-page.ts';
import { CostPage } from '../pages/cost-page.ts';
import { NewBackfillPage } from '../pages/new-backfill-page.ts';
import { NowPage } from '../pages/now-page.ts';
import { PipelinePage } from '../pages/pipeline-page.ts';
import { ReadinessPage } from '../pages/readiness-page.ts';
import { Room } from '../pages/room.ts';
import { SettingsPage } from '../pages/settings-page.ts';
import { StreamsPage } from '../pages/streams-page.ts';
import { TimeBar } from '../pages/time-bar.ts';
import { expectNoSeriousFinding } from './axe.ts';
import { walkFocus } from './focus.ts';
import { addOwnHistory } from './own-history.ts';
import { cancelAll, expect, fourWeeks, startLong, test } from './started.ts';

test.beforeEach(({ system }) => cancelAll(system));
test.afterEach(({ system }) => cancelAll(system));
// Every screen and dialog, each looked through as a whole.
test.setTimeout(240_000);

test('no serious finding of axe on any screen or dialog, in light and in dark', async ({
  system,
  signedIn: page,
  browser,
}) => {
  const { id } = await startLong(system);
  const now = new NowPage(page);
  await now.open();
  await expect(now.tile('Replay rate')).toContainText('events/s', { timeout: 30_000 });
  await now.showChart();
  await expectNoSeriousFinding(page, 'Now');
  // Some seconds ago, when the api was up; by the bar one might land where a test before has killed it.
  await page.goto(`/?at=${new Date(Date.now() - 5_000).toISOString()}`);
  await expect(new TimeBar(page).band).toBeVisible();
  await expect(now.sentence).toBeVisible();
  await expectNoSeriousFinding(page, 'Now in the past');

  const pipeline = new PipelinePage(page);
  await pipeline.open();
  await expect(pipeline.signal('liveFreshnessMsP99')).toBeVisible();
  await expect(pipeline.disconnect('west')).toBeVisible();
  await expectNoSeriousFinding(page, 'Pipeline');
  await pipeline.signal('storeCommitMsP99').getByRole('button').click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await expectNoSeriousFinding(page, 'the dialog of a target', 'dialog');
  await page.keyboard.press('Escape');
  await pipeline.probes.getByRole('button', { name: 'Add probe' }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await expectNoSeriousFinding(page, 'the dialog of a probe', 'dialog');
  await page.keyboard.press('Escape');
  await pipeline.startDrill.click();
  await expect(pipeline.drillDialog.safe).toBeFocused();
  await expectNoSeriousFinding(page, 'the dialog of a drill', 'dialog');
  await pipeline.drillDialog.safe.click();

  const streams = new StreamsPage(page);
  await streams.open();
  await expect(streams.chart).toBeVisible({ timeout: 15_000 });
  await expectNoSeriousFinding(page, 'Streams');

  await new ReadinessPage(page).open();
  await expectNoSeriousFinding(page, 'Readiness');

  const cost = new CostPage(page);
  await cost.open();
  await expect(cost.row(id)).toBeVisible();
  await cost.edit.click();
  await expect(cost.price('Write-ahead log')).toBeVisible();
  await expectNoSeriousFinding(page, 'Cost, with its form');

  const backfills = new BackfillsPage(page);
  await backfills.open();
  await expect(backfills.table.row(id)).toBeVisible();
  await expectNoSeriousFinding(page, 'Backfills');

  const fresh = new NewBackfillPage(page);
  await fresh.open();
  await expect(fresh.map).toBeVisible();
  await fresh.largestHole.click();
  await expect(fresh.figure('Rate')).toHaveText(/events\/s/, { timeout: 30_000 });
  await expectNoSeriousFinding(page, 'New, with its quote');

  const backfill = new BackfillPage(page);
  await backfill.open(id);
  await expect(backfill.audit).toContainText('browser test');
  await expect(backfill.costFigure('Spent until now')).toBeVisible();
  await expectNoSeriousFinding(page, 'Backfill');
  await backfill.cancel.click();
  await expect(backfill.cancelDialog.keep).toBeFocused();
  await expectNoSeriousFinding(page, 'the dialog that cancels', 'dialog');

  const context = await browser.newContext();
  const stranger = await context.newPage();
  await stranger.goto(`${system.url}/sign-in`);
  await expect(stranger.getByLabel('Sign-in code')).toBeVisible();
  await expectNoSeriousFinding(stranger, 'Sign in');
  await context.close();
});

test('nor on what is for the installation as a whole: Audit, Settings and their dialogs', async ({
  system,
  signedIn: page,
}) => {
  const { id } = await startLong(system);
  const audit = new AuditPage(page);
  await audit.open(`?target=${id}`);
  await audit.changes(audit.entry('started'));
  await audit.verify.click();
  await expect(audit.chain).toContainText('Intact');
  await expectNoSeriousFinding(page, 'Audit, with an open entry');

  const settings = new SettingsPage(page);
  await settings.open();
  await expect(settings.sources.locator('[data-row]').first()).toBeVisible();
  await expectNoSeriousFinding(page, 'Settings');
  await settings.makeToken.click();
  await expect(settings.dialog.getByLabel('Name')).toBeFocused();
  await expectNoSeriousFinding(page, 'the dialog of a token', 'dialog');
  await settings.dialog.getByLabel('Name').fill('of the axe walk');
  await settings.button('Make token').click();
  await expect(settings.secret).toBeVisible();
  await expectNoSeriousFinding(page, 'a token that is shown once', 'dialog');
  await settings.button('Done').click();
  await settings.addWebhook.click();
  await expect(settings.dialog.getByLabel('Name')).toBeFocused();
  await expectNoSeriousFinding(page, 'the dialog of a webhook', 'dialog');
  await page.keyboard.press('Escape');
});

test('nor when there is trouble: at an undo, at what is over or was cancelled, at a live path at risk', async ({
  system,
  sourceFolder,
  signedIn: page,
}) => {
  const backfill = new BackfillPage(page);
  const history = await addOwnHistory(system, sourceFolder, { id: 'one-broken', broken: 1 });
  try {
    await backfill.open(await history.replay());
    await expect(backfill.state).toHaveText('Completed', { timeout: 60_000 });
    await expect(backfill.quarantine).toContainText('one-broken.jsonl line 2');
    await expect(backfill.cost.locator('dl').first()).toBeVisible();
    await expectNoSeriousFinding(page, 'a completed Backfill, with its quarantine');
    await expectNothingSideways(page, 'a completed Backfill');
  } finally {
    await history.remove();
  }

  const cancelled = await startLong(system);
  await cancelAll(system);
  await backfill.open(cancelled.id);
  await expect(backfill.state).toHaveText('Cancelled', { timeout: 15_000 });
  await expect(backfill.audit).toContainText('browser test is over');
  await expectNoSeriousFinding(page, 'a cancelled Backfill');
  await expectNothingSideways(page, 'a cancelled Backfill');

  const { id } = await startLong(system);
  const now = new NowPage(page);
  await now.open();
  await now.backfills
    .row(id)
    .getByRole('button', { name: `Pause ${id}` })
    .click();
  const undo = new Room(page).undo(/pausing/);
  // Under the pointer it stays for as long as one looks at it.
  await undo.hover();
  await expectNoSeriousFinding(page, 'Now, with an undo');
  await undo.click();
  await expect(now.backfills.state(id)).toHaveText('Running', { timeout: 15_000 });

  const { status, body } = await system.call('POST', '/v1/pipelines/flights/drills', { forMs: 20_000 });
  expect(status, JSON.stringify(body)).toBe(202);
  await expect(now.sentence).toContainText('Live path at risk', { timeout: 20_000 });
  await expect(now.alerts).toContainText('Store stalled', { timeout: 10_000 });
  await expectNoSeriousFinding(page, 'Now in a fire drill');
  await expectNothingSideways(page, 'Now in a fire drill');
  await expect(now.sentence, 'it was looked at while it was so').toContainText('Live path at risk');
  await now.releaseStore.click();
  // The next test begins with a store that answers.
  await expect(now.sentence).toContainText('Live path is safe', { timeout: 60_000 });
});

test('on every screen the keyboard reaches everything and shows where it is, and nothing is cut off at any width', async ({
  system,
  signedIn: page,
}) => {
  const { id } = await startLong(system, { reason: 'w'.repeat(500) });
  const past = new Date(Date.now() - 10_000).toISOString();
  for (const path of [
    `/?at=${past}`,
    `/pipeline?at=${past}`,
    '/',
    '/pipeline',
    '/streams',
    '/cost',
    '/readiness',
    '/backfills',
    // With its quote and all that stands in it.
    `/backfills/new?from=${fourWeeks.from}&to=${fourWeeks.to}`,
    `/backfills/${id}`,
    '/audit',
    '/settings',
  ]) {
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible({ timeout: 15_000 });
    await expect(page.locator('.mantine-Skeleton-root')).toHaveCount(0, { timeout: 15_000 });
    const { stops, unseen, unreached } = await walkFocus(page);
    // The brand, six screens, the palette and the account stand on every screen.
    expect(stops, path).toBeGreaterThan(10);
    expect(unseen, `${path}: has the focus and does not show it`).toEqual([]);
    expect(unreached, `${path}: is not reached by Tab`).toEqual([]);
    await expectNothingSideways(page, path);
  }
});

/** From the smallest phone to a wall of 4K: the page is never wider than its window, which is left as it was. */
async function expectNothingSideways(page: Page, screen: string): Promise<void> {
  const before = page.viewportSize();
  for (const width of [320, 390, 3_840]) {
    await page.setViewportSize({ width, height: 800 });
    await expect
      .poll(() => page.evaluate(() => document.documentElement.scrollWidth), `${screen} at ${width} px`)
      .toBeLessThanOrEqual(width);
  }
  if (before !== null) await page.setViewportSize(before);
}
