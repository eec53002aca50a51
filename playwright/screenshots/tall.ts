import type { Locator, Page } from '@playwright/test';
import { expect } from '../tests/started.ts';

/** A picture of the whole page at this width. The window is made as tall as the page for it: what is not in sight is not drawn. */
export async function takeTall(
  page: Page,
  {
    path,
    width,
    settleMs,
    unsettled = false,
    drawn,
  }: {
    readonly path: string;
    readonly width: number;
    /** How long what it asks for may take to come. */
    readonly settleMs: number;
    /** A picture of what has not come by then is wanted, too. */
    readonly unsettled?: boolean;
    /** What has to be drawn at that size first. */
    readonly drawn?: Locator | undefined;
  },
): Promise<void> {
  await page.setViewportSize({ width, height: 800 });
  await settled(page, settleMs, unsettled);
  // Once: what is made for the height of the window grows with it.
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width, height });
  // What is asked for only where it is in sight has come, too.
  await settled(page, settleMs, unsettled);
  if (drawn !== undefined) await expect(drawn).toBeVisible();
  await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
}

/** No skeleton is left. */
async function settled(page: Page, withinMs: number, orNot: boolean): Promise<void> {
  const skeletons = page.locator('.mantine-Skeleton-root');
  if (!orNot) return expect(skeletons).toHaveCount(0, { timeout: withinMs });
  await skeletons
    .first()
    .waitFor({ state: 'detached', timeout: withinMs })
    .catch(() => {});
}
