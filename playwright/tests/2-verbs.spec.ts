import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Backfill, StartBackfill } from '@spillway/shared/api/backfill';
import { watchEvents } from '../../apps/api/test/system/event-watch.ts';
import { pidOf } from '../../apps/api/test/system/roles.ts';
import { signal } from '../../apps/api/test/system/started-system.ts';
import { BackfillPage } from '../pages/backfill-page.ts';
import { BackfillsPage } from '../pages/backfills-page.ts';
import { NewBackfillPage } from '../pages/new-backfill-page.ts';
import { NowPage } from '../pages/now-page.ts';
import { Room } from '../pages/room.ts';
import { cancelAll, expect, startLong, stateOf, test, untilKnown } from './started.ts';

test.beforeEach(({ system }) => cancelAll(system));
test.afterEach(({ system }) => cancelAll(system));

test('brush a hole on the map, read the quote, start it, watch it, and see the proof', async ({
  system,
  signedIn: page,
}) => {
  await untilKnown(system);
  const fresh = new NewBackfillPage(page);
  await fresh.open();
  // A step of the map or two, some three fifths along it: days of which live and January know nothing.
  await fresh.brushWindow(0.6, 0.603);
  await expect(fresh.chosen).toHaveText(/^[12] d: ([1-9][\d,]+) events expected, 0 stored, \1 missing$/);
  const hole = { from: await fresh.from.inputValue(), to: await fresh.to.inputValue() };
  const missing = /([\d,]+) missing/.exec((await fresh.chosen.textContent()) ?? '')?.[1] ?? '';

  await expect(fresh.figure('Events')).toHaveText(missing, { timeout: 15_000 });
  await expect(fresh.figure('Cost, likely')).toHaveText(/[\d.]+ [A-Z]{3}/);
  await fresh.limitBy('Share');
  await fresh.share.fill('100');
  await fresh.reason.fill('the feed was down');
  await expect(fresh.start).toBeEnabled();
  await fresh.start.click();

  const backfill = new BackfillPage(page);
  await expect(backfill.heading).toHaveText(/^bf_/);
  await expect(page.getByRole('main')).toContainText('the feed was down');
  await expect(backfill.figure('Expected')).toHaveText(missing);
  await expect(backfill.figure('Applied')).toHaveText(/[1-9]/, { timeout: 30_000 });
  await expect(backfill.state).toHaveText('Completed', { timeout: 60_000 });
  await expect(backfill.proof).toContainText('Matched');
  await expect(backfill.proof).toContainText(/([\d,]+) of \1 buckets checked match/);
  await expect(backfill.proof).toContainText(`${missing} events checked`);
  await expect(backfill.figure('Applied')).toHaveText(missing);
  await expect(backfill.pause).toBeHidden();
  await expect(backfill.cancel).toBeHidden();
  await expect(backfill.audit).toContainText('admin');

  await test.step('the hole is gone from the map', async () => {
    await fresh.open();
    await fresh.from.fill(hole.from);
    await fresh.to.fill(hole.to);
    await expect(fresh.chosen).toContainText(`${missing} stored, 0 missing`);
  });
  await test.step('its address is that of the window; one that is no window opens the screen without', async () => {
    const linked = () => ['from', 'to'].map((name) => new URL(page.url()).searchParams.get(name));
    await expect.poll(linked).toEqual([hole.from, hole.to].map((typed) => `${typed.replace(' ', 'T')}:00Z`));
    await page.reload();
    await expect(fresh.from).toHaveValue(hole.from);
    await expect(fresh.to).toHaveValue(hole.to);
    await page.goto('/backfills/new?from=foo&to=bar');
    await expect(fresh.chosen).toHaveText('No window chosen yet.');
  });
});

