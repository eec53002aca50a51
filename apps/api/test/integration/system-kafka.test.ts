/** A start with its streams on Kafka that cannot be. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authenticateAnswer, handshakeAnswer } from '../fixtures/kafka-answers.ts';
import { type KafkaFront, startFront } from '../fixtures/kafka-front.ts';
import { type KafkaServer, startKafka } from '../fixtures/kafka-server.ts';
import { startProcess } from '../fixtures/started-process.ts';

const EXIT_WRONG_SETTINGS = 78;
const WRONG_PASSWORD = 58;

let kafka: KafkaServer;
beforeAll(async () => {
  kafka = await startKafka();
});
afterAll(() => kafka?.stop());

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
  ])('ends at once, and says why: %#', async (urlAt, says) => {
    const { exit, output } = startProcess('start.ts', [], {
      env: { ...process.env, SPILLWAY_STREAM_URL: urlAt(front.port) },
    });
    expect((await exit).code).toBe(EXIT_WRONG_SETTINGS);
    expect(output.stderr).toMatch(says);
    expect(output.stderr + output.stdout).not.toContain('canary');
  });
});
