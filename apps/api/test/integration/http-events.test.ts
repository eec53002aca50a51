/** Event streams over real connections: resume, stalled clients, revocation, places, and grants for workers. */
import { connect as connectSocket, type Socket } from 'node:net';
import type { TelemetryEvent } from '@spillway/shared/api/events';
import type { WorkerPipeline } from '@spillway/shared/api/worker-protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  adminToken,
  type ControlApp,
  seedPipeline,
  startControlApp,
  workerToken,
} from '../fixtures/control-app.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { until } from '../fixtures/started-process.ts';

let database: ControlDatabase;
let control: ControlApp;
let url: string;
const maxEventClients = 5;

beforeAll(async () => {
  database = await startControlDatabase();
  control = await startControlApp(database.url, { maxEventClients });
  await seedPipeline(control.ctx);
  url = await control.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await control?.close();
  await database?.end();
});

interface Event {
  id: string;
  event: string;
  data: unknown;
}

/** A client that reads: the events so far, and its end. */
async function listen(token: string, path = '/v1/events', headers: Record<string, string> = {}) {
  const abort = new AbortController();
  const response = await fetch(new URL(path, url), {
    headers: { authorization: `Bearer ${token}`, ...headers },
    signal: abort.signal,
  });
  const events: Event[] = [];
  let ended = false;
  void (async () => {
    let rest = '';
    try {
      for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        const blocks = (rest + chunk).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) {
          const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
          if (field('event') !== '')
            events.push({ id: field('id'), event: field('event'), data: JSON.parse(field('data')) });
        }
      }
    } catch {
      // Aborted below, or dropped by the server.
    }
    ended = true;
  })();
  return { response, events, isOver: () => ended, leave: () => abort.abort() };
}

/** A client that asks and never reads. */
async function stall(): Promise<Socket> {
  const { port, hostname } = new URL(url);
  const socket = connectSocket(Number(port), hostname);
  socket.write(
    `GET /v1/events HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: Bearer ${adminToken}\r\n\r\n`,
  );
  socket.pause();
  return socket;
}

let at = 0;
const publish = (padding = '') =>
  control.ctx.changes.publish({
    event: 'telemetry',
    data: { pipelineId: 'flights', at: ++at, padding } as unknown as TelemetryEvent,
  });
const telemetryOf = (events: Event[]) =>
  events.filter(({ event }) => event === 'telemetry').map(({ data }) => (data as { at: number }).at);

test('whoever comes anew is told at once how it is: the newest telemetry of each pipeline, and nothing older', async () => {
  publish();
  publish();
  const before = at;
  const client = await listen(adminToken);
  await until(() => client.events.some(({ event }) => event === 'heartbeat'), 5_000, 'a heartbeat');
  expect(telemetryOf(client.events)).toEqual([before]);
  client.leave();
  control.clock.forward(2_001);
  const later = await listen(adminToken);
  await until(() => later.events.some(({ event }) => event === 'heartbeat'), 5_000, 'a heartbeat');
  expect(telemetryOf(later.events)).toEqual([]);
  later.leave();
});

test('events arrive in order; a client that comes back gets what it missed, by header or query', async () => {
  const first = await listen(adminToken);
  expect(first.response.headers.get('content-type')).toContain('text/event-stream');
  await until(() => first.events.some(({ event }) => event === 'heartbeat'), 5_000, 'a heartbeat');
  const from = at;
  publish();
  publish();
  await until(() => telemetryOf(first.events).at(-1) === from + 2, 5_000, 'two events');
  const seen = first.events.filter(({ event }) => event === 'telemetry').at(-1)?.id as string;
  first.leave();
  publish();
  publish();
  for (const [path, headers] of [
    ['/v1/events', { 'last-event-id': seen }],
    [`/v1/events?lastEventId=${seen}`, {}],
  ] as [string, Record<string, string>][]) {
    const again = await listen(adminToken, path, headers);
    await until(
      () => again.events.some(({ event }) => event === 'heartbeat'),
      5_000,
      'the end of what was missed',
    );
    expect(telemetryOf(again.events)).toEqual([from + 3, from + 4]);
    expect(again.events.map(({ event }) => event)).not.toContain('reset');
    again.leave();
  }
});

test.each(['of-another-start-3', 'zzzzzzzz-3', '0'])(
  'an id the ring does not know (%s) is answered with reset',
  async (id) => {
    const client = await listen(adminToken, '/v1/events', { 'last-event-id': id });
    await until(() => client.events.length > 0, 5_000, 'an event');
    expect(client.events[0]?.event).toBe('reset');
    client.leave();
  },
);

test('an id that has fallen out of the ring is answered with reset', async () => {
  const client = await listen(adminToken);
  publish();
  await until(() => telemetryOf(client.events).at(-1) === at, 5_000, 'an event');
  const seen = client.events.findLast(({ event }) => event === 'telemetry')?.id as string;
  client.leave();
  for (let i = 0; i < 501; i++) publish();
  const again = await listen(adminToken, '/v1/events', { 'last-event-id': seen });
  await until(() => again.events.length > 0, 5_000, 'an event');
  expect(again.events[0]?.event).toBe('reset');
  again.leave();
});

