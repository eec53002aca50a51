import type { Locator } from '@playwright/test';
import type { Pipeline } from '@spillway/shared/api/pipeline';
import { configurePipeline, readPipeline } from '../../apps/api/test/system/pipelines.ts';
import { BackfillPage } from '../pages/backfill-page.ts';
import { NowPage } from '../pages/now-page.ts';
import { PipelinePage } from '../pages/pipeline-page.ts';
import { Room } from '../pages/room.ts';
import { cancelAll, expect, startLong, stateOf, test } from './started.ts';

test.beforeEach(({ system }) => cancelAll(system));
test.afterEach(({ system }) => cancelAll(system));
test.setTimeout(240_000);

test('a feed fails: its live stops, its gap opens, and the reconnect fills it', async ({
  system,
  signedIn: page,
}) => {
  // An hour of live in some seconds.
  const { demo } = await readPipeline(system);
  await configurePipeline(system, { demo: { liveEventsPerSecond: 100 } });
  const pipeline = new PipelinePage(page);
  await pipeline.open();
  const west = pipeline.source('west');
  await expect(west).toContainText('Connected', { timeout: 30_000 });

  await pipeline.disconnect('west').click();
  await expect(west).toContainText('Disconnected', { timeout: 30_000 });
  await expect(west).toContainText(/gap so far: [1-9][\d ]*(s|min|h|d)/, { timeout: 30_000 });
  const reached = async () => {
    const { body } = await system.call('GET', '/v1/sources');
    return Object.fromEntries(
      (body.items as { id: string; liveWatermark: string | null }[]).map((source) => [
        source.id,
        Date.parse(source.liveWatermark ?? ''),
      ]),
    );
  };
  const room = new Room(page);
  await room.goTo('Now');
  await expect(new NowPage(page).verdict).toContainText('their feed is disconnected: west', {
    timeout: 15_000,
  });
  await room.goTo('Pipeline');
  // What was in flight is applied first; then live of west stands still while the others go on for an hour of event time.
  const before = await reached();
  await expect
    .poll(async () => (await reached())['east'], { timeout: 60_000 })
    .toBeGreaterThan((before['east'] as number) + 3_600_000);
  const cut = Date.parse((await system.call('GET', '/v1/sources/west')).body.disconnectedAt);
  expect((await reached())['west']).toBeLessThanOrEqual(cut);

  await pipeline.reconnect('west').click();
  await expect(west).toContainText('Connected', { timeout: 30_000 });
  await expect(pipeline.reconnects.rows).toHaveCount(1, { timeout: 30_000 });
  await expect(pipeline.reconnects.rows).toContainText('after a reconnect');
  const id = (await pipeline.reconnects.rows.getAttribute('data-backfill-id')) as string;

  const backfill = new BackfillPage(page);
  await backfill.open(id);
  await expect(backfill.state).toHaveText('Completed', { timeout: 120_000 });
  await expect(backfill.proof).toContainText('Matched');
  await pipeline.open();
  await expect(pipeline.reconnects.rows).toHaveCount(0, { timeout: 15_000 });
  if (demo !== null) await configurePipeline(system, { demo });
});

test('a fire drill: Now names it, one click makes it safe, another ends it early, the report is complete', async ({
  system,
  signedIn: page,
}) => {
  const { id } = await startLong(system);
  await expect.poll(() => stateOf(system, id), { timeout: 30_000 }).toBe('running');
  const pipeline = new PipelinePage(page);
  await pipeline.open();
  await pipeline.startDrill.click();
  const { drillDialog } = pipeline;
  await expect(drillDialog.safe).toBeFocused();
  await drillDialog.seconds.fill('31');
  await expect(drillDialog.stall).toBeDisabled();
  await drillDialog.seconds.fill('30');
  await drillDialog.stall.click();
  await expect(pipeline.drill).toContainText('Store stalled');
  await expect(pipeline.releaseDrill, 'who sees it here can end it here').toBeEnabled();
  await expect(pipeline.startDrill).toHaveCount(0);
  const whileStalled = await placeOf(pipeline.drill, pipeline.drills);

  const room = new Room(page);
  await expect(room.screen('Now'), 'seen from any screen').toContainText('At risk');
  await expect(page, 'and from another tab').toHaveTitle(/^At risk · /);
  await room.goTo('Now');
  const now = new NowPage(page);
  await expect(now.sentence).toContainText(/Live path at risk: the store has not answered for [\d.]+ s/, {
    timeout: 20_000,
  });
  await expect(now.verdict).toContainText('the governor has stopped all replay');
  await expect(now.verdict, 'whoever is called sees that it is on purpose').toContainText(
    'This is a fire drill, started by admin: the store is stalled on purpose for 30 s',
  );
  await expect(now.pipeline).toContainText(
    /Why: fire drill by admin: the store is stalled on purpose → store: no answer/,
  );
  await expect(now.alerts).toContainText('Store stalled', { timeout: 10_000 });
  const [alertsAt, rowAt] = await Promise.all([
    now.alerts.boundingBox(),
    now.backfills.row(id).boundingBox(),
  ]);
  expect(alertsAt?.y, 'an alert moves no row and no button').toBeGreaterThan(rowAt?.y ?? Infinity);
  await now.pauseAllReplay.click();
  await expect(now.verdict).toContainText('emergency brake is on');
  await expect(now.backfills.state(id)).toHaveText('Paused', { timeout: 30_000 });
  await now.releaseStore.click();

  await expect(now.sentence).toContainText('Live path is safe', { timeout: 60_000 });
  await expect(room.screen('Now')).not.toContainText('At risk');
  await expect(now.alerts.getByText('Store stalled'), 'safe is said once the alert is cleared').toHaveCount(
    0,
  );
  await now.resumeReplay.click();
  await expect(now.backfills.state(id)).toHaveText('Running', { timeout: 15_000 });

  await room.goTo('Pipeline');
  await expect(pipeline.drill).toContainText('Finished', { timeout: 60_000 });
  await expect(pipeline.drill).toContainText(/Released by admin after [\d.]+ s of 30\.0 s\./);
  await expect(pipeline.startDrill).toBeEnabled();
  expect(
    await placeOf(pipeline.drill, pipeline.drills),
    'the verbs take turns, the report holds still',
  ).toEqual(whileStalled);
  for (const moment of ['Store stood still', 'Store released', 'All normal again'])
    await expect(pipeline.moment(moment)).toHaveText(/^\+[\d.]+ (ms|s)/);
});

