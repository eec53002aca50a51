/** The checklist over REST: answered from what the database and the last ticks hold, and changed by the setting that it names. */

import type { Readiness, ReadinessId } from '@spillway/shared/api/readiness';
import { protocolVersion } from '@spillway/shared/api/worker-protocol';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alerts, backfills, drills, pipelines, sources } from '../../src/control-plane/database/schema.ts';
import { governorPass } from '../../src/control-plane/governor/pass.ts';
import type { TelemetryRecorder } from '../../src/control-plane/telemetry/recorder.ts';
import { joinWorker } from '../../src/control-plane/workers/membership.ts';
import { version } from '../../src/version.ts';
import {
  adminToken,
  type ControlApp,
  january,
  seedPipeline,
  startControlApp,
} from '../fixtures/control-app.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { emptyApply, emptyStream, quietTick } from '../fixtures/ticks.ts';

let engine: ControlDatabase;
let control: ControlApp;

beforeAll(async () => {
  engine = await startControlDatabase();
  control = await startControlApp(engine.url);
  await seedPipeline(control.ctx);
});
afterAll(async () => {
  await control?.close();
  await engine?.end();
});

async function readiness(): Promise<Readiness> {
  const answer = await control.ask(adminToken, 'GET', '/v1/pipelines/flights/readiness');
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json();
}

async function item(id: ReadinessId) {
  return (await readiness()).items.find((one) => one.id === id);
}

async function patch(body: object): Promise<void> {
  const { headers } = await control.ask(adminToken, 'GET', '/v1/pipelines/flights');
  const answer = await control.ask(adminToken, 'PATCH', '/v1/pipelines/flights', {
    body,
    headers: { 'if-match': String(headers['etag']) },
  });
  expect(answer.statusCode, answer.body).toBe(200);
}

/** Two ticks of an applier a quarter of a second apart, a pass of the governor, and a second on record. */
async function measure(): Promise<void> {
  control.ctx.telemetry.observePipelines(await control.ctx.database.select().from(pipelines));
  for (const sequence of [1, 2]) {
    control.clock.forward(250);
    control.ctx.telemetry.observeTick('wk_apply_1', 'apply', {
      ...quietTick,
      sequence,
      apply: {
        ...emptyApply,
        freshnessMsP99: 12,
        streams: [
          emptyStream('live'),
          emptyStream('replay', { length: 400, lengthBytes: 64_000, lagEntries: 400 }),
        ],
      },
    });
  }
  await governorPass(control.ctx, control.ctx.telemetry);
  await (control.ctx.telemetry as TelemetryRecorder).beat();
}

test('of a pipeline that nobody has measured: what is set is answered, what is not known is unknown', async () => {
  const { counts, items, pipelineId } = await readiness();
  expect(pipelineId).toBe('flights');
  const of = (answer: string) => items.filter((one) => one.answer === answer).map(({ id }) => id);
  expect(of('unknown')).toEqual([
    'capacity_known',
    'signals_read',
    'stall_stops_replay',
    'backpressure_reaches_reader',
    'stream_holds_peak',
    'pause_is_safe',
    'history_counted',
    'proof_matched',
  ]);
  expect(of('no')).toEqual([
    'live_fresh',
    'cost_known',
    'workers_present',
    'workers_spare',
    'telemetry_kept',
  ]);
  expect(counts).toEqual({ yes: items.length - 13, no: 5, unknown: 8 });
  const nobody = await control.ask(adminToken, 'GET', '/v1/pipelines/nobody/readiness');
  expect([nobody.statusCode, nobody.json().code]).toEqual([404, 'unknown_pipeline']);
});

test('what the workers measure becomes evidence, with units and ages', async () => {
  await patch({ signals: { liveFreshnessMsP99: { target: 100, failMode: 'bad' } } });
  expect(await item('live_fresh')).toMatchObject({ answer: 'unknown' });
  await measure();
  expect(await item('live_fresh')).toMatchObject({
    answer: 'yes',
    evidence: expect.stringMatching(
      /^Live freshness, p99, is 12 ms, measured [\d.]+ m?s ago; its target is 100 ms\.$/,
    ),
  });
  expect(await item('stream_holds_peak')).toMatchObject({
    answer: 'yes',
    evidence: expect.stringContaining('The reader stops at 20,000 entries, with 400 there now'),
  });
  expect(await item('pause_is_safe')).toMatchObject({
    answer: 'yes',
    evidence: expect.stringContaining('400 entries wait on replay'),
  });
  expect(await item('telemetry_kept')).toMatchObject({ answer: 'yes' });
});