test('what is copied as curl does in a shell what the button would have done', async ({
  system,
  signedIn: page,
  context,
}) => {
  await untilKnown(system);
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const fresh = new NewBackfillPage(page);
  await fresh.open();
  await fresh.from.fill('2001-04-02 00:00');
  await fresh.to.fill('2001-04-09 00:00');
  await fresh.source('west').uncheck();
  await fresh.limitBy('Rate');
  await fresh.rate.fill('300');
  await fresh.reason.fill(`it's "down" again: $(id) \`id\` $HOME \\ !`);
  await expect(fresh.start).toBeEnabled();
  await fresh.copyAsCurl.click();
  const command = await page.evaluate(() => navigator.clipboard.readText());

  const { stdout } = await promisify(execFile)('bash', ['-c', command], {
    env: { PATH: process.env.PATH, SPILLWAY_ADMIN_TOKEN: system.adminToken },
  });
  const pasted = JSON.parse(stdout) as Backfill;
  expect(await stateOf(system, pasted.id)).toMatch(/queued|running/);
  await cancelAll(system);

  const [answer] = await Promise.all([
    page.waitForResponse((one) => one.url().endsWith('/v1/backfills') && one.request().method() === 'POST'),
    fresh.start.click(),
  ]);
  const { quoteId, ...clicked } = answer.request().postDataJSON() as StartBackfill;
  expect(quoteId).toMatch(/^qt_/);
  const asked = ({ pipelineId, sourceIds, requestedWindow, subwindow, mode, limits, reason }: Backfill) => ({
    pipelineId,
    sourceIds,
    window: requestedWindow,
    subwindow,
    mode,
    limits,
    reason,
  });
  const { status, body } = await system.call('POST', '/v1/backfills', clicked);
  expect(status, JSON.stringify(body)).toBe(201);
  expect(asked(pasted)).toEqual(asked(body));
  expect(asked(pasted)).toMatchObject({ reason: clicked.reason, sourceIds: ['central', 'east', 'mountain'] });
});

test('throttle: requested, then effective, with its times', async ({ system, signedIn: page }) => {
  const { id } = await startLong(system);
  const backfill = new BackfillPage(page);
  await backfill.open(id);
  await backfill.throttleTo(120);
  await expect(backfill.receipt).toContainText('In effect', { timeout: 15_000 });
  await expect(backfill.receipt).toContainText(
    /requested [\d:.]+ UTC → acknowledged \+\d+ ms → effective \+/,
  );
  const { limits } = (await system.call('GET', `/v1/backfills/${id}`)).body;
  expect(limits.eventsPerSecond).toBe(120);
  await expect(backfill.ceilings).toContainText('120');

  const events = watchEvents(system);
  try {
    // What is told first may be of a second that began before.
    const seconds = (await events.seconds(6)).slice(2);
    const published = seconds.map(({ values }) => values['replayPublishedEventsPerSecond'] ?? Number.NaN);
    const mean = published.reduce((total, rate) => total + rate, 0) / published.length;
    expect(mean, published.join(', ')).toBeGreaterThan(0);
    expect(mean, published.join(', ')).toBeLessThanOrEqual(1.2 * 120);
  } finally {
    await events.close();
  }
  const now = new NowPage(page);
  await now.open();
  await now.showChart();
  await expect(now.markers.getByText(/admin throttled bf_\w+.*120 events\/s/)).toBeVisible({
    timeout: 15_000,
  });
});

test('pause is one click with an undo; paused it stays until resumed', async ({ system, signedIn: page }) => {
  const { id } = await startLong(system);
  const backfill = new BackfillPage(page);
  await backfill.open(id);
  await expect(backfill.state).toHaveText('Running', { timeout: 30_000 });

  // Until the worker has stopped it is not paused, and a worker that does not answer has not said so.
  const worker = await pidOf(system, 'replay worker');
  signal(worker, 'SIGSTOP');
  try {
    await backfill.pause.click();
    await expect(backfill.state).toHaveText('Pausing…', { timeout: 5_000 });
  } finally {
    signal(worker, 'SIGCONT');
  }
  await expect(backfill.state).toHaveText('Paused', { timeout: 15_000 });
  await new Room(page).undo(/paus/i).click();
  await expect(backfill.state).toHaveText('Running', { timeout: 15_000 });

  await backfill.pause.click();
  await expect(backfill.state).toHaveText('Paused', { timeout: 15_000 });
  expect(await stateOf(system, id)).toBe('paused');
  await backfill.resume.click();
  await expect(backfill.state).toHaveText('Running', { timeout: 15_000 });
});

