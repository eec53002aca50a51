/**
 * Every screen in every state that it may be found in, at the widths of a phone, a laptop and a wall (or at those of `MATRIX_WIDTHS=1280,…`), in light and in dark: for somebody to look at.
 * `pnpm matrix` writes reports/matrix/<state>/<screen>-<width>-<scheme>.png; `pnpm matrix -g "store stall"` one state. Minutes of work, and nothing a
 * machine could judge: not a part of `pnpm test`.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import { takeTall } from '../screenshots/tall.ts';
import { fourWeeks, test } from '../tests/started.ts';
import { type Found, situations } from './situations.ts';

const folder = fileURLToPath(new URL('../../reports/matrix/', import.meta.url));
const widths = (process.env['MATRIX_WIDTHS'] ?? '390,1280,2560').split(',').map(Number);
const schemes = ['light', 'dark'] as const;
/** What never comes in this state is shown as what is still awaited: that is the picture. */
const SETTLE_MS = 4_000;
/** How far back the past moment lies: recorded, and within what each state has lasted. */
const PAST_MS = 5_000;

test.setTimeout(900_000);

for (const situation of situations)
  test(situation.name, async ({ system, browser, signedIn: page }) => {
    const found = await situation.begin({ system, browser, page });
    try {
      const out = `${folder}${situation.name.replaceAll(' ', '-')}`;
      mkdirSync(out, { recursive: true });
      for (const [screen, path] of Object.entries(screensFor(found)))
        for (const colorScheme of schemes) {
          await found.refresh?.();
          await found.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
          await found.page.goto(typeof path === 'string' ? path : path());
          await shown(found.page);
          for (const width of widths)
            await takeTall(found.page, {
              path: `${out}/${screen}-${width}-${colorScheme}.png`,
              width,
              settleMs: SETTLE_MS,
              unsettled: true,
            });
        }
    } finally {
      await found.end();
    }
  });

function screensFor({ backfillId }: Found): Record<string, string | (() => string)> {
  return {
    now: '/',
    pipeline: '/pipeline',
    streams: '/streams',
    backfills: '/backfills',
    new: '/backfills/new',
    ...(backfillId === null
      ? {}
      : {
          quoted: `/backfills/new?from=${fourWeeks.from}&to=${fourWeeks.to}`,
          backfill: `/backfills/${backfillId}`,
          past: () => `/?at=${new Date(Date.now() - PAST_MS).toISOString().slice(0, 19)}Z`,
        }),
    cost: '/cost',
    readiness: '/readiness',
    audit: '/audit',
    settings: '/settings',
  };
}

async function shown(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).first().waitFor({ timeout: 20_000 });
}
