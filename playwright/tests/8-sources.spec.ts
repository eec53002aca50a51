/** What is told of a history before anything of it is replayed. */
import type { Source } from '@spillway/shared/api/pipeline';
import { type KafkaServer, startKafka } from '../../apps/api/test/fixtures/kafka-server.ts';
import { writeTopic } from '../../apps/api/test/fixtures/kafka-topic.ts';
import type { StartedSystem } from '../../apps/api/test/system/started-system.ts';
import { NewBackfillPage } from '../pages/new-backfill-page.ts';
import { PipelinePage } from '../pages/pipeline-page.ts';
import { SettingsPage } from '../pages/settings-page.ts';
import { addOwnHistory } from './own-history.ts';
import { cancelAll, expect, test, untilKnown } from './started.ts';

test.beforeEach(({ system }) => cancelAll(system));

test('what retention has removed of a source stands beside it, and beside its tick before a start is refused', async ({
  system,
  signedIn: page,
}) => {
  await untilKnown(system);
  const id = 'cut-topic';
  const topics = await startKafka();
  try {
    const whole = await addCutTopic(system, topics, id);
    const pipeline = new PipelinePage(page);
    await pipeline.open();
    await expect(pipeline.source(id)).toContainText(`removed what was before ${whole.shown}`);
    await expect(pipeline.source('west')).not.toContainText('removed');
    const settings = new SettingsPage(page);
    await settings.open();
    await expect(settings.sources.locator(`[data-row="${id}"]`)).toContainText(
      `removed what was before ${whole.shown}`,
    );

    const fresh = new NewBackfillPage(page);
    await fresh.open();
    await fresh.from.fill('2001-03-05 12:00');
    await fresh.to.fill('2001-03-05 14:00');
    const removed = `Retention has removed what ${id} held before ${whole.shown}: begin the window no earlier`;
    await expect(fresh.sources).toContainText(`${removed}, or untick it.`);
    await expect(fresh.start).toBeDisabled();
    await fresh.sources.getByRole('button', { name: 'Untick it' }).click();
    await expect(fresh.source(id)).not.toBeChecked();
    await expect(fresh.start).toBeEnabled();

    // Alone it leaves nothing but the window to change.
    await fresh.source(id).check();
    for (const feed of ['west', 'mountain', 'central', 'east']) await fresh.source(feed).uncheck();
    await expect(fresh.from).toHaveAccessibleDescription(new RegExp(`${removed}\\.`));
    await expect(fresh.start).toBeDisabled();
    await fresh.from.fill(whole.typed);
    await expect(fresh.sources).not.toContainText('retention has removed');
    await expect(fresh.start).toBeEnabled();
  } finally {
    await system.call('DELETE', `/v1/sources/${id}`);
    await topics.stop();
  }
});

test('rows that are no events are told of a source before a replay quarantines them', async ({
  system,
  sourceFolder,
  signedIn: page,
}) => {
  const history = await addOwnHistory(system, sourceFolder, { id: 'two-broken', broken: 2 });
  try {
    const told = '2 rows would be quarantined';
    const pipeline = new PipelinePage(page);
    await pipeline.open();
    await expect(pipeline.source('two-broken')).toContainText('3 events');
    await expect(pipeline.source('two-broken')).toContainText(told);
    await expect(pipeline.source('west')).not.toContainText('quarantined');
    const settings = new SettingsPage(page);
    await settings.open();
    await expect(settings.sources.locator('[data-row="two-broken"]')).toContainText(told);
    const fresh = new NewBackfillPage(page);
    await fresh.open();
    await expect(fresh.sources).toContainText(told);
  } finally {
    await history.remove();
  }
});

test('a source that cannot be read looks failed where it is listed, and says what to do', async ({
  system,
  signedIn: page,
}) => {
  await untilKnown(system);
  const id = 'unreachable';
  const url = 'postgres://reader@127.0.0.1:9/orders';
  const columns = { id: 'id', time: 'at', key: 'key', value: 'value' };
  const { status, body } = await system.call('POST', '/v1/sources', {
    id,
    title: id,
    pipelineId: 'flights',
    history: { kind: 'postgres', url, table: 'orders', columns },
  });
  expect(status, JSON.stringify(body)).toBe(201);
  try {
    const settings = new SettingsPage(page);
    const pipeline = new PipelinePage(page);
    for (const [screen, row] of [
      [settings, settings.sources.locator(`[data-row="${id}"]`)],
      [pipeline, pipeline.source(id)],
    ] as const) {
      await screen.open();
      await expect(row.locator('[data-state="failed"]')).toHaveText('Failed', { timeout: 30_000 });
      await expect(row).toContainText('127.0.0.1:9 cannot be reached');
      await expect(row).toContainText('Look at its server');
      await expect(row, 'it was tried').not.toContainText('not counted yet');
      await expect(row.locator('[data-state="none"]'), 'nothing is wrong with a feed').toHaveText('None');
    }
  } finally {
    await system.call('DELETE', `/v1/sources/${id}`);
  }
});

/** Ten megabytes within minutes of 5 March 2001, of which a broker that keeps five has removed the beginning. From when on it is whole. */
async function addCutTopic(
  system: StartedSystem,
  topics: KafkaServer,
  id: string,
): Promise<{ readonly shown: string; readonly typed: string }> {
  // Between two seconds: people read and type whole ones.
  const firstMs = Date.parse('2001-03-05T12:00:00.001Z');
  const records = Array.from({ length: 1_000 }, (_, second) => ({
    partition: 0,
    timestamp: firstMs + second * 1_000,
    value: JSON.stringify({ key: 'SFO', value: second, filler: 'x'.repeat(9_000) }),
  }));
  // It removes by what was sent at once.
  for (let first = 0; first < records.length; first += 100)
    await writeTopic(topics.port, 'cut', records.slice(first, first + 100));
  const { status, body } = await system.call('POST', '/v1/sources', {
    id,
    title: id,
    pipelineId: 'flights',
    history: { kind: 'kafka', url: topics.url, topic: 'cut', columns: { key: 'key', value: 'value' } },
  });
  expect(status, JSON.stringify(body)).toBe(201);
  const wholeFrom = async () => ((await system.call('GET', `/v1/sources/${id}`)).body as Source).wholeFrom;
  await expect.poll(wholeFrom, { timeout: 30_000 }).toBeDefined();
  const next = new Date(Date.parse((await wholeFrom()) ?? '') + 999).toISOString();
  const clock = next.slice(11, 19);
  return { shown: `5 Mar 2001 ${clock.replace(/:00$/, '')} UTC`, typed: `2001-03-05 ${clock}` };
}
