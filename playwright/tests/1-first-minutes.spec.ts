import { BackfillPage } from '../pages/backfill-page.ts';
import { NowPage } from '../pages/now-page.ts';
import { Room } from '../pages/room.ts';
import { SignInPage } from '../pages/sign-in-page.ts';
import { expect, test } from './started.ts';

test('a newcomer opens the printed address, sees moving data within 3 s, and January being filled', async ({
  system,
  page,
}) => {
  await page.goto(system.url);
  const signIn = new SignInPage(page);
  await expect(signIn.code).toBeVisible();

  await signIn.open(`${system.url}/#code=${system.signInCode}`);
  const now = new NowPage(page);
  // A promise in seconds, tripled for a machine that does other things too.
  await expect(new Room(page).dataAge).toContainText('Live, now', { timeout: 9_000 });
  await expect(now.tile('Oldest live event waiting')).toContainText(/\d+ events\/s/, { timeout: 9_000 });
  await now.showChart();
  await expect(now.chart.locator('path').first()).toBeAttached();
  expect(page.url(), 'the code must not stay in the address').not.toContain('code');

  await expect(now.backfills.rows).toHaveCount(1);
  await expect(now.backfills.rows).toContainText('1 Jan 2001 – 1 Feb 2001');
  await expect(now.backfills.rows).toContainText('Running');
  // Not what it is granted, which stands there before the first event does.
  await expect(now.tile('Replay rate')).toContainText(/Replay rate\s*[1-9][\d,]*\s*events\/s/, {
    timeout: 60_000,
  });
  const rates = await now.replayRates();
  expect(rates.length).toBeGreaterThan(0);
  expect(
    rates.filter((said) => new Set(said).size > 1),
    'one fact is one number',
  ).toEqual([]);

  await now.backfills.rows.getByRole('link', { name: /^bf_/ }).click();
  const backfill = new BackfillPage(page);
  await expect(backfill.state).toHaveText('Running');
  // The sources are counted once live and replay go, at the lowest priority.
  await expect(backfill.figure('Expected')).toHaveText('508,239', { timeout: 60_000 });
  const applied = async () =>
    Number(((await backfill.figure('Applied').textContent()) ?? '').replaceAll(',', ''));
  const before = await applied();
  await expect.poll(applied, { timeout: 30_000 }).toBeGreaterThan(before);
  await expect(backfill.ceilings).toContainText(/share/i);
});

test('the code of the address works once; another one signs in again', async ({ system, page }) => {
  const signIn = new SignInPage(page);
  const { body } = await system.call('POST', '/v1/sign-in-codes', {});
  await signIn.open(`${system.url}/#code=${body.code}`);
  await page.context().clearCookies();
  await page.goto('about:blank');
  await page.goto(`${system.url}/#code=${body.code}`);
  await expect(signIn.refusal).toContainText('already used');
  await expect(signIn.code).toBeFocused();
  const fresh = (await system.call('POST', '/v1/sign-in-codes', {})).body.code;
  await signIn.signInWith(fresh);
  await expect(new Room(page).navigation).toBeVisible();
});
