/**
 * What every screen shows while an answer is on its way, when one cannot be had, and on the first day. The system is a real one; only answers are
 * held back, or refused as an api refuses that cannot answer, one path at a time.
 */
import type { Page } from '@playwright/test';
import type { Backfill } from '@spillway/shared/api/backfill';
import { type StartedSystem, startSystem } from '../../apps/api/test/system/started-system.ts';
import { NewBackfillPage } from '../pages/new-backfill-page.ts';
import { SignInPage } from '../pages/sign-in-page.ts';
import { cancelAll, expect, startLong, test } from './started.ts';
import { delay, refusal, refuse } from './trouble.ts';

test.setTimeout(240_000);

interface Screen {
  readonly name: string;
  readonly path: (backfillId: string) => string;
  /** Each path that it asks, and what of it cannot be loaded without its answer. */
  readonly parts: readonly (readonly [path: RegExp, what: RegExp | string])[];
  /** What has to be done before all of it is asked for. */
  readonly prepare?: (page: Page) => Promise<void>;
}

const pipelines = [/^\/v1\/pipelines$/, 'The pipelines'] as const;
const session = [/^\/v1\/session$/, 'This screen'] as const;
const backfills = /^\/v1\/backfills$/;
const ofPipeline = (part: string) => new RegExp(`^/v1/pipelines/flights/${part}$`);
const ofBackfill = (part: string) => new RegExp(`^/v1/backfills/bf_\\w+${part}$`);

const screens: readonly Screen[] = [
  {
    name: 'Now',
    path: () => '/',
    parts: [
      session,
      pipelines,
      [backfills, 'The backfills'],
      [/^\/v1\/alerts$/, 'The alerts'],
      [ofPipeline('telemetry'), /^(The recorded telemetry|What was before)/],
    ],
    // What is out of sight is not drawn.
    prepare: (page) => scrollTo(page, 'Throughput'),
  },
  {
    name: 'Pipeline',
    path: () => '/pipeline',
    parts: [
      pipelines,
      [/^\/v1\/sources$/, 'The sources'],
      [ofPipeline('probes'), 'The probes'],
      [ofPipeline('drills'), 'The drills'],
      [/^\/v1\/alerts$/, 'The alerts'],
      [backfills, 'The reconnect queue'],
    ],
  },
  {
    name: 'Streams',
    path: () => '/streams',
    parts: [pipelines, [ofPipeline('telemetry'), /^(The recorded telemetry|What was before)/]],
    prepare: (page) => scrollTo(page, 'Length and lag'),
  },
  { name: 'Backfills', path: () => '/backfills', parts: [session, [backfills, 'The backfills']] },
  {
    name: 'New backfill',
    path: () => '/backfills/new',
    parts: [
      pipelines,
      [/^\/v1\/sources$/, 'The sources'],
      [ofPipeline('coverage'), 'The coverage map'],
      [/^\/v1\/quotes$/, 'The quote'],
    ],
    async prepare(page) {
      const fresh = new NewBackfillPage(page);
      // In the place of the form stands what it cannot be without.
      await fresh.from.or(page.getByRole('alert')).first().waitFor();
      if (!(await fresh.from.isVisible())) return;
      await fresh.from.fill('2001-02-05 00:00');
      await fresh.to.fill('2001-02-06 00:00');
    },
  },
  {
    name: 'Backfill',
    path: (id) => `/backfills/${id}`,
    parts: [
      // The backfill itself is told by the event stream, too: without the answer its screen comes a second later.
      [ofBackfill('/subwindows/bins'), 'The subwindows'],
      [ofBackfill('/ledger'), 'The ledger'],
      [/^\/v1\/audit$/, 'The audit'],
    ],
  },
  { name: 'Cost', path: () => '/cost', parts: [pipelines, [ofPipeline('cost'), 'The meter']] },
  {
    name: 'Readiness',
    path: () => '/readiness',
    parts: [pipelines, [ofPipeline('readiness'), 'The checklist']],
  },
  { name: 'Audit', path: () => '/audit', parts: [session, [/^\/v1\/audit$/, 'The audit']] },
  {
    name: 'Settings',
    path: () => '/settings',
    parts: [
      [/^\/v1\/tokens$/, 'The tokens'],
      [/^\/v1\/webhooks$/, 'The webhooks'],
      [/^\/v1\/workers$/, 'The workers'],
      [/^\/v1\/sources$/, 'The sources'],
    ],
  },
];

