import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import {
  type ControlClient,
  ControlError,
  createControlClient,
} from '../../src/data-plane/control/control-client.ts';

let server: Server | null = null;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A client of an api that answers like this. */
async function clientOf(answer: RequestListener): Promise<ControlClient> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return createControlClient({ apiUrl: `http://127.0.0.1:${port}`, token: 'secret' });
}

async function kindOf(asked: Promise<unknown>): Promise<string> {
  const error = await asked.then(
    () => new Error('answered'),
    (thrown: unknown) => thrown,
  );
  return error instanceof ControlError ? error.kind : `not a ControlError: ${error}`;
}

test('an answer that breaks off is as good as none: the api died while it answered', async () => {
  const client = await clientOf((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
    response.write('{"leases":[');
    setImmediate(() => response.destroy());
  });
  expect(await kindOf(client.claim('wk_1', 1))).toBe('unreachable');
});

test('an answer that is not JSON is not an answer of the api', async () => {
  const client = await clientOf((_request, response) => response.end('<html>'));
  expect(await kindOf(client.claim('wk_1', 1))).toBe('unreachable');
});

test('what the api says against it is told in its own sentence; a proxy’s page by its beginning', async () => {
  const problem = {
    code: 'version_mismatch',
    detail: 'This worker is Spillway 1, the api is 2.',
    requestId: 'r1',
  };
  const says = async (answer: string) => {
    const client = await clientOf((_request, response) => response.writeHead(422).end(answer));
    return client.claim('wk_1', 1).catch((error: Error) => error.message);
  };
  expect(await says(JSON.stringify(problem))).toBe(
    '/v1/workers/wk_1/leases: 422 version_mismatch: This worker is Spillway 1, the api is 2.',
  );
  expect(await says('<html>no</html>')).toBe('/v1/workers/wk_1/leases: 422 <html>no</html>');
  expect(await says('null')).toBe('/v1/workers/wk_1/leases: 422 null');
});

test.each([
  [409, 'stale'],
  [404, 'unknown_worker'],
  [503, 'unreachable'],
  [500, 'unreachable'],
  [429, 'unreachable'],
  [400, 'refused'],
  [401, 'refused'],
])('%i is %s', async (status, kind) => {
  const client = await clientOf((_request, response) => response.writeHead(status).end('{}'));
  expect(
    await kindOf(
      client.complete('ls_1', {
        fencingToken: 1,
        read: 0,
        published: 0,
        quarantined: 0,
        markers: [],
        verification: null,
      }),
    ),
  ).toBe(kind);
});

test('what the api could not store is told as it can be shown: it would refuse all that is told with it', async () => {
  let told = '';
  const client = await clientOf((request, response) => {
    request.on('data', (piece) => {
      told += piece;
    });
    request.on('end', () => response.end());
  });
  const failure = { code: 'source_corrupt', detail: 'a\0b', address: 'half \ud83d, whole \ud83d\ude00' };
  await client.fail('ls_1', { fencingToken: 1, failure, retriable: false });
  expect(JSON.parse(told)).toEqual({
    fencingToken: 1,
    failure: { code: 'source_corrupt', detail: 'a\ufffdb', address: 'half \ufffd, whole \ud83d\ude00' },
    retriable: false,
  });
});

test('a large body has the time that half a megabit a second takes; a small one is given up after five seconds', async () => {
  const limits = vi.spyOn(AbortSignal, 'timeout');
  const client = await clientOf((request, response) => request.resume().on('end', () => response.end()));
  await client.fail('ls_1', { fencingToken: 1, detail: 'x'.repeat(6_400_000) } as never);
  await client.claim('wk_1', 1);
  const [large = 0, small = 0] = limits.mock.calls.map(([ms]) => ms);
  limits.mockRestore();
  expect([Math.floor(large / 1_000), Math.floor(small / 1_000)]).toEqual([105, 5]);
});

test('nobody listening is unreachable', async () => {
  const client = await clientOf(() => {});
  server?.close();
  expect(await kindOf(client.claim('wk_1', 1))).toBe('unreachable');
});

test('pushes are told in order; a connection that breaks is unreachable, one that we end is not', async () => {
  const client = await clientOf((request, response) => {
    expect(request.headers.authorization).toBe('Bearer secret');
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('event: wake\ndata: {"type":"wake"}\n\nevent: heartbeat\ndata: {"type":"heartbeat"}\n\n');
    if (request.url?.includes('wk_breaks')) setImmediate(() => response.destroy());
  });
  const told: string[] = [];
  const listen = async (workerId: string, signal: AbortSignal, heard: (type: string) => void) => {
    for await (const { type } of client.pushes(workerId, signal)) heard(type);
  };
  expect(await kindOf(listen('wk_breaks', new AbortController().signal, (type) => told.push(type)))).toBe(
    'unreachable',
  );
  expect(told).toEqual(['wake', 'heartbeat']);

  const stop = new AbortController();
  await listen('wk_stays', stop.signal, (type) => type === 'heartbeat' && stop.abort());
  expect(stop.signal.aborted).toBe(true);
});
