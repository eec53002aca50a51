/**
 * The whole product with its streams on a broker that speaks Kafka's protocol, and starts on one that cannot be. The broker wakes nobody who
 * waits for an entry, so that live is up to half a second late here, and it removes nothing: live's target and what is accepted say so.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authenticateAnswer, handshakeAnswer } from '../fixtures/kafka-answers.ts';
import { type KafkaFront, startFront } from '../fixtures/kafka-front.ts';
import { type KafkaServer, startKafka } from '../fixtures/kafka-server.ts';
import { startProcess } from '../fixtures/started-process.ts';
import { compareWithOracle } from '../oracle/compare-buckets.ts';
import { FlightsOracle } from '../oracle/flights-oracle.ts';
import { appliedIn, quiet, readBackfill, startBackfill, untilState } from '../system/backfills.ts';
import { besideOthers, configurePipeline } from '../system/pipelines.ts';
import { pidOf, successorOf } from '../system/roles.ts';
import { type StartedSystem, startSystem } from '../system/started-system.ts';
import { until } from '../system/until.ts';

const EXIT_WRONG_SETTINGS = 78;
const WRONG_PASSWORD = 58;

let kafka: KafkaServer;
beforeAll(async () => {
  kafka = await startKafka();
});
afterAll(() => kafka?.stop());

const hours = { from: Date.UTC(2001, 0, 10, 12), to: Date.UTC(2001, 0, 10, 15) };

describe('the demo on Kafka', { timeout: 300_000 }, () => {
  let oracle: FlightsOracle;
  let system: StartedSystem;

  beforeAll(async () => {
    oracle = await FlightsOracle.open();
    system = await startSystem({
      env: {
        SPILLWAY_STREAM_URL: `${kafka.url}/demo`,
        SPILLWAY_STREAM_ACCEPT: 'retention,untrimmed',
        SPILLWAY_DEMO: 'flights',
      },
    });
    await quiet(system);
    await configurePipeline(system, besideOthers);
  }, 300_000);

  afterAll(async () => {
    oracle?.close();
    await system?.remove();
  });

  it('completes a backfill with proof, though both workers are killed under way', async () => {
    const { id } = await startBackfill(system, {
      window: { from: new Date(hours.from).toISOString(), to: new Date(hours.to).toISOString() },
      subwindow: 'PT1H',
      limits: { eventsPerSecond: 1_000 },
    });
    await until('something applied', async () => appliedIn(await readBackfill(system, id)) > 0);
    for (const role of ['replay worker', 'apply worker'] as const) {
      const pid = await pidOf(system, role);
      process.kill(pid, 'SIGKILL');
      await successorOf(system, role, pid);
    }
    const done = await untilState(system, id, 'completed', 240_000);
    const truth = await oracle.buckets(hours);
    expect(done.verification).toMatchObject({ state: 'matched', bucketsChecked: truth.length });
    const { checked, differing } = await compareWithOracle(system, oracle, hours);
    expect(differing).toEqual([]);
    expect(checked).toBe(truth.length);
  });

  it('tells that its replay stream is empty then', async () => {
    await until('an empty replay stream', async () => {
      const { items } = (await system.call('GET', '/v1/pipelines/flights/streams')).body;
      const found = items.find(({ name }: { name: string }) => name === 'flights-replay');
      return found?.length === 0 && found.consumerLag === 0;
    });
  });
});

describe('a start on a Kafka that cannot be', { timeout: 60_000 }, () => {
  let front: KafkaFront;
  beforeAll(async () => {
    front = await startFront(kafka.port);
    front.answer(17, 1, () => handshakeAnswer(0));
    front.answer(36, 0, () => authenticateAnswer(WRONG_PASSWORD));
  });
  afterAll(() => front?.close());

  it.each([
    [
      (port: number) => `kafka://me:canary@127.0.0.1:${port}`,
      /refuses the user or the password.*stream_denied/,
    ],
    [() => 'kafka://me:canary@a:b', /SPILLWAY_STREAM_URL must name brokers/],
    // The broker of the tests neither tells what it keeps nor removes what is applied.
    [() => kafka.url, /SPILLWAY_STREAM_ACCEPT=retention.*SPILLWAY_STREAM_ACCEPT=untrimmed.*stream_refused/],
  ])('ends at once, and says why: %#', async (urlAt, says) => {
    const { exit, output } = startProcess('start.ts', [], {
      env: { ...process.env, SPILLWAY_STREAM_URL: urlAt(front.port) },
    });
    expect((await exit).code).toBe(EXIT_WRONG_SETTINGS);
    expect(output.stderr).toMatch(says);
    expect(output.stderr + output.stdout).not.toContain('canary');
  });
});