/** Where there is such a part, and not what could not be loaded in the place of the whole screen. */
async function scrollTo(page: Page, title: string): Promise<void> {
  const part = page.getByRole('region', { name: title, exact: true });
  await part.or(page.getByRole('alert')).first().waitFor();
  if (await part.isVisible()) await part.scrollIntoViewIfNeeded();
}

const skeletons = (page: Page) => page.locator('.mantine-Skeleton-root');
/** As a number of something: not a digit of another number, of a time or of an axis. */
const aZero = /(?<![\w.,:-])0(?![\w.,:%-]| %)/;

test.describe('with a backfill at work', () => {
  let id = '';
  test.beforeAll(async ({ system }) => {
    await cancelAll(system);
    ({ id } = await startLong(system));
  });
  test.afterAll(({ system }) => cancelAll(system));

  for (const { name, path, parts, prepare } of screens) {
    test(`${name}: what cannot be had is named, with what to quote, and comes when it is tried again`, async ({
      signedIn: page,
    }) => {
      for (const [api, what] of parts)
        await test.step(`${api}`, async () => {
          const trouble = await refuse(page, api);
          await page.goto(path(id));
          await prepare?.(page);
          const alert = page.getByRole('alert').filter({ hasText: what }).first();
          await expect(alert).toContainText('could not be loaded', { timeout: 15_000 });
          await expect(alert).toContainText(refusal.detail);
          await expect(alert).toContainText(refusal.requestId);
          await expect(page.getByRole('heading', { level: 1 }), 'the screen has its name').toHaveCount(1);

          const panel = page.locator('main section').filter({ has: alert }).last();
          if ((await panel.count()) > 0)
            expect(
              (await panel.textContent())?.replace((await alert.textContent()) ?? '', ''),
              'nothing is said to be nought that is not known',
            ).not.toMatch(aZero);
          expect(
            await page.evaluate(() => document.documentElement.scrollWidth),
            'not wider than its window',
          ).toBeLessThanOrEqual(1_280);

          await trouble.over();
          // What the mark at Now asks for too may have come by itself meanwhile.
          const again = alert.getByRole('button', { name: 'Try again' });
          await again.click({ timeout: 10_000 }).catch(() => undefined);
          await expect(alert).toBeHidden({ timeout: 15_000 });
          await expect(skeletons(page)).toHaveCount(0, { timeout: 15_000 });
        });
    });
  }

  test('an address that names a pipeline which is not there shows no other one in its place', async ({
    signedIn: page,
  }) => {
    for (const path of ['/', '/pipeline', '/streams', '/backfills/new', '/cost', '/readiness']) {
      await page.goto(`${path}?pipeline=fligths`);
      const heading = page.getByRole('heading', { level: 1 });
      await expect(heading, path).toHaveText('There is no pipeline “fligths”');
      await expect(page.getByRole('main').getByRole('region'), 'nothing of another one').toHaveCount(0);
      await page.getByRole('button', { name: 'Show US flights 2001' }).click();
      await expect(page).toHaveURL(/pipeline=flights$/);
      await expect(heading, path).not.toHaveText(/There is no pipeline/);
    }
  });

  test('while answers are on their way every screen keeps their places, and nothing jumps when they come', async ({
    signedIn: page,
  }) => {
    await page.addInitScript(watchShifts);
    for (const { name, path } of screens)
      await test.step(name, async () => {
        // Who one is and which pipelines there are come first: without them there is no frame to stand in.
        const trouble = await delay(page, /^\/v1\/(?!session$|pipelines$|events$)/);
        await page.goto(path(id));
        // Of some screens the event stream tells all of it.
        const heading = page.getByRole('heading', { level: 1 });
        await expect(skeletons(page).first().or(heading).first()).toBeVisible({ timeout: 15_000 });
        await expect(page.getByRole('main')).not.toContainText(
          /could not be loaded|No backfill has been|Nothing is being replayed/,
        );
        await trouble.over();
        await expect(skeletons(page)).toHaveCount(0, { timeout: 20_000 });
        // Of 0.1 at most browsers say that a page is good.
        expect(await page.evaluate(() => window.shifts), name).toBeLessThan(0.1);
      });
  });
});