test('a client that does not read is dropped, and the others notice nothing', async () => {
  await until(async () => Number(await clientCount()) === 0, 5_000, 'no clients');
  const reader = await listen(adminToken);
  const stalled = await stall();
  await until(async () => (await clientCount()) === 2, 5_000, 'both connected');
  const from = at;
  const padding = 'x'.repeat(64 * 1024);
  // The kernel's buffers take some megabytes before ours begins to fill.
  await until(
    async () => {
      for (let i = 0; i < 8; i++) publish(padding);
      await until(() => telemetryOf(reader.events).at(-1) === at, 10_000, 'the reader to keep up');
      return (await clientCount()) === 1;
    },
    30_000,
    'the stalled client dropped',
  );
  const told = telemetryOf(reader.events).filter((each) => each > from);
  expect(told).toEqual(Array.from({ length: at - from }, (_, i) => from + 1 + i));
  stalled.destroy();
  reader.leave();
});

test('a viewer is not told of actions they may not take', async () => {
  const viewer = await control.tokenFor('viewer');
  const [viewing, administering] = [await listen(viewer), await listen(adminToken)];
  await until(async () => (await clientCount()) === 2, 5_000, 'both connected');
  const read = await control.ask(adminToken, 'GET', '/v1/pipelines/flights');
  const answer = await control.ask(adminToken, 'PATCH', '/v1/pipelines/flights', {
    body: { replayShare: 0.4 },
    headers: { 'if-match': String(read.headers['etag']) },
  });
  expect(answer.statusCode, answer.body).toBe(200);
  const actions = (events: Event[]) =>
    events
      .filter(({ event }) => event === 'pipeline')
      .map(({ data }) => (data as { pipeline: { allowedActions: string[] } }).pipeline.allowedActions);
  await until(
    () => actions(viewing.events).length > 0 && actions(administering.events).length > 0,
    5_000,
    'both told',
  );
  expect(actions(viewing.events)[0]).toEqual([]);
  expect(actions(administering.events)[0]).toContain('configure');
  viewing.leave();
  administering.leave();
});

test('a revoked token loses its stream within five seconds', async () => {
  const made = await control.ask(adminToken, 'POST', '/v1/tokens', {
    body: { name: 'gone soon', role: 'viewer' },
  });
  const { id, token } = made.json();
  const client = await listen(token);
  expect(client.response.status).toBe(200);
  const revokedAt = performance.now();
  // As another api process would do it: this one is not told.
  await control.pool.query('update tokens set revoked_at = now() where id = $1', [id]);
  await until(() => client.isOver(), 5_000, 'the stream closed');
  expect(performance.now() - revokedAt).toBeLessThan(5_000);
});

test('when all places are taken the next one is told so', async () => {
  await until(async () => (await clientCount()) === 0, 5_000, 'no clients');
  const clients = await Promise.all(Array.from({ length: maxEventClients }, () => listen(adminToken)));
  const refused = await listen(adminToken);
  expect(refused.response.status).toBe(503);
  for (const client of clients) client.leave();
  await until(async () => (await clientCount()) === 0, 5_000, 'places free again');
});

test('a worker hears its pushes, and a heartbeat at once', async () => {
  const client = await listen(workerToken, '/v1/workers/w_1/grants');
  expect(client.response.status).toBe(200);
  await until(() => client.events.some(({ event }) => event === 'settings'), 5_000, 'heartbeat and settings');
  expect(client.events[0]?.event).toBe('heartbeat');
  control.ctx.workers.push('w_1', { type: 'wake' });
  control.ctx.workers.push('w_2', { type: 'wake' });
  control.ctx.workers.push('w_1', { type: 'stop', leaseIds: ['run_1'], why: 'pause' });
  await until(() => client.events.some(({ event }) => event === 'stop'), 5_000, 'the stop');
  const told = client.events.filter(({ event }) => event !== 'heartbeat' && event !== 'settings');
  expect(told.map(({ data }) => data)).toEqual([
    { type: 'wake' },
    { type: 'stop', leaseIds: ['run_1'], why: 'pause' },
  ]);
  client.leave();
});

test('what changed before a worker could be told, or while it was cut off, it is told as soon as it can be', async () => {
  const marks = (events: readonly Event[]) =>
    events.flatMap(({ event, data }) =>
      event === 'settings' ? [(data as { pipeline: WorkerPipeline }).pipeline.highWaterMark] : [],
    );
  for (const highWaterMark of [1_234, 2_345]) {
    const read = await control.ask(adminToken, 'GET', '/v1/pipelines/flights');
    const answer = await control.ask(adminToken, 'PATCH', '/v1/pipelines/flights', {
      body: { highWaterMark },
      headers: { 'if-match': String(read.headers['etag']) },
    });
    expect(answer.statusCode, answer.body).toBe(200);
    const client = await listen(workerToken, '/v1/workers/w_1/grants');
    await until(() => marks(client.events).length > 0, 5_000, 'the settings');
    expect(marks(client.events)).toEqual([highWaterMark]);
    client.leave();
  }
});

test('closing the app ends every stream', async () => {
  const other = await startControlApp(database.url);
  const address = await other.app.listen({ host: '127.0.0.1', port: 0 });
  const response = await fetch(new URL('/v1/events', address), {
    headers: { authorization: `Bearer ${adminToken}` },
  });
  expect(response.status).toBe(200);
  const body = response.text();
  await other.close();
  expect(await body).toContain('event: heartbeat');
});

async function clientCount(): Promise<number> {
  const answer = await fetch(new URL('/metrics', url), {
    headers: { authorization: `Bearer ${adminToken}` },
  });
  return Number(/^spillway_event_clients (\d+)$/m.exec(await answer.text())?.[1]);
}
