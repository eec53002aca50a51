/** The pictures of the docs, taken of the real system at work. `pnpm screenshots` writes them anew. */
import { mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import { recordPictures } from '../../scripts/pictures.ts';
import { BackfillPage } from '../pages/backfill-page.ts';
import { NewBackfillPage } from '../pages/new-backfill-page.ts';
import { NowPage } from '../pages/now-page.ts';
import { Room } from '../pages/room.ts';
import { expect, test } from '../tests/started.ts';
import { takeTall } from './tall.ts';

const images = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const lengthBytesMax = 700_000;
/** Enough of the chart to see something in it. */
const replaySeconds = 45;

const screens = ['pipeline', 'streams', 'backfills', 'cost', 'readiness', 'audit', 'settings'];

test.setTimeout(400_000);

test('Now, New and Backfill in light and dark, every other screen in light', async ({
  system,
  signedIn: page,
}) => {
  mkdirSync(images, { recursive: true });
  const january = (await system.call('GET', '/v1/backfills')).body.items[0];
  await expect
    .poll(async () => (await system.call('GET', '/v1/pipelines/flights')).body.capacity.eventsPerSecond, {
      timeout: 90_000,
    })
    .not.toBeNull();
  const { headers } = await system.call('GET', `/v1/backfills/${january.id}`);
  const throttled = await system.call(
    'PATCH',
    `/v1/backfills/${january.id}/limits`,
    // Two minutes of January: longer than the pictures take, on a fast machine too.
    { eventsPerSecond: 4_000, share: 0.9 },
    { 'if-match': headers.get('etag') ?? '' },
  );
  expect(throttled.status).toBe(202);
  await expect
    .poll(
      async () => {
        const { series } = (await system.call('GET', '/v1/pipelines/flights/telemetry?step=PT1S')).body;
        return series.replayEventsPerSecond.filter(([, value]: [number, number | null]) => (value ?? 0) > 0)
          .length;
      },
      { timeout: 200_000 },
    )
    .toBeGreaterThan(replaySeconds);

  for (const colorScheme of ['light', 'dark'] as const) {
    const name = (screen: string) => `${images}${screen}${colorScheme === 'dark' ? '-dark' : ''}.png`;
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });

    const now = new NowPage(page);
    await now.open();
    await now.showChart();
    await expect(now.tile('Replay rate')).toContainText(/[\d,]{4,} events\/s/, { timeout: 30_000 });
    await shoot(page, name('now'));

    const backfill = new BackfillPage(page);
    await backfill.open(january.id);
    await expect(backfill.ceilings).toContainText(/share/i);
    await expect(backfill.ledger).toContainText(/\d/);
    await shoot(page, name('backfill'));

    const fresh = new NewBackfillPage(page);
    await fresh.open();
    await expect(fresh.map).toBeVisible();
    await fresh.largestHole.click();
    await fresh.reason.fill('The feed was down in February.');
    await expect(fresh.start).toBeEnabled();
    await shoot(page, name('new'));
  }

  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  for (const screen of screens) {
    await page.goto(`/${screen}`);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await shoot(page, `${images}${screen}.png`);
  }
  recordPictures(fileURLToPath(new URL('../../', import.meta.url)));
});

async function shoot(page: Page, path: string): Promise<void> {
  await expect(new Room(page).dataAge).toContainText('Live, now', { timeout: 30_000 });
  const drawn = path.includes('now') ? new NowPage(page).chart.locator('path').first() : undefined;
  await takeTall(page, { path, width: 1280, settleMs: 30_000, drawn });
  await page.setViewportSize({ width: 1280, height: 800 });
  expect(statSync(path).size, path).toBeLessThan(lengthBytesMax);
}
