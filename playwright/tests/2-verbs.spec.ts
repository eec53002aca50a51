import { BackfillPage } from '../pages/backfill-page.ts';
import { BackfillsPage } from '../pages/backfills-page.ts';
import { NewBackfillPage } from '../pages/new-backfill-page.ts';
import { NowPage } from '../pages/now-page.ts';
import { Room } from '../pages/room.ts';
import { cancelAll, expect, startLong, stateOf, test, untilKnown } from './started.ts';

test.beforeEach(({ system }) => cancelAll(system));
test.afterEach(({ system }) => cancelAll(system));

test('start from New, watch it, and see the proof', async ({ system, signedIn: page }) => {
  await untilKnown(system);
  const fresh = new NewBackfillPage(page);
  await fresh.open();
  await fresh.from.fill('2001-03-05 00:00');
  await fresh.to.fill('2001-03-06 00:00');
  await fresh.limitBy('Share');
  await fresh.share.fill('100');
  await fresh.reason.fill('the feed was down');
  await fresh.start.click();

  const backfill = new BackfillPage(page);
  await expect(backfill.heading).toHaveText(/^bf_/);
  await expect(page.getByRole('main')).toContainText('the feed was down');
  await expect(backfill.state).toHaveText('Completed', { timeout: 90_000 });
  await expect(backfill.proof).toContainText('Matched');
  await expect(backfill.proof).toContainText(/([\d,]+) of \1 buckets checked match/);
  const expected = (await backfill.figure('Expected').textContent()) ?? '';
  await expect(backfill.figure('Applied')).toHaveText(expected);
  await expect(backfill.pause).toBeHidden();
  await expect(backfill.cancel).toBeHidden();
  await expect(backfill.audit).toContainText('admin');
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
});

test('pause is one click with an undo; paused it stays until resumed', async ({ system, signedIn: page }) => {
  const { id } = await startLong(system);
  const backfill = new BackfillPage(page);
  await backfill.open(id);
  await expect(backfill.state).toHaveText('Running', { timeout: 30_000 });

  await backfill.pause.click();
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
