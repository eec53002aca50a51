import type { Drill } from '@spillway/shared/api/governor';
import type { Moment } from '@spillway/shared/api/past';
import { BackfillPage } from '../pages/backfill-page.ts';
import { NowPage } from '../pages/now-page.ts';
import { PipelinePage } from '../pages/pipeline-page.ts';
import { Room } from '../pages/room.ts';
import { TimeBar } from '../pages/time-bar.ts';
import { cancelAll, expect, startLong, test } from './started.ts';

test.beforeEach(({ system }) => cancelAll(system));
test.afterEach(({ system }) => cancelAll(system));
test.setTimeout(240_000);

test('scrubbing to a past incident: Now shows it as it was, offers nothing, and comes back to live', async ({
  system,
  signedIn: page,
  context,
}) => {
  const { id } = await startLong(system);
  const rate = async () =>
    (await system.call('GET', `/v1/backfills/${id}`)).body.progress.appliedEventsPerSecond ?? 0;
  await expect.poll(rate, { timeout: 30_000 }).toBeGreaterThan(0);
  const { status, body } = await system.call('POST', '/v1/pipelines/flights/drills', { forMs: 8_000 });
  expect(status, JSON.stringify(body)).toBe(202);
  const drill = async () =>
    (await system.call('GET', `/v1/pipelines/flights/drills/${body.id}`)).body as Drill;
  await expect.poll(async () => (await drill()).state, { timeout: 90_000 }).toBe('finished');
  const { stalledAt, releasedAt } = await drill();
  const incidentMs = Math.floor((Date.parse(stalledAt as string) + 6_000) / 1_000) * 1_000;
  expect(incidentMs).toBeLessThan(Date.parse(releasedAt as string));

  const now = new NowPage(page);
  const time = new TimeBar(page);
  await now.open();
  await expect(now.sentence).toContainText('Live path is safe', { timeout: 60_000 });
  await expect(now.pauseAllReplay).toBeVisible();
  await time.waitUntilKnown();

  await test.step('dragged back to about then, and stepped to the second', async () => {
    await time.dragTo(incidentMs);
    await expect(time.band).toContainText(/You look at \d\d:\d\d:\d\d UTC, \d+ (s|min) ago/);
    await expect(page).toHaveURL(/[?&]at=20\d\d-/);
    await page.goto(`/?at=${new Date(incidentMs + 2_000).toISOString().replace('.000Z', 'Z')}`);
    await expect(time.band).toBeVisible();
    await time.waitUntilKnown();
    await time.handle.focus();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    await expect(page).toHaveURL(new RegExp(encodedAt(incidentMs)));
  });

  const itWasSo = async (screen: NowPage) => {
    await expect(screen.sentence).toContainText(/Live path at risk: the store has not answered for [\d.]+ s/);
    await expect(screen.verdict).toContainText('the governor has stopped all replay');
    await expect(screen.verdict).toContainText('This is a fire drill, started by admin');
    await expect(screen.stage('Store')).toContainText('Bottleneck');
    await expect(screen.pipeline).toContainText(/Why:.*store: no answer for/);
    await expect(screen.backfills.row(id)).toBeVisible();
    await expect(screen.backfills.sparkline(id), 'as it was recorded').toHaveAttribute('d', /L/);
    await expect(screen.verdict.getByRole('button'), 'nothing can be done to what has been').toHaveCount(0);
    await expect(screen.backfills.row(id).getByRole('button')).toHaveCount(0);
    await expect(page.getByRole('link', { name: 'New backfill' })).toHaveCount(0);
  };
  await itWasSo(now);

  await test.step('nothing of it moves with the present', async () => {
    const shown = () => page.getByRole('main').textContent();
    const withoutAge = (text: string | null) => text?.replaceAll(/\d+ (s|min) ago/g, '');
    const before = withoutAge(await shown());
    const latest = async () => (await system.call('GET', '/v1/pipelines/flights/stages')).body.at as string;
    const since = await latest();
    await expect.poll(latest, { timeout: 20_000 }).not.toBe(since);
    await expect.poll(latest, { timeout: 20_000 }).not.toBe(await latest());
    expect(withoutAge(await shown())).toBe(before);
  });

  await test.step('the link shows the same to whoever opens it', async () => {
    const fresh = await context.newPage();
    await fresh.goto(page.url());
    await itWasSo(new NowPage(fresh));
    await fresh.close();
  });

  await test.step('the other screens show the same moment', async () => {
    const room = new Room(page);
    await room.goTo('Pipeline');
    const pipeline = new PipelinePage(page);
    await expect(time.band).toBeVisible();
    await expect(pipeline.governor).toContainText('Hard stop');
    await expect(pipeline.startDrill).toHaveCount(0);
    await room.goTo('Now');
    await now.backfills.row(id).getByRole('link').first().click();
    const backfill = new BackfillPage(page);
    await expect(time.band).toBeVisible();
    await expect(backfill.state).toHaveText('Running');
    await expect(
      page
        .getByText('The governor has stopped')
        .or(page.getByText(/store has not answered/))
        .first(),
    ).toBeVisible();
    await expect(backfill.throttle).toHaveCount(0);
    await page.goBack();
  });

  await time.backToLive.click();
  await expect(time.band).toHaveCount(0);
  await expect(page).not.toHaveURL(/at=/);
  await expect(now.sentence).toContainText('Live path is safe', { timeout: 30_000 });
  await expect(now.pauseAllReplay).toBeVisible();
});

