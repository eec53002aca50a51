import type { Page } from '@playwright/test';
import { pidOf, successorOf } from '../../apps/api/test/system/roles.ts';
import { signal } from '../../apps/api/test/system/started-system.ts';
import { BackfillPage } from '../pages/backfill-page.ts';
import { BackfillsPage } from '../pages/backfills-page.ts';
import { NewBackfillPage } from '../pages/new-backfill-page.ts';
import { NowPage } from '../pages/now-page.ts';
import { Room } from '../pages/room.ts';
import { TimeBar } from '../pages/time-bar.ts';
import { cancelAll, expect, startLong, test } from './started.ts';

test.beforeEach(({ system }) => cancelAll(system));
test.afterEach(({ system }) => cancelAll(system));

test('bad input stands at its field', async ({ signedIn: page }) => {
  const fresh = new NewBackfillPage(page);
  await fresh.open();
  await expect(fresh.copyAsCurl, 'without a window there is nothing to copy that would work').toBeDisabled();
  await fresh.from.fill('2001-03-06 00:00');
  await fresh.to.fill('2001-03-05 00:00');
  await expect(fresh.to).toHaveAccessibleDescription(/end after it begins/);
  await expect(fresh.start).toBeDisabled();

  await fresh.to.fill('2001-03-07 00:00');
  await fresh.subwindow.fill('an hour');
  await expect(fresh.subwindow).toHaveAccessibleDescription(/ISO 8601/);
  await fresh.subwindow.fill('PT1H');
  await fresh.limitBy('Rate');
  await fresh.rate.fill('99999999999');
  await expect(fresh.rate).toHaveAccessibleDescription(/between 0 and/);
  await expect(fresh.copyAsCurl).toBeDisabled();
  await fresh.rate.fill('1000');
  await expect(fresh.start).toBeEnabled();
  await expect(fresh.copyAsCurl).toBeEnabled();

  // Known to be refused, so there is nothing to press.
  await fresh.from.fill('1999-03-05 00:00');
  await fresh.to.fill('1999-03-06 00:00');
  await expect(fresh.from).toHaveAccessibleDescription(/does not touch what the sources hold/);
  await expect(fresh.start).toBeDisabled();
  expect(page.url()).toContain('/backfills/new');

  await page.goto('/backfills/bf_nosuch');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('There is no backfill bf_nosuch');
});

test('a start that is refused at its fields is answered beside the button', async ({ signedIn: page }) => {
  const fresh = new NewBackfillPage(page);
  await fresh.open();
  await fresh.from.fill('2001-03-05 00:00');
  await fresh.to.fill('2001-03-06 00:00');
  const errors = [
    { pointer: '/window/from', detail: 'On the source this begins later.' },
    { pointer: '/limits/budget', detail: 'There is no price book any more.' },
  ];
  await page.route('**/v1/backfills', (route) =>
    route.fulfill({
      status: 422,
      contentType: 'application/problem+json',
      json: { title: 'Refused', status: 422, code: 'gap', detail: 'Refused.', errors, requestId: 'req_1' },
    }),
  );
  await fresh.start.click();
  await expect(fresh.refusal).toHaveText(
    'On the source this begins later. 1 more: see the fields marked above. (request req_1)',
  );
  await expect(fresh.refusal).toBeInViewport();
  await expect(fresh.from).toHaveAccessibleDescription(/begins later/);
  await expect(fresh.budget).toHaveAccessibleDescription(/no price book any more/);
});

test('a viewer sees everything and may do nothing; the server refuses too', async ({ system, browser }) => {
  const { id } = await startLong(system);
  const { token } = (await system.call('POST', '/v1/tokens', { name: 'a viewer', role: 'viewer' })).body;
  const context = await browser.newContext({
    baseURL: system.url,
    extraHTTPHeaders: { authorization: `Bearer ${token}` },
  });
  const page = await context.newPage();
  const now = new NowPage(page);
  await now.open();
  await expect(now.tile('Oldest live event waiting')).toContainText('events/s', { timeout: 15_000 });
  await expect(now.pauseAllReplay).toBeHidden();
  await expect(page.getByRole('link', { name: 'New backfill' })).toBeHidden();
  await expect(now.backfills.row(id)).toBeVisible();
  await expect(now.backfills.root.getByRole('columnheader', { name: 'Verbs' })).toHaveCount(0);
  const fresh = new NewBackfillPage(page);
  await page.goto('/backfills/new?from=2001-02-05T00:00:00.000Z&to=2001-02-06T00:00:00.000Z');
  await expect(page.getByRole('region', { name: 'Start' })).toContainText('Your role may look but not start');
  await expect(page.getByRole('region', { name: 'Quote' })).toContainText('Operators and admins are quoted');
  await expect(fresh.start).toHaveCount(0);
  await expect(fresh.reason).toHaveCount(0);
  const backfill = new BackfillPage(page);
  await backfill.open(id);
  await expect(backfill.state).toBeVisible();
  for (const verb of [backfill.pause, backfill.resume, backfill.cancel, backfill.throttle])
    await expect(verb).toBeHidden();
  await page.keyboard.press('p');

  const refused = await page.evaluate(
    async (path) =>
      (await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }))
        .status,
    `/v1/backfills/${id}/pause`,
  );
  expect(refused).toBe(403);
  expect((await system.call('GET', `/v1/backfills/${id}`)).body.holds).toEqual([]);
  await context.close();
});

