/** The states that a screen may be found in, each made with the real system and ended again. */
import type { Browser, Page } from '@playwright/test';
import { pidsOf } from '../../apps/api/test/system/roles.ts';
import { type StartedSystem, signal, startSystem } from '../../apps/api/test/system/started-system.ts';
import { cancelAll, expect, startLong } from '../tests/started.ts';

export interface Situation {
  readonly name: string;
  /** `system`: past its beginnings, nothing replaying. `page`: an admin's, in a context that is the situation's to change. */
  readonly begin: (parts: Parts) => Promise<Found>;
}

export interface Parts {
  readonly system: StartedSystem;
  readonly browser: Browser;
  readonly page: Page;
}

export interface Found {
  readonly page: Page;
  /** One to look at by itself; null: there is none. */
  readonly backfillId: string | null;
  /** Before each screen: it may have passed meanwhile. */
  readonly refresh?: () => Promise<void>;
  readonly end: () => Promise<void>;
}

/** The longest drill there is. */
const STALL_MS = 30_000;
/** What a screen takes to be pictured at every width. */
const A_SCREEN_MS = 9_000;

export const situations: readonly Situation[] = [
  {
    name: 'no data',
    async begin({ browser }) {
      const system = await startSystem({ env: { SPILLWAY_DEMO: 'none' } });
      const page = await (await browser.newContext({ baseURL: system.url })).newPage();
      await page.goto(`${system.url}/#code=${system.signInCode}`);
      await page.getByRole('navigation', { name: 'Screens' }).waitFor();
      return {
        page,
        backfillId: null,
        async end() {
          await page.context().close();
          await system.remove();
        },
      };
    },
  },
  {
    name: 'one backfill',
    async begin({ system, page }) {
      const { id } = await running(system);
      return { page, backfillId: id, end: () => cancelAll(system) };
    },
  },
  {
    name: 'fifty backfills',
    async begin({ system, page }) {
      const { id } = await running(system);
      for (let n = 0; n < 50; n += 1) {
        const day = (n % 27) + 1;
        const { id: other } = await startLong(system, {
          sourceIds: [['west', 'mountain', 'central', 'east'][n % 4] as string],
          window: { from: `2001-03-${two(day)}T00:00:00Z`, to: `2001-03-${two(day + 1)}T00:00:00Z` },
          limits: { eventsPerSecond: 20 + n },
          reason:
            n % 7 === 0
              ? 'the feed was down, and nobody noticed before the report of the quarter was due'
              : `gap ${n}`,
        });
        if (n % 5 === 0)
          await system.call('POST', `/v1/backfills/${other}/cancel`, { reason: 'wrong window' });
        else if (n % 11 === 0) await system.call('POST', `/v1/backfills/${other}/pause`, {});
      }
      return { page, backfillId: id, end: () => cancelAll(system) };
    },
  },
  {
    name: 'store stall',
    async begin({ system, page }) {
      const { id } = await running(system);
      let stalledUntilMs = 0;
      return {
        page,
        backfillId: id,
        async refresh() {
          if (Date.now() < stalledUntilMs - A_SCREEN_MS) return;
          await expect
            .poll(
              async () =>
                (await system.call('POST', '/v1/pipelines/flights/drills', { forMs: STALL_MS })).status,
              {
                timeout: 120_000,
                intervals: [500],
              },
            )
            .toBe(202);
          stalledUntilMs = Date.now() + STALL_MS;
          await raised(system, 'store_stalled');
        },
        end: () => cancelAll(system),
      };
    },
  },
  {
    name: 'dead worker',
    async begin({ system, page }) {
      const { id } = await running(system);
      const stopped = new Set<number>();
      const workers = () => pidsOf(system, 'replay worker');
      return {
        page,
        backfillId: id,
        // Its supervisor may have put another in its place.
        async refresh() {
          const fresh = workers().filter((pid) => !stopped.has(pid));
          if (fresh.length === 0) return;
          for (const pid of fresh) {
            signal(pid, 'SIGSTOP');
            stopped.add(pid);
          }
          await raised(system, 'worker_lost');
        },
        async end() {
          for (const pid of workers().filter((each) => stopped.has(each))) signal(pid, 'SIGCONT');
          await cancelAll(system);
        },
      };
    },
  },
  {
    name: 'dropped event stream',
    async begin({ system, page }) {
      const { id } = await running(system);
      await page.route('**/v1/events*', (route) => route.abort());
      return { page, backfillId: id, end: () => cancelAll(system) };
    },
  },
  {
    name: 'viewer',
    async begin({ system, browser }) {
      const { id } = await running(system);
      const { body } = await system.call('POST', '/v1/tokens', {
        name: 'viewer of the matrix',
        role: 'viewer',
      });
      const context = await browser.newContext({
        baseURL: system.url,
        extraHTTPHeaders: { authorization: `Bearer ${body.token}` },
      });
      return {
        page: await context.newPage(),
        backfillId: id,
        async end() {
          await context.close();
          await cancelAll(system);
        },
      };
    },
  },
];

const two = (value: number) => String(value).padStart(2, '0');

/** A long one, on its way. */
async function running(system: StartedSystem): Promise<{ readonly id: string }> {
  await cancelAll(system);
  const { id } = await startLong(system, { limits: { eventsPerSecond: 1_500 } });
  await expect
    .poll(
      async () => {
        const { eventsApplied, eventsDuplicate } = (await system.call('GET', `/v1/backfills/${id}`)).body
          .progress;
        // The state before this one has left some of its events in the store.
        return eventsApplied + eventsDuplicate;
      },
      { timeout: 60_000 },
    )
    .toBeGreaterThan(0);
  return { id };
}

async function raised(system: StartedSystem, code: string): Promise<void> {
  await expect
    .poll(
      async () =>
        ((await system.call('GET', '/v1/alerts?state=raised')).body.items as { code: string }[]).map(
          (alert) => alert.code,
        ),
      { timeout: 60_000 },
    )
    .toContain(code);
}
