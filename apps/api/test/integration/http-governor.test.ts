/** What governs replay, as others read it: over REST, in the event stream, and in the metrics. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Change } from '../../src/control-plane/context.ts';
import { alerts } from '../../src/control-plane/database/schema.ts';
import { governorPass } from '../../src/control-plane/governor/pass.ts';
import type { TelemetryRecorder } from '../../src/control-plane/telemetry/recorder.ts';
import { adminToken, type ControlApp, seedPipeline, startControlApp } from '../fixtures/control-app.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { emptyApply, emptyStream, quietTick } from '../fixtures/ticks.ts';

let engine: ControlDatabase;
let control: ControlApp;
const told: Change[] = [];

beforeAll(async () => {
  engine = await startControlDatabase();
  control = await startControlApp(engine.url);
  await seedPipeline(control.ctx);
  control.ctx.changes.subscribe((change) => told.push(change));
});
afterAll(async () => {
  await control?.close();
  await engine?.end();
});

function report(freshness: { samples: number; places: [number, number][] }): void {
  control.ctx.telemetry.observeTick('wk_apply_1', 'apply', {
    ...quietTick,
    apply: {
      ...emptyApply,
      freshnessMsP99: 12,
      freshness,
      streams: [emptyStream('live'), emptyStream('replay', { length: 7, lengthBytes: null })],
    },
  });
}
const governor = (id = 'flights') => control.ask(adminToken, 'GET', `/v1/pipelines/${id}/governor`);

test('is unavailable until the governor has looked, and what it saw after that', async () => {
  expect((await governor('nobody')).json().code).toBe('unknown_pipeline');
  const early = await governor();
  expect([early.statusCode, early.json().code]).toEqual([503, 'unavailable']);
  await (control.ctx.telemetry as TelemetryRecorder).beat();
  expect(told.at(-1)).toMatchObject({ event: 'telemetry', data: { governor: null } });

  report({ samples: 0, places: [] });
  control.clock.forward(250);
  report({ samples: 0, places: [] });
  await governorPass(control.ctx, control.ctx.telemetry);
  const answer = await governor();
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({
    hardStop: null,
    adaptivePhase: 'off',
    storm: false,
    floorEventsPerSecond: 0,
    safeRate: { eventsPerSecond: 5_000 },
  });
  expect(answer.json().ceilings.map(({ reason }: { reason: string }) => reason)).toEqual([
    'live_first',
    'adaptive',
    'storm',
    'stream',
  ]);
  expect(answer.json().signals).toHaveLength(16);
  await (control.ctx.telemetry as TelemetryRecorder).beat();
  expect(told.findLast(({ event }) => event === 'telemetry')).toMatchObject({
    data: { governor: { hardStop: null, safeRate: { eventsPerSecond: 5_000 } } },
  });
});

test('a view that nobody renews is not the present', async () => {
  control.clock.forward(6_000);
  expect((await governor()).statusCode).toBe(503);
});

test('metrics: freshness as a cumulative histogram, signals, the safe rate, alerts', async () => {
  await control.ctx.database.insert(alerts).values({
    id: 'al_1',
    pipelineId: 'flights',
    code: 'storm',
    severity: 'critical',
    detail: 'for the test',
  });
  report({
    samples: 6,
    places: [
      [0, 1],
      [100, 3],
      [200, 2],
    ],
  });
  await governorPass(control.ctx, control.ctx.telemetry);
  const { body } = await control.ask(adminToken, 'GET', '/metrics');
  const lines = body.split('\n').filter((line) => /freshness_ms|_signal\{.*P99|_safe_|_raised\{/.test(line));
  expect(lines.filter((line) => !line.startsWith('#'))).toEqual([
    'spillway_live_freshness_ms_bucket{pipeline="flights",le="0.05"} 1',
    'spillway_live_freshness_ms_bucket{pipeline="flights",le="6.57506"} 4',
    'spillway_live_freshness_ms_bucket{pipeline="flights",le="864.629"} 6',
    'spillway_live_freshness_ms_bucket{pipeline="flights",le="+Inf"} 6',
    'spillway_live_freshness_ms_count{pipeline="flights"} 6',
    expect.stringMatching(/^spillway_safe_events_per_second\{pipeline="flights"\} \d+/),
    'spillway_signal{pipeline="flights",signal="liveFreshnessMsP99"} 12',
    'spillway_alerts_raised{pipeline="flights",code="storm"} 1',
  ]);
  expect(body).toContain('# TYPE spillway_live_freshness_ms histogram');
  expect(body).toContain('spillway_stream_length{pipeline="flights",stream="replay"} 7');
  expect(body).toContain('spillway_stream_high_water_mark{pipeline="flights"} 20000');
  expect(body).toContain('spillway_capacity_events_per_second{pipeline="flights"} 10000');
  expect(body).toContain('spillway_workers{role="apply",state="working"} 0');
  expect(body).toContain('spillway_pipelines{kind="built_in"} 1');
  // What is not known has no series: the bytes of that stream, a price.
  expect(body.match(/^spillway_stream_bytes\{.*$/gm)).toEqual([
    'spillway_stream_bytes{pipeline="flights",stream="live"} 0',
  ]);
  expect(body).not.toMatch(/^spillway_spend_per_hour\{/m);
});
