import { BackfillPage } from '../pages/backfill-page.ts';
import { BackfillsPage } from '../pages/backfills-page.ts';
import { NewBackfillPage } from '../pages/new-backfill-page.ts';
import { NowPage } from '../pages/now-page.ts';
import { Room } from '../pages/room.ts';
import { SettingsPage } from '../pages/settings-page.ts';
import { Keyboard } from './keyboard.ts';
import { cancelAll, expect, startLong, stateOf, test, untilKnown } from './started.ts';

test.beforeEach(({ system }) => cancelAll(system));
test.afterEach(({ system }) => cancelAll(system));
test.setTimeout(240_000);

test('keyboard only: from Now to a backfill that is quoted, started, throttled, paused, taken back and cancelled', async ({
  system,
  signedIn: page,
}) => {
  await untilKnown(system);
  const keyboard = new Keyboard(page);
  const room = new Room(page);
  const fresh = new NewBackfillPage(page);
  const backfill = new BackfillPage(page);

  await test.step('Now: past the bar, and by the palette to New', async () => {
    await new NowPage(page).open();
    await keyboard.press('Tab');
    await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
    await keyboard.press('Enter');
    await expect(page.getByRole('main')).toBeFocused();
    await keyboard.press('Control+k');
    await expect(room.palette).toBeFocused();
    await keyboard.write('New back');
    await keyboard.press('Enter');
    await expect(fresh.heading).toBeVisible();
    await keyboard.expectFocusSeen('another screen has come');
  });

  await test.step('New: a window, its edge moved, a rate, the quote, a reason', async () => {
    await keyboard.tabTo(fresh.from);
    await keyboard.write('2001-02-05 00:00');
    await keyboard.press('Tab');
    await expect(fresh.to).toBeFocused();
    await keyboard.write('2001-03-05 00:00');
    await keyboard.tabBackTo(fresh.windowEnds);
    await keyboard.press('ArrowLeft', 'ArrowRight', 'ArrowRight');
    await expect(fresh.to).not.toHaveValue('2001-03-05 00:00');

    const limitBy = page.getByRole('radiogroup', { name: 'Limit by' });
    await keyboard.tabTo(limitBy.getByRole('radio', { checked: true }));
    await keyboard.press('ArrowRight');
    await expect(limitBy.getByRole('radio', { name: 'Rate' })).toBeChecked();
    await keyboard.tabTo(fresh.rate);
    await keyboard.write('300');
    await expect(fresh.figure('Rate')).toHaveText('300 events/s', { timeout: 15_000 });
    await keyboard.tabTo(fresh.rateSlider);
    await keyboard.press('PageUp');
    await expect(fresh.figure('Rate')).not.toHaveText('300 events/s');
    await keyboard.tabBackTo(fresh.rate);
    await keyboard.write('300');
    await keyboard.tabTo(fresh.reason);
    await keyboard.write('the feed was down');
    await expect(fresh.figure('Rate')).toHaveText('300 events/s', { timeout: 15_000 });
    await expect(fresh.start).toBeEnabled();
    await keyboard.tabTo(fresh.start);
    await keyboard.press('Enter');
    await expect(backfill.heading).toHaveText(/^bf_/, { timeout: 15_000 });
    await keyboard.expectFocusSeen('the backfill has come');
  });
  const id = (await backfill.heading.textContent()) ?? '';
  await expect(backfill.state).toHaveText('Running', { timeout: 30_000 });

  await test.step('Throttle: down at once; up only after a dialog that gives the focus back', async () => {
    await keyboard.press('t');
    await expect(backfill.rate).toBeFocused();
    await keyboard.write('120');
    await keyboard.press('Enter');
    await expect(backfill.receipt).toContainText('In effect: 120 events/s', { timeout: 15_000 });
    await keyboard.expectFocusSeen('the throttle is in effect');
    await keyboard.write('9000000');
    await keyboard.press('Enter');
    await expect(backfill.raiseDialog.keep).toBeFocused();
    await keyboard.expectTrapped(backfill.raiseDialog.root);
    await keyboard.press('Escape');
    await expect(backfill.raiseDialog.root).toBeHidden();
    await expect(backfill.rate).toBeFocused();
    await keyboard.tabTo(backfill.throttle.getByRole('button', { name: 'Discard' }));
    await keyboard.press('Enter');
    await keyboard.expectFocusSeen('the edit is discarded');
  });

  await test.step('Pause by its button, undo by key; pause by key, resume by its button', async () => {
    await keyboard.tabBackTo(backfill.pause);
    await keyboard.press('Enter');
    await expect(backfill.state).toHaveText('Paused', { timeout: 15_000 });
    await keyboard.expectFocusSeen('Pause has given way to Resume');
    await keyboard.press('u');
    await expect(backfill.state).toHaveText('Running', { timeout: 15_000 });
    await expect(room.undo(/paus/i)).toBeHidden();
    await keyboard.press('p');
    await expect(backfill.state).toHaveText('Paused', { timeout: 15_000 });
    // What has come in the place of another is not to be pressed at once.
    await expect(backfill.resume).toBeEnabled();
    await keyboard.tabTo(backfill.resume);
    await keyboard.press('Enter');
    await expect(backfill.state).toHaveText('Running', { timeout: 15_000 });
    await keyboard.expectFocusSeen('Resume has given way to Pause');
  });

  await test.step('Cancel: left once, then with a reason and the typed id', async () => {
    const { cancelDialog } = backfill;
    await keyboard.tabTo(backfill.cancel);
    await keyboard.press('Enter');
    await expect(cancelDialog.keep).toBeFocused();
    await keyboard.expectTrapped(cancelDialog.root);
    await keyboard.press('Escape');
    await expect(cancelDialog.root).toBeHidden();
    await expect(backfill.cancel).toBeFocused();
    await keyboard.press('Enter');
    await expect(cancelDialog.keep).toBeFocused();
    await keyboard.tabTo(cancelDialog.reason);
    await keyboard.write('wrong window');
    await keyboard.tabTo(cancelDialog.typedId);
    await keyboard.write(id);
    await keyboard.tabTo(cancelDialog.confirm);
    await keyboard.press('Enter');
    await expect(backfill.state).toHaveText('Cancelled', { timeout: 15_000 });
    await expect(cancelDialog.root).toBeHidden();
    await keyboard.expectFocusSeen('the verb that was asked about is gone');
    expect(await stateOf(system, id)).toBe('cancelled');
  });
});