test('the keyboard goes everywhere, and nowhere while one types', async ({ system, signedIn: page }) => {
  const { id } = await startLong(system);
  const room = new Room(page);
  const now = new NowPage(page);
  await now.open();
  const backfills = new BackfillsPage(page);
  // The second key has to follow within a second, which a busy machine may miss.
  await expect(async () => {
    await page.keyboard.press('g');
    await page.keyboard.press('b');
    await expect(backfills.heading).toBeVisible({ timeout: 2_000 });
  }).toPass({ timeout: 20_000 });
  await expect(backfills.table.row(id)).toBeVisible();
  await page.keyboard.press('j');
  await expect(backfills.table.link(id)).toBeFocused();
  await page.keyboard.press('Enter');
  const backfill = new BackfillPage(page);
  await expect(backfill.heading).toHaveText(id);
  await page.keyboard.press('t');
  await expect(backfill.rate).toBeFocused();
  await page.keyboard.press('p');
  await expect(backfill.state).toHaveText('Running', { timeout: 15_000 });
  await backfill.heading.click();
  await page.keyboard.press('p');
  await expect(backfill.state).toHaveText('Paused', { timeout: 15_000 });
  await page.keyboard.press('?');
  await expect(room.keysHelp).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(room.keysHelp).toBeHidden();
  await page.keyboard.press('Control+k');
  await expect(room.palette).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(room.palette).toBeHidden();
  await expect(async () => {
    await page.keyboard.press('g');
    await page.keyboard.press('n');
    await expect(now.sentence).toBeVisible({ timeout: 2_000 });
  }).toPass({ timeout: 20_000 });
});

test('what is asked for before its part of the page has come is there when it comes', async ({
  system,
  signedIn: page,
}) => {
  const { id } = await startLong(system);
  const room = new Room(page);
  const now = new NowPage(page);
  const [aside, menu] = await Promise.all(['aside', 'account-menu'].map((part) => holdBack(page, part)));
  await now.open();
  await room.accountMenu.focus();
  await page.keyboard.press('Enter');
  await menu?.release();
  await expect(page.getByRole('menuitem', { name: 'Audit' })).toBeVisible();
  await expect(page.locator('[role="menu"]:focus-within')).toBeAttached();
  await page.keyboard.press('Escape');
  await expect(room.accountMenu).toBeFocused();

  await now.backfills
    .row(id)
    .getByRole('button', { name: `Pause ${id}` })
    .click();
  await expect(now.backfills.row(id)).toContainText('Paused', { timeout: 15_000 });
  await page.keyboard.press('Control+k');
  await expect(room.palette).toBeHidden();
  await aside?.release();
  await expect(room.palette).toBeFocused();
  await page.keyboard.press('Escape');
  await room.undo(/pausing/).click();
  await expect(now.backfills.row(id)).toContainText('Running', { timeout: 15_000 });
});

test('what is pressed while its part of the page comes is there at the release', async ({
  signedIn: page,
}) => {
  const room = new Room(page);
  const menu = await holdBack(page, 'account-menu');
  await new NowPage(page).open();
  await room.accountMenu.hover();
  await page.mouse.down();
  await menu.release();
  await expect(page.getByRole('menu')).toBeAttached();
  await page.mouse.up();
  await expect(page.getByRole('menuitem', { name: 'Audit' })).toBeVisible();
});

/** A part of the page that is fetched later, kept on its way until it is let go. */
async function holdBack(page: Page, part: string): Promise<{ release(): Promise<void> }> {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const asked = page.waitForRequest(new RegExp(`/assets/${part}-[^/]+\\.js$`));
  await page.route(new RegExp(`/assets/${part}-[^/]+\\.js$`), async (route) => {
    await released;
    await route.continue();
  });
  return {
    async release() {
      await asked;
      release();
    },
  };
}

test('without the api the page says how old it is, greys out, and comes back by itself', async ({
  system,
  signedIn: page,
}) => {
  const room = new Room(page);
  const now = new NowPage(page);
  await now.open();
  await expect(room.dataAge).toContainText('Live', { timeout: 15_000 });
  await expect(now.tile('Oldest live event waiting')).not.toHaveAttribute('data-stale');
  // All of the page has come, what is fetched after the screen too.
  await page.keyboard.press('?');
  await expect(room.keysHelp).toBeVisible({ timeout: 15_000 });
  await page.keyboard.press('Escape');
  await expect(room.keysHelp).toBeHidden();

  const api = await pidOf(system, 'api');
  // Alive but silent: what a cut network looks like.
  signal(api, 'SIGSTOP');
  await expect(room.dataAge).toContainText(/Stale: .* old/, { timeout: 30_000 });
  await expect(now.tile('Oldest live event waiting')).toHaveAttribute('data-stale');
  await expect(now.verdict).toContainText(/unknown/i);
  const time = new TimeBar(page);
  await expect(time.bar).toContainText('Not live');
  signal(api, 'SIGKILL');
  await successorOf(system, 'api', api);
  await expect(room.dataAge).toContainText('Live', { timeout: 60_000 });
  await expect(now.tile('Oldest live event waiting')).not.toHaveAttribute('data-stale');
  await expect(time.bar).not.toContainText('Not live');
  await expect(page).toHaveURL(/\/$/);
});

test('while the store does not answer the coverage map says for how long, and comes when it does', async ({
  system,
  signedIn: page,
}) => {
  const store = await pidOf(system, 'store database');
  const fresh = new NewBackfillPage(page);
  await fresh.open();
  await expect(fresh.mapAge).toContainText(/As the store was \d+ s ago\./);
  signal(store, 'SIGSTOP');
  try {
    await page.reload();
    await expect(fresh.mapAge).toContainText(
      /What is stored is unknown: the store has not answered for [2-9] s, it is still being asked/,
    );
    await expect(fresh.from, 'a window can be chosen all the same').toBeEditable();
  } finally {
    signal(store, 'SIGCONT');
  }
  await expect(fresh.map).toBeVisible({ timeout: 20_000 });
  await expect(fresh.mapAge).toContainText(/As the store was \d+ s ago\./);
});
