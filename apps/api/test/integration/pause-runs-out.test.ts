/** A pause on a stream whose broker drops by age: from the broker's own retention to the alert, in virtual time. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openKafkaStream } from '../../src/adapters/stream-kafka/stream.ts';
import { listAlerts } from '../../src/control-plane/alerts/queries.ts';
import { reviewAlerts } from '../../src/control-plane/alerts/review.ts';
import { pipelines } from '../../src/control-plane/database/schema.ts';
import { pausesOf } from '../../src/control-plane/governor/pauses.ts';
import { streamsOf } from '../../src/control-plane/telemetry/stages.ts';
import { APPLIER_GROUP } from '../../src/data-plane/apply/lane.ts';
import { streamReportOf } from '../../src/data-plane/apply/stream-report.ts';
import type { StreamEntry } from '../../src/data-plane/ports.ts';
import { openCore } from '../fixtures/control-core.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { configsAnswer } from '../fixtures/kafka-answers.ts';
import { type KafkaFront, startFront } from '../fixtures/kafka-front.ts';
import { type KafkaServer, startKafka } from '../fixtures/kafka-server.ts';
import { quietView } from '../fixtures/quiet-view.ts';
import { emptyStream } from '../fixtures/ticks.ts';

const MINUTE_MS = 60_000;
const RETENTION_MS = 600 * MINUTE_MS;
const DESCRIBE_CONFIGS = 32;

let database: ControlDatabase;
let server: KafkaServer;
let front: KafkaFront;
beforeAll(async () => {
  database = await startControlDatabase();
  server = await startKafka();
  // The broker of the tests does not tell of its topics.
  front = await startFront(server.port);
});
afterAll(async () => {
  front?.close();
  await server?.stop();
  await database?.end();
});

test('is warned of an hour before what waits is lost, critical a quarter of an hour before, and over once it has been applied', async () => {
  const core = await openCore(database.url, { stillClock: true, healthyApplier: false });
  const { clock, telemetry } = core.ctx;
  const [live, replay] = [`${core.pipelineId}-live`, `${core.pipelineId}-replay`];
  front.answer(DESCRIBE_CONFIGS, 2, () =>
    configsAnswer(`pauses.${replay}`, {
      'cleanup.policy': 'delete',
      'retention.ms': String(RETENTION_MS),
      'retention.bytes': '-1',
    }),
  );
  const stream = await openKafkaStream({
    url: `kafka://127.0.0.1:${front.port}/pauses`,
    name: replay,
    accepted: ['untrimmed'],
    now: () => clock.now(),
  });
  const applier = await core.join('apply');
  telemetry.observePipelines(await core.ctx.database.select().from(pipelines));

  /** Seconds of the governor's looks, and what they have raised. */
  async function watch(seconds: number) {
    for (let second = 0; second < seconds; second++) {
      const report = streamReportOf(await stream.stats(APPLIER_GROUP), replay, clock.now());
      await core.tick(applier, [], { streams: [emptyStream(live), report] });
      const seen = telemetry.observation(core.pipelineId);
      await reviewAlerts(core.ctx, [
        {
          pipelineId: core.pipelineId,
          view: quietView,
          storeSilentMs: 0,
          replayStreamFull: false,
          runningBackfills: [],
          pauses: pausesOf(seen),
        },
      ]);
      core.forward(1_000);
    }
    const { items } = await listAlerts(core.ctx, { pipelineId: core.pipelineId, state: 'raised' });
    return items.filter(({ code }) => code === 'pause_runs_out');
  }
  /** As the API tells it. */
  const safeForMs = () => {
    const seen = telemetry.observation(core.pipelineId);
    return seen === null ? null : streamsOf(seen).find(({ role }) => role === 'replay')?.safePausedForMs;
  };
  let passedMs = 0;
  const until = (minutes: number) => {
    core.forward(minutes * MINUTE_MS - passedMs);
    passedMs = minutes * MINUTE_MS;
  };

  const publishedAt = clock.now();
  const { lastOffset } = await stream.producer.append(entries(100, publishedAt));
  const consumer = stream.consumer(APPLIER_GROUP);
  const delivered = await consumer.read({
    after: null,
    maxEntries: 40,
    waitMs: 1_000,
    signal: new AbortController().signal,
  });
  await consumer.acknowledge(delivered[39]?.offset ?? '');
  expect(await stream.stats(APPLIER_GROUP)).toMatchObject({
    length: 100,
    group: { lagEntries: 60, lagMs: 0 },
    retention: { ms: RETENTION_MS },
  });
  expect(await watch(1)).toEqual([]);
  expect(safeForMs()).toBe(RETENTION_MS);

  until(539);
  expect(await watch(4)).toEqual([]);
  until(545);
  const [warned] = await watch(4);
  expect(warned).toMatchObject({ severity: 'warning', subject: replay });
  expect(warned?.detail).toMatch(/^Entries that are not applied are lost in 54 min \d+ s:/);
  until(590);
  expect(await watch(1)).toMatchObject([
    { severity: 'critical', detail: expect.stringContaining('lost in 9 min') },
  ]);
  until(601);
  expect(await watch(1)).toMatchObject([
    { severity: 'critical', detail: expect.stringMatching(/^Entries that are not applied are being lost/) },
  ]);
  await consumer.acknowledge(lastOffset);
  expect(await watch(8)).toEqual([]);
  expect(safeForMs()).toBeNull();
  await stream.close();
  await core.close();
});

function entries(count: number, publishedAt: number): StreamEntry[] {
  return Array.from({ length: count }, (_, index) => ({
    type: 'event',
    event: { id: `e#${index}`, sourceId: 'west', key: 'LAX', at: 991_353_600_000, value: -7 },
    publisher: { kind: 'live' },
    publishedAt,
  }));
}