test('keys: from event to event, step by step, and Escape is the way back', async ({
  system,
  signedIn: page,
}) => {
  const { id } = await startLong(system);
  // Some seconds of it are recorded before somebody stops it.
  const before = async (ms: number) => {
    const at = new Date(Date.now() - ms).toISOString();
    const { body } = await system.call('GET', `/v1/pipelines/flights/moment?at=${at}`);
    return (body as Moment).backfills?.find((backfill) => backfill.id === id)?.state;
  };
  await expect.poll(() => before(5_000), { timeout: 60_000 }).toBe('running');
  await system.call('POST', `/v1/backfills/${id}/pause`, { reason: 'for the test' });
  // A deed can be gone back to once its second is over.
  await expect.poll(() => before(1_000), { timeout: 30_000 }).toBe('paused');
  const now = new NowPage(page);
  const time = new TimeBar(page);
  await now.open();
  await time.waitUntilKnown();
  // On a busy machine an alert may have been raised since.
  await expect(async () => {
    await time.before.click();
    await expect(time.bar).toContainText('paused', { timeout: 2_000 });
  }).toPass({ timeout: 30_000 });
  await expect(time.band).toBeVisible();
  await time.handle.focus();
  const at = async () => Date.parse(new URL(page.url()).searchParams.get('at') as string);
  const from = await at();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await expect.poll(at).toBe(from - 3_000);
  await expect(now.backfills.state(id), 'not what it is now').toHaveText('Running');
  await page.keyboard.press('PageUp');
  await expect
    .poll(async () => (page.url().includes('at=') ? await at() : from + 27_000))
    .toBe(from + 27_000);
  await page.keyboard.press('Escape');
  await expect(time.band).toHaveCount(0);
  await expect(now.backfills.state(id)).toHaveText('Paused');
});

test('what was not recorded, has not come, or is no time is said, and is never the present', async ({
  signedIn: page,
}) => {
  const time = new TimeBar(page);
  const now = new NowPage(page);
  for (const [at, said] of [
    ['2001-01-01T00:00:00Z', 'Nothing was recorded at'],
    ['2999-01-01T00:00:00Z', 'has not come yet'],
    ['yesterday', '“yesterday” is not a time'],
  ] as const) {
    await page.goto(`/?at=${at}`);
    await expect(page.getByRole('heading', { level: 1 })).toContainText(said);
    await expect(time.band).toBeVisible();
    await expect(now.verdict).toHaveCount(0);
  }
  await time.backToLive.click();
  await expect(now.sentence).toBeVisible();
});

function encodedAt(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z').replaceAll(':', '(:|%3A)');
}
