/** A name is looked up once, checked, and pinned: what it means a moment later does not matter. */
import type { LookupAddress } from 'node:dns';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { readHttpJson } from '../../src/control-plane/probes/http-json.ts';
import { readSql } from '../../src/control-plane/probes/sql.ts';

let answers: LookupAddress[][] = [];
const asked: string[] = [];
vi.mock('node:dns/promises', () => ({
  lookup: async (host: string) => {
    asked.push(host);
    return answers.shift() ?? [{ address: '169.254.169.254', family: 4 }];
  },
}));

let server: Server;
let port: number;
beforeAll(async () => {
  server = createServer((request, response) =>
    response.end(JSON.stringify({ host: request.headers.host, n: 7 })),
  );
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => void server.close());
beforeEach(() => {
  asked.length = 0;
  answers = [];
});
const here = { address: '127.0.0.1', family: 4 };
const soon = () => AbortSignal.timeout(5_000);

test('a name that means something else a moment later', async () => {
  answers = [[here]];
  expect(await readHttpJson({ url: `http://rebinding.test:${port}/`, pointer: '/n' }, soon())).toBe(7);
  expect(asked).toEqual(['rebinding.test']);
});

test.each([
  ['only', [{ address: '169.254.169.254', family: 4 }]],
  ['last of several', [here, { address: 'fe80::1', family: 6 }]],
  ['inside IPv6', [{ address: '::ffff:169.254.169.254', family: 6 }]],
])('a name with a link-local address, %s: nothing is connected', async (_, addresses) => {
  answers = [addresses, addresses];
  await expect(readHttpJson({ url: `http://metadata.test:${port}/`, pointer: '/n' }, soon())).rejects.toThrow(
    'link-local addresses are not probed',
  );
  const sql = { url: `postgres://a@metadata.test:${port}/x`, query: 'select 1', timeoutMs: 5_000 };
  await expect(readSql(sql, soon())).rejects.toThrow('link-local addresses are not probed');
});

test('a database is connected to where it was checked, and the next address is tried when the first refuses', async () => {
  const met = Promise.withResolvers<void>();
  const database = createSocketServer((socket) => {
    met.resolve();
    socket.destroy();
  });
  await new Promise<void>((done) => database.listen(0, '127.0.0.1', done));
  answers = [[{ address: '::1', family: 6 }, here]];
  const url = `postgres://a@rebinding.test:${(database.address() as AddressInfo).port}/x`;
  await expect(readSql({ url, query: 'select 1', timeoutMs: 5_000 }, soon())).rejects.toThrow();
  await met.promise;
  expect(asked).toEqual(['rebinding.test']);
  database.close();
});
