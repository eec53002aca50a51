import type { Browser, Page } from '@playwright/test';
import type { StartedSystem } from '../../apps/api/test/system/started-system.ts';
import { BackfillPage } from '../pages/backfill-page.ts';
import { cancelAll, expect, startLong, test } from './started.ts';

test.beforeEach(({ system }) => cancelAll(system));
test.afterEach(({ system }) => cancelAll(system));

test('two people throttle one backfill: the second sees who changed what and when, and chooses; nothing is lost', async ({
  system,
  browser,
}) => {
  const { id } = await startLong(system);
  const limits = async () => (await system.call('GET', `/v1/backfills/${id}`)).body.limits;
  const ana = await person(system, browser, 'ana');
  const ben = await person(system, browser, 'ben');
  const hers = new BackfillPage(ana);
  const his = new BackfillPage(ben);
  await hers.open(id);
  await his.open(id);

  await test.step('both begin to edit; he is the first to apply', async () => {
    await write(hers, 150);
    await write(his, 77);
    await his.throttle.getByRole('textbox', { name: 'Concurrency' }).fill('6');
    await his.applyThrottle.click();
    await expect(his.receipt).toContainText('In effect: 77 events/s; concurrency 6', { timeout: 15_000 });
  });

  await test.step('what she has written stays, beside what is in force now', async () => {
    await expect(hers.throttle).toContainText('In force: 77 events/s; concurrency 6', { timeout: 15_000 });
    await expect(hers.rate).toHaveValue('150 events/s');
  });

  await test.step('she is told who, when and what, and takes hers', async () => {
    await hers.applyThrottle.click();
    await expect(hers.staleEdit).toContainText(
      /^ben changed this backfill at \d\d:\d\d:\d\d UTC, while you were editing\./,
    );
    await expect(hers.staleEdit.getByRole('listitem')).toHaveText([
      'rate: 300 events/s → 77 events/s',
      'concurrency: 4 → 6',
    ]);
    await expect(hers.rate).toHaveValue('150 events/s');
    expect(await limits()).toMatchObject({ eventsPerSecond: 77, concurrency: 6 });
    await hers.staleEdit.getByRole('button', { name: 'Apply mine instead' }).click();
    await expect(hers.receipt).toContainText('In effect: 150 events/s', { timeout: 15_000 });
    // She has changed the rate alone.
    expect(await limits()).toMatchObject({ eventsPerSecond: 150, concurrency: 6 });
    await expect(hers.staleEdit).toBeHidden();
  });

  await test.step('then he is the second, and leaves hers', async () => {
    await expect(his.throttle).toContainText('In force: 150 events/s', { timeout: 15_000 });
    await write(his, 60);
    await write(hers, 200);
    await hers.applyThrottle.click();
    // Above the rate that is in force, and above the safe one only where the machine is slow.
    await hers.receipt.filter({ hasText: 'In effect: 200' }).or(hers.raiseDialog.root).waitFor();
    if (await hers.raiseDialog.root.isVisible()) await hers.raiseDialog.raise.click();
    await expect(hers.receipt).toContainText('In effect: 200 events/s', { timeout: 15_000 });
    await his.applyThrottle.click();
    await expect(his.staleEdit).toContainText(/^ana changed this backfill at /);
    await expect(his.staleEdit.getByRole('listitem')).toHaveText(['rate: 150 events/s → 200 events/s']);
    await his.staleEdit.getByRole('button', { name: 'Keep theirs' }).click();
    await expect(his.staleEdit).toBeHidden();
    await expect(his.rate).toHaveValue('200 events/s', { timeout: 15_000 });
    expect(await limits()).toMatchObject({ eventsPerSecond: 200 });
  });

  await test.step('every change stands in the audit, by its name', async () => {
    await hers.page.reload();
    for (const entry of [
      /ben throttled.*rate: 300 events\/s → 77 events\/s, concurrency: 4 → 6/,
      /ana throttled.*rate: 77 events\/s → 150 events\/s/,
      /ana throttled.*rate: 150 events\/s → 200 events\/s/,
    ])
      await expect(hers.audit.getByRole('listitem').filter({ hasText: entry })).toHaveCount(1);
  });
  for (const page of [ana, ben]) await page.context().close();
});

/** An operator with a token of this name, which an admin has made. */
async function person(system: StartedSystem, browser: Browser, name: string): Promise<Page> {
  const { status, body } = await system.call('POST', '/v1/tokens', { name, role: 'operator' });
  expect(status, JSON.stringify(body)).toBe(201);
  const context = await browser.newContext({
    baseURL: system.url,
    extraHTTPHeaders: { authorization: `Bearer ${body.token}` },
  });
  return context.newPage();
}

async function write({ page, rate, applyThrottle }: BackfillPage, eventsPerSecond: number): Promise<void> {
  await rate.fill(String(eventsPerSecond));
  await page.keyboard.press('Tab');
  await expect(applyThrottle).toBeEnabled();
}
