import type { Pipeline } from '@spillway/shared/api/pipeline';
import type { Readiness } from '@spillway/shared/api/readiness';
import { NowPage } from '../pages/now-page.ts';
import { PipelinePage } from '../pages/pipeline-page.ts';
import { ReadinessPage } from '../pages/readiness-page.ts';
import { Room } from '../pages/room.ts';
import { StreamsPage } from '../pages/streams-page.ts';
import { cancelAll, expect, startLong, test, untilKnown } from './started.ts';
import { delay } from './trouble.ts';

test.beforeEach(({ system }) => cancelAll(system));
test.afterEach(({ system }) => cancelAll(system));
test.setTimeout(240_000);

type System = Parameters<typeof cancelAll>[0];
const reconnects = 'Are reconnecting sources kept from coming back all at once?';

test('a "no" leads to its setting, and changing that turns it to yes', async ({ system, signedIn: page }) => {
  await untilKnown(system);
  const staggerMs = await patch(system, { reconnectStaggerMs: 0 });
  try {
    const readiness = new ReadinessPage(page);
    await readiness.open();
    await expect(readiness.answer(reconnects)).toHaveText('No');
    await expect(readiness.item(reconnects)).toContainText('The reconnect stagger is 0 s: 4 sources');
    await expect(readiness.summary).toContainText(/^\d+ of \d+ yes, \d+ no/);
    await expect(readiness.openQuestions.getByRole('link', { name: reconnects })).toBeVisible();

    await readiness.place(reconnects).click();
    await expect(page).toHaveURL(/\/pipeline\?pipeline=flights#reconnect-stagger$/);
    const field = new PipelinePage(page).settings.getByLabel('Reconnect stagger');
    await expect(field).toBeFocused();
    await expect(field).toBeInViewport();
    await field.fill('4');
    await page.getByRole('button', { name: 'Save settings' }).click();
    await expect(page.getByRole('button', { name: 'Discard' })).toBeHidden();

    await page.keyboard.press('Escape');
    await field.blur();
    await page.keyboard.press('g');
    await page.keyboard.press('r');
    await expect(readiness.answer(reconnects)).toHaveText('Yes', { timeout: 15_000 });
    await expect(readiness.item(reconnects)).toContainText('a random part of 4 s');
    await expect(readiness.openQuestions).not.toContainText(reconnects);
  } finally {
    await patch(system, { reconnectStaggerMs: staggerMs });
  }
});

test('what is unknown says what is missing, and every link leads somewhere', async ({
  system,
  signedIn: page,
}) => {
  await untilKnown(system);
  const readiness = new ReadinessPage(page);
  await readiness.open();
  const { items } = (await system.call('GET', '/v1/pipelines/flights/readiness')).body as Readiness;
  await expect(readiness.items).toHaveCount(items.length);
  const drilled = items.find(({ id }) => id === 'backpressure_reaches_reader');
  expect(drilled?.answer).not.toBe('no');
  expect(drilled?.evidence).toMatch(/^(No fire drill has been run|In the fire drill)/);

  const anchors = [...new Set(items.flatMap(({ setting }) => (setting?.includes('#') ? [setting] : [])))];
  expect(anchors.length).toBeGreaterThan(5);
  for (const setting of anchors) {
    await page.goto(setting);
    const [, anchor] = setting.split('#');
    await expect(page.locator(`#content #${anchor}`), setting).toBeFocused({ timeout: 15_000 });
    await expect(page.locator(`#content #${anchor}`), setting).toBeInViewport();
  }
});

test('without workers it begins with them: who is missing, what comes of it, and how one joins', async ({
  signedIn: page,
}) => {
  const evidence =
    'No apply worker ticks: nothing is applied, live neither. `pnpm worker --role apply` joins one from any machine, or `pnpm start` with SPILLWAY_WORKERS above 0.';
  await page.route('**/v1/pipelines/flights/readiness', async (route) => {
    const response = await route.fetch();
    const answered = (await response.json()) as Readiness;
    const items = answered.items.map((item) =>
      item.id === 'workers_present'
        ? { ...item, answer: 'no' as const, evidence, setting: '/settings#workers' }
        : item,
    );
    await route.fulfill({ response, json: { ...answered, items } });
  });
  const readiness = new ReadinessPage(page);
  await readiness.open();
  await expect(readiness.summary).toContainText('Begin with the workers');
  await expect(readiness.summary.getByRole('code')).toHaveText(['pnpm worker --role apply', 'pnpm start']);
  await readiness.summary.getByRole('link', { name: /^Workers/ }).click();
  await expect(page.locator('#content #workers')).toBeFocused();
});

test('a link leads there also when the answer is later than a screen takes to settle', async ({
  signedIn: page,
}) => {
  await page.clock.install();
  const trouble = await delay(page, /^\/v1\/(pipelines|events)$/);
  await page.goto('/pipeline#reconnect-stagger');
  await expect(new Room(page).paletteButton).toBeVisible();
  await page.clock.fastForward(10_000);
  await trouble.over();
  await expect(new PipelinePage(page).settings.getByLabel('Reconnect stagger')).toBeFocused();
});

test('streams: how much waits, with its units, while a backfill runs', async ({ system, signedIn: page }) => {
  await startLong(system, { limits: { eventsPerSecond: 3_000 } });
  const now = new NowPage(page);
  await now.open();
  await now.streams.getByRole('link', { name: 'Streams in depth' }).click();
  const streams = new StreamsPage(page);
  await expect(streams.heading).toBeVisible();
  const { items } = (await system.call('GET', '/v1/pipelines/flights/streams')).body as {
    items: { name: string; role: string }[];
  };
  const name = (role: string) => items.find((one) => one.role === role)?.name ?? '';

  const replay = name('replay');
  await expect(streams.stream(replay)).toContainText(/[1-9][\d,]* entr(y|ies) .*of its high-water mark/, {
    timeout: 30_000,
  });
  await expect(streams.figure(replay, 'High-water mark')).toHaveText(/^[\d,]+ entries$/);
  await expect(streams.figure(replay, 'Size')).toHaveText(/^[\d.,]+ (B|KiB|MiB)$/);
  await expect(streams.figure(replay, 'Lag')).toHaveText(/^[\d,]+ entr(y|ies)$/);
  await expect(streams.figure(replay, 'Lag in time')).toHaveText(/^[\d.,]+ (ms|s)$/);
  await expect(streams.figure(replay, 'Safe to stay paused for')).toHaveText('as long as it takes');
  await expect(streams.figure(replay, 'Kept')).toHaveText('until every consumer group has finished with it');
  await expect(streams.figure(name('live'), 'High-water mark')).toHaveText('none');

  await streams.chart.scrollIntoViewIfNeeded();
  await expect(streams.chartPanel).toContainText('High-water mark');
  await expect(streams.chart.locator('path').first()).toHaveAttribute('d', /L/);
  await streams.show('Lag in time');
  await expect(streams.chartPanel).toContainText(/Replay, lag\s*[\d.,]+ (ms|s)/);

  await expect(streams.route).toContainText('Separate');
  await expect(streams.route).toContainText('so that live never queues behind it');
  await streams.route.getByRole('link', { name: 'Where it is decided' }).click();
  await expect(page.locator('#route')).toBeInViewport();
});

test('both are in the palette and on the keys', async ({ signedIn: page }) => {
  await new NowPage(page).open();
  const room = new Room(page);
  await page.keyboard.press('g');
  await page.keyboard.press('s');
  await expect(new StreamsPage(page).heading).toBeVisible();
  await room.paletteButton.click();
  await room.palette.fill('Readiness');
  await page.keyboard.press('Enter');
  await expect(new ReadinessPage(page).heading).toBeVisible();
  await page.keyboard.press('?');
  await expect(room.keysHelp).toContainText('Go to Streams');
  await expect(room.keysHelp).toContainText('Go to Readiness');
});

/** As somebody else; the answer is what the stagger was. */
async function patch(system: System, body: { reconnectStaggerMs: number }): Promise<number> {
  const read = await system.call('GET', '/v1/pipelines/flights');
  const answer = await system.call('PATCH', '/v1/pipelines/flights', body, {
    'if-match': read.headers.get('etag') ?? '',
  });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return (read.body as Pipeline).reconnectStaggerMs;
}