test('keyboard only: rows and screens that go away under the focus hand it on', async ({
  system,
  signedIn: page,
}) => {
  const { id } = await startLong(system);
  const { body: token } = await system.call('POST', '/v1/tokens', {
    name: 'of the keyboard',
    role: 'viewer',
  });
  const keyboard = new Keyboard(page);
  const backfills = new BackfillsPage(page);
  await new NowPage(page).open();
  await keyboard.press('Tab');
  await keyboard.go('g b', backfills.heading);

  await test.step('a row that leaves the list', async () => {
    await keyboard.press('/');
    await expect(backfills.text).toBeFocused();
    await keyboard.press('Shift+Tab');
    await expect(backfills.filter.getByRole('radio', { name: 'All' })).toBeFocused();
    await keyboard.press('ArrowRight');
    await expect(page).toHaveURL(/state=running/);
    await expect(backfills.table.state(id)).toHaveText('Running', { timeout: 30_000 });
    await keyboard.tabTo(backfills.table.verb(id, 'Pause'));
    await keyboard.press('Enter');
    await expect(backfills.table.state(id)).toHaveText('Paused', { timeout: 15_000 });
    await keyboard.expectFocusSeen('the button has gone with the state');
    await keyboard.press('j');
    await expect(backfills.table.link(id), 'the row stays for as long as somebody is in it').toBeFocused();
    await keyboard.press('/');
    await expect(backfills.table.row(id)).toBeHidden();
    await keyboard.expectFocusSeen('the row has gone');
    await keyboard.press('Shift+Tab');
    await keyboard.press('u');
    await expect(backfills.table.state(id)).toHaveText('Running', { timeout: 15_000 });
  });

  await test.step('a screen that is left by a link of its own', async () => {
    await keyboard.press('j', 'Enter');
    await expect(new BackfillPage(page).heading).toHaveText(id);
    await keyboard.expectFocusSeen('another screen has come');
  });

  await test.step('a row that is deleted through a dialog', async () => {
    const settings = new SettingsPage(page);
    await keyboard.press('Escape');
    await keyboard.go('g ,', settings.heading);
    const row = settings.token(token.name);
    await keyboard.tabTo(row.getByRole('button', { name: `Revoke ${token.name}` }));
    await keyboard.press('Enter');
    await expect(settings.safe).toBeFocused();
    await keyboard.expectTrapped(settings.dialog, 6);
    await keyboard.tabTo(settings.button('Revoke token'));
    await keyboard.press('Enter');
    await expect(row).toBeHidden();
    await keyboard.expectFocusSeen('the row is deleted');
  });

  await test.step('the list of keys gives the focus back', async () => {
    await keyboard.press('?');
    const keys = new Room(page).keysHelp;
    await expect(keys).toContainText('Undo the latest pause');
    await keyboard.expectTrapped(keys, 4);
    await keyboard.press('Escape');
    await expect(keys).toBeHidden();
    await keyboard.expectFocusSeen('the list of keys is closed');
  });
});