declare global {
  interface Window {
    /** Of what has moved without anybody's doing: its part of the window times how far it went, as browsers count it. */
    shifts: number;
  }
}

/** Runs in the page, before anything of its own. */
function watchShifts(): void {
  window.shifts = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as (PerformanceEntry & {
      value: number;
      hadRecentInput: boolean;
    })[])
      if (!entry.hadRecentInput) window.shifts += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
}

test.describe('on the first day', () => {
  let empty: StartedSystem;
  test.beforeAll(async () => {
    empty = await startSystem({ env: { SPILLWAY_DEMO: 'none' } });
  });
  test.afterAll(() => empty?.remove());

  test('without a pipeline every screen says what to do next, and none shows a number', async ({
    browser,
  }) => {
    const context = await browser.newContext({ baseURL: empty.url });
    const page = await context.newPage();
    await new SignInPage(page).open(`${empty.url}/#code=${empty.signInCode}`);
    for (const path of ['/', '/pipeline', '/streams', '/backfills/new', '/cost', '/readiness']) {
      await page.goto(path);
      await expect(page.getByRole('heading', { level: 1 }), path).toHaveText('There is no pipeline yet');
      await expect(page.getByRole('main'), path).toContainText('POST /v1/pipelines');
      await expect(page.getByRole('main'), path).not.toContainText(/\d+ events/);
    }
    await page.goto('/backfills');
    await expect(page.getByRole('main')).toContainText('No backfill has been started yet');
    await expect(page.getByRole('link', { name: 'Open the coverage map' })).toBeVisible();
    await page.goto('/settings');
    await expect(page.getByRole('region', { name: 'Tokens', exact: true })).toContainText(
      'There is no token',
    );
    await expect(page.getByRole('region', { name: 'Sources' })).toContainText('There is no source');
    await page.goto('/audit');
    await expect(page.getByRole('region', { name: 'Entries' })).toContainText(/started|signed|Nothing older/);
    await context.close();
  });
});

test('a key however long leaves the numbers of a proof in sight', async ({ system, signedIn: page }) => {
  const { id } = await startLong(system);
  await cancelAll(system);
  const side = { count: 1, sum: '1', hash: '18446744073709551615' };
  const key = 'k'.repeat(400);
  await page.route(`**/v1/backfills/${id}`, async (route) => {
    const response = await route.fetch();
    const backfill = (await response.json()) as Backfill;
    const mismatches = [
      { sourceId: 'east', key, start: '2001-03-05T12:00:00Z', source: side, stored: null, bucket: side },
    ];
    const verification = { ...backfill.verification, state: 'mismatched', mismatches };
    await route.fulfill({ response, json: { ...backfill, verification } });
  });
  await page.goto(`/backfills/${id}`);
  const table = page.getByRole('region', { name: 'Buckets that differ' });
  await expect(table.getByText(key)).toBeVisible();
  expect(await table.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBe(0);

  await page.setViewportSize({ width: 400, height: 800 });
  const icon = page.getByRole('region', { name: 'Proof' }).locator('svg').first();
  expect((await icon.boundingBox())?.width, 'beside words of two lines the icon keeps its size').toBe(20);
});