test('a limit above the safe rate is asked about, and Now throttles back to it in one click', async ({
  system,
  signedIn: page,
}) => {
  const { id } = await startLong(system);
  const backfill = new BackfillPage(page);
  await backfill.open(id);
  await expect(backfill.throttle).toContainText(/Safe rate now: [\d,]+ events\/s/, { timeout: 30_000 });
  await backfill.throttleTo(9_000_000);
  await expect(backfill.raiseDialog.keep).toBeFocused();
  await backfill.raiseDialog.keep.click();
  await expect(backfill.raiseDialog.root).toBeHidden();
  const limitOf = async () => (await system.call('GET', `/v1/backfills/${id}`)).body.limits.eventsPerSecond;
  expect(await limitOf()).toBe(300);
  await backfill.applyThrottle.click();
  await backfill.raiseDialog.raise.click();
  await expect(backfill.receipt).toContainText('In effect', { timeout: 15_000 });
  expect(await limitOf()).toBe(9_000_000);

  // A target that no store can hold: live is breached for as long as the test wants it to be.
  const restore = await setFreshnessTarget(system, 0.01);
  try {
    const now = new NowPage(page);
    const recorded = page.waitForResponse(/telemetry\?.*names=backfill/);
    const openedAtMs = Date.now();
    await now.open();
    const { series } = await (await recorded).json();
    const rates: [number, number | null][] = series[`backfill.${id}.eventsPerSecond`];
    expect(
      rates.find(([atMs, rate]) => rate !== null && atMs < openedAtMs),
      'its sparkline begins before the page was opened',
    ).toBeDefined();
    await expect(now.sentence).toContainText(/live freshness p99 is [\d.]+ m?s, above its target/, {
      timeout: 30_000,
    });
    await now.throttleToSafeRate.click();
    await expect(now.verdict).toContainText(/In effect: bf_\w+: 9,000,000 events\/s → [\d,]+ events\/s/, {
      timeout: 15_000,
    });
    expect(await limitOf()).toBeLessThan(100_000);
  } finally {
    await restore();
  }
});

test('a target edited by two: who comes second sees what the first one changed', async ({
  system,
  signedIn: page,
}) => {
  const pipeline = new PipelinePage(page);
  await pipeline.open();
  const signal = pipeline.signal('storeCommitMsP99');
  await signal.getByRole('button').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Target: at most').fill('70000');
  const restore = await setTarget(system, 'storeCommitMsP99', 50_000);
  try {
    await dialog.getByRole('button', { name: 'Save target' }).click();
    await expect(dialog.getByRole('alert')).toContainText('target: none → 50 s');
    await dialog.getByRole('button', { name: 'Apply mine instead' }).click();
    await expect(dialog).toBeHidden();
    await expect(signal).toContainText('≤ 1 min 10 s');
    await expect(signal).toContainText('In target', { timeout: 15_000 });
  } finally {
    await restore();
  }
  await expect(signal).toContainText('Not governing', { timeout: 15_000 });
});

/** Where something begins in what it is part of, px. */
async function placeOf(part: Locator, whole: Locator): Promise<{ x: number; y: number }> {
  const [inner, outer] = await Promise.all([part.boundingBox(), whole.boundingBox()]);
  if (inner === null || outer === null) throw new Error('it is not to be seen');
  return { x: inner.x - outer.x, y: inner.y - outer.y };
}

type System = Parameters<typeof cancelAll>[0];
const setFreshnessTarget = (system: System, target: number) =>
  setTarget(system, 'liveFreshnessMsP99', target);

/** Changes the target of a signal as somebody else; the answer puts it back. */
async function setTarget(
  system: System,
  name: 'liveFreshnessMsP99' | 'storeCommitMsP99',
  target: number,
): Promise<() => Promise<void>> {
  const patch = async (value: Pipeline['signals'][typeof name]) => {
    const read = await system.call('GET', '/v1/pipelines/flights');
    const answer = await system.call(
      'PATCH',
      '/v1/pipelines/flights',
      { signals: { [name]: value } },
      { 'if-match': read.headers.get('etag') ?? '' },
    );
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return read.body.signals[name] ?? { target: null, failMode: 'bad' };
  };
  const before = await patch({ target, failMode: 'bad' });
  return async () => {
    await patch(before);
  };
}
