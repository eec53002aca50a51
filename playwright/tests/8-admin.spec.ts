import { hostname } from 'node:os';
import { isSigned, startWebhookReceiver } from '../../apps/api/test/fixtures/webhook-receiver.ts';
import { AuditPage } from '../pages/audit-page.ts';
import { BackfillPage } from '../pages/backfill-page.ts';
import { NewBackfillPage } from '../pages/new-backfill-page.ts';
import { PipelinePage } from '../pages/pipeline-page.ts';
import { Room } from '../pages/room.ts';
import { SettingsPage } from '../pages/settings-page.ts';
import { addOwnHistory } from './own-history.ts';
import { cancelAll, expect, startLong, test, untilKnown } from './started.ts';

test.beforeEach(({ system }) => cancelAll(system));
test.afterEach(({ system }) => cancelAll(system));

test('an admin makes a token, uses it, and revokes it: from then on it is refused', async ({
  system,
  signedIn: page,
}) => {
  const settings = new SettingsPage(page);
  await settings.open();
  await settings.makeToken.click();
  await settings.button('Make token').click();
  await expect(settings.dialog.getByLabel('Name')).toHaveAccessibleDescription(/audit will name it/);
  await settings.dialog.getByLabel('Name').fill('nightly job');
  await settings.dialog.getByLabel(/^Operator/).check();
  await settings.dialog.getByLabel('Expires in').fill('7');
  await settings.button('Make token').click();
  const token = (await settings.secret.textContent()) ?? '';
  expect(token).toMatch(/^spw_/);
  await settings.button('Done').click();
  await expect(settings.token('nightly job')).toContainText('operator');
  await expect(settings.token('nightly job')).toContainText('never');
  await expect(page.getByRole('main')).not.toContainText(token);

  const ask = async (path: string, method = 'GET') =>
    (
      await fetch(`${system.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(method === 'GET' ? {} : { body: '{}' }),
      })
    ).status;
  expect(await ask('/v1/backfills')).toBe(200);
  expect(await ask('/v1/tokens')).toBe(403);

  await settings.token('nightly job').getByRole('button', { name: 'Revoke nightly job' }).click();
  await expect(settings.safe).toBeFocused();
  await settings.safe.click();
  expect(await ask('/v1/backfills')).toBe(200);
  await settings.token('nightly job').getByRole('button', { name: 'Revoke nightly job' }).click();
  await settings.button('Revoke token').click();
  await expect(settings.token('nightly job')).toBeHidden();
  expect(await ask('/v1/backfills')).toBe(401);

  const audit = new AuditPage(page);
  await audit.open('?action=token.revoke');
  await expect(audit.entries.first()).toContainText('revoked a token');
});

test('an admin adds a webhook, tries it, sees what fails, and removes it', async ({ signedIn: page }) => {
  const receiver = await startWebhookReceiver();
  try {
    const settings = new SettingsPage(page);
    await settings.open();
    await settings.addWebhook.click();
    await settings.dialog.getByLabel('Name').fill('Pager');
    await settings.dialog.getByLabel('Address').fill('https://10.0.0.1/in');
    await settings.button('Add webhook').click();
    await expect(settings.dialog.getByLabel('Address')).toHaveAccessibleDescription(/SPILLWAY_WEBHOOK_HOSTS/);
    await settings.dialog.getByLabel('Address').fill(`http://127.0.0.1:${receiver.port}/in`);
    await settings.button('Add webhook').click();
    const secret = (await settings.secret.textContent()) ?? '';
    expect(secret).toMatch(/^whsec_/);
    await settings.button('Done').click();
    const pager = settings.webhook('Pager');
    await expect(pager).toContainText('Nothing sent yet');

    await pager.getByRole('button', { name: 'Send a test to Pager' }).click();
    await expect(pager).toContainText('Delivered', { timeout: 20_000 });
    await expect(pager).toContainText('status 204');
    expect(receiver.received).toHaveLength(1);
    expect(receiver.received.every((got) => isSigned(got, secret))).toBe(true);

    receiver.answer = (response) => void response.writeHead(503).end();
    await pager.getByRole('button', { name: 'Send a test to Pager' }).click();
    await expect(pager).toContainText('the receiver answered with status 503', { timeout: 20_000 });

    await pager.getByRole('button', { name: 'Change Pager' }).click();
    await settings.dialog.getByLabel('Name').fill('Night pager');
    await settings.button('Save').click();
    await expect(settings.webhook('Night pager')).toBeVisible();

    await settings.webhook('Night pager').getByRole('button', { name: 'Delete Night pager' }).click();
    await expect(settings.safe).toBeFocused();
    await settings.button('Delete webhook').click();
    await expect(settings.webhooks).toContainText('Nobody is told');
  } finally {
    receiver.close();
  }
});

test('a pipeline is removed when nothing of it is unfinished, by whoever types its name', async ({
  system,
  signedIn: page,
}) => {
  const { id } = await startLong(system);
  const pipeline = new PipelinePage(page);
  await pipeline.open();
  await expect(pipeline.remove).toBeDisabled();
  await expect(pipeline.remove).toHaveAccessibleDescription(/complete or cancel it first/);
  await expect(pipeline.removal).not.toContainText(id);
  await pipeline.removal.getByRole('link', { name: id.slice(0, 9) }).click();
  await expect(page).toHaveURL(new RegExp(`/backfills/${id}$`));
  await pipeline.open();
  await cancelAll(system);
  await expect(pipeline.remove).toBeEnabled();

  await pipeline.remove.click();
  const { dialog } = new SettingsPage(page);
  await expect(dialog.getByRole('button', { name: 'Keep it' })).toBeFocused();
  await expect(dialog).toContainText('Its finished backfills stay readable');
  const act = dialog.getByRole('button', { name: 'Remove pipeline' });
  await expect(act).toBeDisabled();
  await dialog.getByLabel('Type flights to confirm').fill('flights');
  // The other tests need it: what follows is the server's, and tested there.
  let asked = 0;
  await page.route('**/v1/pipelines/flights', (route) => {
    if (route.request().method() !== 'DELETE') return route.continue();
    asked += 1;
    return route.fulfill({ status: 204 });
  });
  await act.click();
  await expect(dialog).toBeHidden();
  await expect(pipeline.heading).toHaveText('There is no pipeline yet');
  expect(asked).toBe(1);
});

test('the audit shows a throttle with before and after, narrowed by the address, and the chain verifies', async ({
  system,
  signedIn: page,
}) => {
  const { id } = await startLong(system);
  const backfill = new BackfillPage(page);
  await backfill.open(id);
  await backfill.rate.fill('150');
  await page.keyboard.press('Tab');
  await backfill.applyThrottle.click();
  await expect
    .poll(async () => (await system.call('GET', `/v1/backfills/${id}`)).body.limits.eventsPerSecond)
    .toBe(150);

  const audit = new AuditPage(page);
  await audit.open();
  await audit.toWhat.fill(id);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(new RegExp(`target=${id}`));
  await audit.didWhat.fill('throttled');
  await page.getByRole('option', { name: 'Backfills: throttled' }).click();
  await expect(page).toHaveURL(/action=backfill\.throttle/);
  await expect(audit.entries).toHaveCount(1);
  const entry = audit.entry('throttled');
  await expect(entry).toContainText('Rate: 300 events/s → 150 events/s');
  const changes = await audit.changes(entry);
  await expect(changes.getByRole('row', { name: /^Rate/ })).toContainText('300 events/s');
  await expect(changes.getByRole('row', { name: /^Rate/ })).toContainText('150 events/s');
  await expect(entry).toContainText('127.0.0.1');
  await page.reload();
  await expect(audit.entries).toHaveCount(1);

  await audit.clear.click();
  await expect(page).toHaveURL(/\/audit$/);
  await audit.verify.click();
  await expect(audit.chain).toContainText('Intact');
  await expect(audit.chain).toContainText(/All [\d,]+ entries are as they were written/);

  await page.route('**/v1/audit?*', (route) =>
    route.continue({ url: route.request().url().replace('limit=50', 'limit=2') }),
  );
  await audit.open();
  const newest = await audit.entries.first().getAttribute('data-row');
  await audit.older.click();
  await expect(page).toHaveURL(/cursor=/);
  await expect(audit.entries.first()).not.toHaveAttribute('data-row', newest ?? '');
  await audit.newest.click();
  await expect(audit.entries.first()).toHaveAttribute('data-row', newest ?? '');
});

test('rows that are no events are counted, and the count leads to which they are and why', async ({
  system,
  sourceFolder,
  signedIn: page,
}) => {
  const history = await addOwnHistory(system, sourceFolder, { id: 'sixty-broken', broken: 60 });
  try {
    const backfill = new BackfillPage(page);
    await backfill.open(await history.replay());
    await expect(backfill.state).toHaveText('Completed', { timeout: 60_000 });
    await expect(page.getByRole('main')).toContainText(
      'for 5 Mar 2001 12:00 UTC to 5 Mar 2001 12:59:59 UTC only',
    );
    await expect(backfill.figure('Applied')).toHaveText('3');
    await expect(backfill.figure('Quarantined')).toHaveText('60');
    await backfill.figure('Quarantined').getByRole('link', { name: /^60/ }).click();
    await expect(backfill.quarantine).toBeFocused();
    await expect(backfill.quarantine).toBeInViewport();

    const rows = backfill.quarantine.locator('[data-row]');
    await expect(rows).toHaveCount(50);
    const first = rows.filter({ has: page.getByText('sixty-broken.jsonl line 2', { exact: true }) });
    await expect(first.getByRole('rowheader')).toHaveText('sixty-broken');
    await expect(first).toContainText('missing_field');
    await expect(first).toContainText('value is missing');
    await expect(backfill.quarantine).toContainText('The first 50 of 60 events');
    await backfill.quarantine.getByRole('button', { name: 'Show up to 200' }).click();
    await expect(rows).toHaveCount(60);
    await expect(backfill.quarantine).toContainText('60 events on this page');
  } finally {
    await history.remove();
  }
});

test('a viewer is offered no admin part and told who may; the server refuses too', async ({
  system,
  browser,
}) => {
  const { token } = (await system.call('POST', '/v1/tokens', { name: 'a viewer', role: 'viewer' })).body;
  const context = await browser.newContext({
    baseURL: system.url,
    extraHTTPHeaders: { authorization: `Bearer ${token}` },
  });
  const page = await context.newPage();
  const settings = new SettingsPage(page);
  await settings.open();
  await expect(page.getByRole('main')).toContainText('Admins make and revoke tokens, and set up webhooks.');
  await expect(settings.tokens).toBeHidden();
  await expect(settings.webhooks).toBeHidden();
  // One of each role, on this machine.
  for (const role of ['replay', 'apply', 'feed'])
    await expect(settings.worker(`${role} on ${hostname()}`, 'Working')).toHaveCount(1);
  await expect(settings.workers).toContainText('has live and replay');
  await expect(settings.sources).toContainText('east');
  await expect(settings.about).toContainText('viewer');
  for (const path of ['/v1/tokens', '/v1/webhooks']) {
    expect((await context.request.get(`${system.url}${path}`)).status()).toBe(403);
    expect((await context.request.post(`${system.url}${path}`, { data: {} })).status()).toBe(403);
  }
  const audit = new AuditPage(page);
  await audit.open();
  await expect(audit.entries.first()).toBeVisible();
  await context.close();
});

test('a viewer, who is not quoted, is told what there is to see and how to hand a window on', async ({
  system,
  browser,
}) => {
  await untilKnown(system);
  const { token } = (await system.call('POST', '/v1/tokens', { name: 'a viewer', role: 'viewer' })).body;
  const context = await browser.newContext({
    baseURL: system.url,
    extraHTTPHeaders: { authorization: `Bearer ${token}` },
  });
  const fresh = new NewBackfillPage(await context.newPage());
  await fresh.open();
  await expect(fresh.quote).toContainText('Operators and admins are quoted');
  await expect(fresh.quote).toContainText('Choose a window');
  await expect(fresh.quote).not.toContainText('Nothing to quote yet');
  const copy = fresh.quote.getByRole('button', { name: 'Copy the address' });
  await expect(copy).toBeHidden();
  await fresh.from.fill('2001-03-01 00:00');
  await fresh.to.fill('2001-03-02 00:00');
  await expect(copy).toBeVisible();
  await expect(fresh.quote).toContainText('The address of this page holds the window');
  await expect(fresh.page).toHaveURL(/from=2001-03-01.*to=2001-03-02/);
  await context.close();
});

test('audit and settings are reached by menu, palette and keys', async ({ signedIn: page }) => {
  const room = new Room(page);
  const audit = new AuditPage(page);
  const settings = new SettingsPage(page);
  await page.goto('/');
  await room.accountMenu.click();
  await page.getByRole('menuitem', { name: 'Audit' }).click();
  await expect(audit.heading).toBeVisible();
  await room.accountMenu.click();
  await page.getByRole('menuitem', { name: 'Settings' }).click();
  await expect(settings.heading).toBeVisible();
  // The second key has to follow within a second, which a busy machine may miss.
  for (const [key, heading] of [
    ['a', audit.heading],
    [',', settings.heading],
  ] as const)
    await expect(async () => {
      await page.keyboard.press('g');
      await page.keyboard.press(key);
      await expect(heading).toBeVisible({ timeout: 2_000 });
    }).toPass({ timeout: 20_000 });
  await page.keyboard.press('Control+k');
  await room.palette.fill('who did what');
  await page.keyboard.press('Enter');
  await expect(audit.heading).toBeVisible();
});
