/** What the screens cost the browser: the first paint, a tick of Now, a list of 10,000 backfills, a strip of 1,563,840 subwindows. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from '@playwright/test';
import pg from 'pg';
import {
  connectionUrl,
  socketDirectoryOf,
} from '../../apps/api/src/supervise/embedded-postgres/socket-dir.ts';
import { command, startBackfill, untilState } from '../../apps/api/test/system/backfills.ts';
import type { StartedSystem } from '../../apps/api/test/system/started-system.ts';
import { NowPage } from '../../playwright/pages/now-page.ts';
import { type ControlRoom, openControlRoom, scriptSeconds } from '../control-room.ts';
import { type Figure, figure, median } from '../figures.ts';
import { halfYear, quietSystem } from '../flights.ts';
import { measured } from '../quick.ts';

const BACKFILLS = 10_000;
const TICKS = measured(30, 10);
const PAINTS = measured(5, 2);

export async function screensArm(): Promise<Figure[]> {
  const system = await quietSystem();
  const room = await openControlRoom(system);
  try {
    const fine = await startBackfill(system, {
      window: halfYear,
      subwindow: 'PT10S',
      limits: { eventsPerSecond: 2_000 },
    });
    const paints = await largestPaints(room.page);
    const ticks = await ticksOfNow(room);
    const strip = await readyAfterData(room.page, {
      click: (page) => new NowPage(page).backfills.link(fine.id).click(),
      data: '/subwindows/bins',
      selector: 'main svg[role="img"][aria-label*=" done"]',
    });
    await command(system, fine.id, 'cancel');
    await untilState(system, fine.id, 'cancelled');
    await copyBackfill(system, fine.id, BACKFILLS);
    const list = await readyAfterData(room.page, {
      click: (page) =>
        page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: 'Backfills' }).click(),
      data: '/v1/backfills?limit=',
      selector: 'main tr[data-backfill-id]:nth-child(10)',
    });
    return [
      figure(
        'Now: largest contentful paint, opened anew',
        median(paints),
        'ms',
        { atMost: 1_500 },
        { paints },
      ),
      figure('Now: scripting in each second of a replay', median(ticks), 'ms', { atMost: 30 }, { ticks }),
      figure(
        `a backfill of ${fine.progress.subwindowsTotal} subwindows: its strip on the screen after its data`,
        strip,
        'ms',
        { atMost: 200 },
      ),
      figure(`a list of ${BACKFILLS} backfills: its page on the screen after its data`, list, 'ms', {
        atMost: 200,
      }),
    ];
  } finally {
    await room.close();
    await system.remove();
  }
}

/**
 * The page's own observer, of the paint as it stands when nothing larger has come for three seconds. Nothing is asked of the page until then: a
 * search for a heading, again and again, is work that nobody who opens it would give it.
 */
async function largestPaints(page: Page): Promise<number[]> {
  const paints: number[] = [];
  for (let n = 0; n < PAINTS; n++) {
    await page.goto('about:blank');
    await page.goto('/');
    await delay(3_000);
    paints.push(
      await page.evaluate(
        () =>
          new Promise<number>((resolve) =>
            new PerformanceObserver((list) =>
              resolve(list.getEntries().at(-1)?.startTime ?? Number.NaN),
            ).observe({
              type: 'largest-contentful-paint',
              buffered: true,
            }),
          ),
      ),
    );
  }
  return paints;
}

/** Scripting of each second, ms, with the chart in sight. */
async function ticksOfNow({ page, devtools }: ControlRoom): Promise<number[]> {
  await devtools.send('Performance.enable');
  const now = new NowPage(page);
  await now.open();
  await now.showChart();
  await delay(5_000);
  const ticks: number[] = [];
  let before = await scriptSeconds(devtools);
  for (let n = 0; n < TICKS; n++) {
    await delay(1_000);
    const after = await scriptSeconds(devtools);
    ticks.push((after - before) * 1_000);
    before = after;
  }
  return ticks;
}

/** What Now has read is old by then, and nothing of its beginning is left to do. */
const SETTLED_MS = 6_000;

/**
 * From the answer to two frames after it is on the screen, ms: by then the main thread has answered twice. Opened from Now as a person would; where
 * what is shown was known before the answer, from the click.
 */
async function readyAfterData(
  page: Page,
  {
    click,
    data,
    selector,
  }: { readonly click: (page: Page) => Promise<void>; readonly data: string; readonly selector: string },
): Promise<number> {
  await new NowPage(page).open();
  await delay(SETTLED_MS);
  await page.evaluate((wanted) => {
    document.addEventListener('click', () => performance.mark('bench-clicked'), {
      capture: true,
      once: true,
    });
    const look = () => {
      if (document.querySelector(wanted) === null) return requestAnimationFrame(look);
      return requestAnimationFrame(() => requestAnimationFrame(() => performance.mark('bench-shown')));
    };
    requestAnimationFrame(look);
  }, selector);
  await click(page);
  await page.locator(selector).first().waitFor();
  await delay(1_000);
  return page.evaluate((path) => {
    const [clicked, shown] = ['bench-clicked', 'bench-shown'].map(
      (mark) => performance.getEntriesByName(mark)[0]?.startTime ?? Number.NaN,
    ) as [number, number];
    const answers = (performance.getEntriesByType('resource') as PerformanceResourceTiming[])
      .filter(
        ({ name, startTime, responseEnd }) =>
          name.includes(path) && startTime >= clicked && responseEnd <= shown,
      )
      .map(({ responseEnd }) => responseEnd);
    return shown - Math.max(clicked, ...answers);
  }, data);
}

/** Rows like this one with their lanes, made in the database: ten thousand starts would measure something else. */
async function copyBackfill(system: StartedSystem, id: string, count: number): Promise<void> {
  const client = new pg.Client({
    connectionString: connectionUrl(socketDirectoryOf(`${system.dataDir}/control`)),
  });
  await client.connect();
  const copy = async (table: string, key: string, anew: readonly string[]) => {
    const { rows } = await client.query<{ name: string }>(
      `select quote_ident(column_name) as name from information_schema.columns
       where table_name = $1 and table_schema = 'public' and column_name <> all ($2)`,
      [table, [key, ...anew]],
    );
    const columns = rows.map(({ name }) => name).join(', ');
    await client.query(
      `insert into ${table} (${key}, ${columns})
       select 'bf_copy' || lpad(n::text, 12, '0'), ${columns} from ${table}, generate_series(1, $2) n where ${key} = $1`,
      [id, count],
    );
  };
  try {
    await copy('backfills', 'id', ['ordinal']);
    await copy('lanes', 'backfill_id', []);
  } finally {
    await client.end();
  }
}