test('the setting that a "no" names turns it to yes', async () => {
  await patch({ reconnectStaggerMs: 0 });
  expect(await item('reconnects_bounded')).toMatchObject({
    answer: 'no',
    setting: '/pipeline?pipeline=flights#reconnect-stagger',
  });
  await patch({ reconnectStaggerMs: 2_500 });
  expect(await item('reconnects_bounded')).toMatchObject({
    answer: 'yes',
    evidence: expect.stringContaining('a random part of 2.5 s'),
  });
  await patch({ replayShare: 1 });
  expect(await item('rate_explicit')).toMatchObject({ answer: 'no' });
  await patch({ replayShare: 0.5 });
});

test('workers of every role, and a spare of each, as they join and fall silent', async () => {
  const join = (role: 'replay' | 'apply' | 'feed') =>
    joinWorker(control.ctx, { role, protocolVersion, pid: 1, host: 'here', version });
  for (const role of ['replay', 'apply', 'feed'] as const) await join(role);
  expect(await item('workers_present')).toMatchObject({ answer: 'yes' });
  expect(await item('workers_spare')).toMatchObject({ answer: 'no' });
  for (const role of ['replay', 'apply'] as const) await join(role);
  expect(await item('workers_spare')).toMatchObject({ answer: 'yes' });
  control.clock.forward(11_000);
  expect(await item('workers_present')).toMatchObject({ answer: 'no' });
});

test('drills, alerts, proofs, counts and limits are those of the database', async () => {
  const { database } = control.ctx;
  const at = (ms: number) => new Date(control.clock.now() - ms);
  await database.insert(drills).values({
    id: 'dr_1',
    pipelineId: 'flights',
    state: 'finished',
    forMs: 8_000,
    startedBy: 'mira',
    requestedAt: at(3_600_000),
    stalledAt: at(3_600_000),
    governorStoppedAt: at(3_599_000),
    releasedAt: at(3_592_000),
    recoveredAt: at(3_590_500),
    detail: 'The governor stopped replay before the stream was full, so the reader never came to its gate.',
  });
  expect(await item('stall_stops_replay')).toMatchObject({
    answer: 'yes',
    evidence: expect.stringContaining('replay had stopped 1 s after that'),
  });
  expect(await item('backpressure_reaches_reader')).toMatchObject({ answer: 'unknown' });
  await database.update(drills).set({ readerStoppedAt: at(3_597_500), peakBacklog: 20_001 });
  expect(await item('backpressure_reaches_reader')).toMatchObject({ answer: 'yes' });

  await database.insert(alerts).values({
    id: 'al_1',
    pipelineId: 'flights',
    code: 'storm',
    severity: 'critical',
    detail: 'Replay storm: for the test.',
  });
  expect(await item('alerts_quiet')).toMatchObject({
    answer: 'no',
    evidence: expect.stringContaining('Replay storm: for the test.'),
  });
  await database.update(alerts).set({ clearedAt: new Date(Date.now() + 60_000) });
  expect(await item('alerts_quiet')).toMatchObject({ answer: 'yes' });

  await database.update(sources).set({ countedAt: at(1_000), countsEstimated: true });
  expect(await item('history_counted')).toMatchObject({ answer: 'yes' });
  await database
    .update(sources)
    .set({ state: 'failed', failure: { code: 'gone', detail: 'The file is gone.', address: null } })
    .where(eq(sources.id, 'east'));
  expect(await item('history_counted')).toMatchObject({ answer: 'no', evidence: 'east: The file is gone.' });

  const started = await control.ask(adminToken, 'POST', '/v1/backfills', {
    body: {
      pipelineId: 'flights',
      sourceIds: ['west'],
      window: january,
      limits: { eventsPerSecond: 10_000 },
    },
  });
  const { id } = started.json();
  expect(await item('rate_explicit')).toMatchObject({ answer: 'no', setting: `/backfills/${id}` });
  await database
    .update(backfills)
    .set({ state: 'failed', endedAt: new Date(), verificationState: 'mismatched' })
    .where(eq(backfills.id, id));
  expect(await item('proof_matched')).toMatchObject({ answer: 'no', setting: `/backfills/${id}` });
  await database
    .update(backfills)
    .set({
      state: 'completed',
      startedAt: new Date(),
      verificationState: 'matched',
      bucketsChecked: 48,
      bucketsMatched: 48,
    })
    .where(eq(backfills.id, id));
  expect(await item('proof_matched')).toMatchObject({
    answer: 'yes',
    evidence: expect.stringContaining('matched the source in 48 buckets'),
  });
});