test('many are paused at once, and one undo takes all of them back', async ({ system, signedIn: page }) => {
  const ids = [
    (await startLong(system, { sourceIds: ['west'] })).id,
    (await startLong(system, { sourceIds: ['east'] })).id,
  ];
  const backfills = new BackfillsPage(page);
  await backfills.open();
  for (const id of ids) {
    await expect(backfills.table.state(id)).toHaveText('Running', { timeout: 30_000 });
    await backfills.table.choose(id).check();
  }
  await backfills.pauseChosen.click();
  await expect.poll(() => Promise.all(ids.map((id) => stateOf(system, id)))).toEqual(['paused', 'paused']);
  const undo = new Room(page).undo(/paus/i);
  await expect(undo).toHaveCount(1);
  await undo.click();
  await expect.poll(() => Promise.all(ids.map((id) => stateOf(system, id)))).toEqual(['running', 'running']);

  // The filter is in the address, so it can be sent to somebody.
  await backfills.show('Failed');
  await expect(page).toHaveURL(/\/backfills\?state=failed$/);
  await page.reload();
  await expect(backfills.filter.getByRole('radio', { name: 'Failed' })).toBeChecked();
  await expect(backfills.table.rows).toHaveCount(0);
  await backfills.show('Active');
  for (const id of ids) await expect(backfills.table.row(id)).toBeVisible();

  const [inWest = '', inEast = ''] = ids;
  await backfills.text.fill(inWest.slice(3, 12));
  await page.keyboard.press('Enter');
  await expect(backfills.text).toBeFocused();
  await expect(backfills.table.row(inEast)).toBeHidden();
  await expect(backfills.table.row(inWest)).toBeVisible();
  // What was lifted does not come back, neither with the button nor when one leaves the field.
  await backfills.clear.click();
  await expect(backfills.text).toHaveValue('');
  await backfills.text.focus();
  await page.keyboard.press('Tab');
  await expect(page).toHaveURL(/\/backfills$/);
  await expect(backfills.table.row(inEast)).toBeVisible();
  await backfills.text.fill(inWest.slice(3, 12));
  await page.keyboard.press('Enter');
  await expect(backfills.table.row(inEast)).toBeHidden();
  await page.reload();
  await expect(backfills.text).toHaveValue(inWest.slice(3, 12));
  await expect(backfills.table.rows).toHaveCount(1);
  await backfills.clear.click();
  await expect(page).toHaveURL(/\/backfills$/);
  await page.goto('/backfills?source=east&createdBy=admin&state=running');
  await expect(backfills.table.row(inEast)).toBeVisible();
  await expect(backfills.table.row(inWest)).toBeHidden();
  await backfills.startedBy.fill('nobody');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('main')).toContainText('No backfill fits the filters');
});

test('a row stays under the pointer when it leaves the list, and goes when the pointer does', async ({
  system,
  signedIn: page,
}) => {
  const { id } = await startLong(system);
  const backfills = new BackfillsPage(page);
  await page.goto('/backfills?state=running');
  await expect(backfills.table.state(id)).toHaveText('Running', { timeout: 30_000 });
  await backfills.table.row(id).hover();
  const { status } = await system.call('POST', `/v1/backfills/${id}/pause`);
  expect(status).toBeLessThan(300);
  await expect(backfills.table.state(id)).toHaveText('Paused', { timeout: 15_000 });
  await page.mouse.move(0, 0);
  await expect(backfills.table.row(id)).toBeHidden();
});

test('cancel asks for a reason and the typed id, and the safe button has the focus', async ({
  system,
  signedIn: page,
}) => {
  const { id } = await startLong(system);
  const backfill = new BackfillPage(page);
  await backfill.open(id);
  const { cancelDialog } = backfill;
  await backfill.cancel.click();
  await expect(cancelDialog.keep).toBeFocused();
  await expect(cancelDialog.confirm).toBeDisabled();
  await cancelDialog.reason.fill('wrong window');
  await cancelDialog.typedId.fill('bf_another');
  await expect(cancelDialog.confirm).toBeDisabled();
  await cancelDialog.typedId.fill(id);
  await cancelDialog.confirm.click();
  await expect(backfill.state).toHaveText('Cancelled', { timeout: 15_000 });
  await expect(backfill.audit).toContainText('wrong window');
});

test('the cancel dialog stays open when somebody else has cancelled, and says so', async ({
  system,
  signedIn: page,
}) => {
  const { id } = await startLong(system);
  const backfill = new BackfillPage(page);
  await backfill.open(id);
  const { cancelDialog } = backfill;
  await backfill.cancel.click();
  await cancelDialog.reason.fill('wrong window');
  await cancelDialog.typedId.fill(id);
  await expect(cancelDialog.confirm).toBeEnabled();
  await cancelAll(system);
  await expect(cancelDialog.root.getByRole('status')).toContainText('cannot be cancelled any more');
  await expect(cancelDialog.confirm).toBeDisabled();
  await expect(cancelDialog.reason, 'what was written is not lost').toHaveValue('wrong window');
  await cancelDialog.keep.click();
  await expect(backfill.cancel).toBeHidden();
});

test('the emergency brake on Now stops every backfill and lets them go on', async ({
  system,
  signedIn: page,
}) => {
  const { id } = await startLong(system);
  const now = new NowPage(page);
  await now.open();
  await now.pauseAllReplay.click();
  await expect(now.verdict).toContainText('emergency brake is on');
  await expect(now.backfills.state(id)).toHaveText('Paused', { timeout: 15_000 });
  await now.resumeReplay.click();
  await expect(now.backfills.state(id)).toHaveText('Running', { timeout: 15_000 });
});
