/** Bad input: each a 4xx with its code and a pointer, and nothing changed by it. */
import { connect as connectSocket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  adminToken,
  type ControlApp,
  january,
  seedPipeline,
  startControlApp,
} from '../fixtures/control-app.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';

let database: ControlDatabase;
let control: ControlApp;

beforeAll(async () => {
  database = await startControlDatabase();
  control = await startControlApp(database.url);
  await seedPipeline(control.ctx);
});
afterAll(async () => {
  await control?.close();
  await database?.end();
});

const changing = [
  'backfills',
  'lanes',
  'runs',
  'holds',
  'commands',
  'audit',
  'idempotency_keys',
  'tokens',
  'sessions',
  'pipelines',
];
async function everything(): Promise<string> {
  const tables = [];
  for (const table of changing)
    tables.push((await control.pool.query(`select * from ${table} order by 1`)).rows);
  return JSON.stringify(tables);
}

const start = {
  pipelineId: 'flights',
  window: january,
  subwindow: 'PT1H',
  limits: { eventsPerSecond: 1000 },
};
const refused: [string, unknown, number, string, string][] = [
  ['an unknown pipeline', { ...start, pipelineId: 'nobody' }, 404, 'unknown_pipeline', '/pipelineId'],
  ['an unknown source', { ...start, sourceIds: ['east', 'nobody'] }, 404, 'unknown_source', '/sourceIds/1'],
  [
    'a window that ends where it begins',
    { ...start, window: { from: january.from, to: january.from } },
    422,
    'invalid_window',
    '/window/to',
  ],
  [
    'a window that ends before it begins',
    { ...start, window: { from: january.to, to: january.from } },
    422,
    'invalid_window',
    '/window/to',
  ],
  [
    'a window outside the sources',
    { ...start, window: { from: '1999-01-01T00:00:00Z', to: '1999-02-01T00:00:00Z' } },
    422,
    'window_outside_source',
    '/window',
  ],
  ['a subwindow of zero', { ...start, subwindow: 'PT0S' }, 422, 'invalid_subwindow', '/subwindow'],
  [
    'a subwindow longer than the window',
    { ...start, subwindow: 'P30D' },
    422,
    'invalid_subwindow',
    '/subwindow',
  ],
  ['a mode that is not there yet', { ...start, mode: 'rebuild' }, 422, 'mode_unavailable', '/mode'],
  [
    'a negative rate',
    { ...start, limits: { eventsPerSecond: -1 } },
    400,
    'invalid_request',
    '/limits/eventsPerSecond',
  ],
  [
    'a huge rate',
    { ...start, limits: { eventsPerSecond: 1e12 } },
    400,
    'invalid_request',
    '/limits/eventsPerSecond',
  ],
  [
    'a rate in quotes',
    { ...start, limits: { eventsPerSecond: '1000' } },
    400,
    'invalid_request',
    '/limits/eventsPerSecond',
  ],
  ['a share below nothing', { ...start, limits: { share: -0.1 } }, 400, 'invalid_request', '/limits/share'],
  ['a share above one', { ...start, limits: { share: 1.5 } }, 400, 'invalid_request', '/limits/share'],
  ['an unknown field', { ...start, limit: {} }, 400, 'invalid_request', '/limit'],
  [
    'an unknown field further down',
    { ...start, limits: { eventPerSecond: 5 } },
    400,
    'invalid_request',
    '/limits/eventPerSecond',
  ],
  [
    'a day that does not exist',
    { ...start, window: { from: '2001-02-30T00:00:00Z', to: '2001-03-02T00:00:00Z' } },
    400,
    'invalid_request',
    '/window/from',
  ],
  [
    'a second that does not exist',
    { ...start, window: { from: '2001-01-01T00:00:00Z', to: '2001-01-01T23:59:60Z' } },
    400,
    'invalid_request',
    '/window/to',
  ],
  [
    'a local time',
    { ...start, window: { ...january, from: '2001-01-01T00:00:00+02:00' } },
    400,
    'invalid_request',
    '/window/from',
  ],
  ['a missing field', { pipelineId: 'flights' }, 400, 'invalid_request', '/window'],
  ['no object', [], 400, 'invalid_request', ''],
  ['a NUL in a text', { ...start, reason: 'a\0b' }, 400, 'invalid_request', '/reason'],
  ['half a surrogate pair', { ...start, reason: '\ud800' }, 400, 'invalid_request', '/reason'],
];

test.each(refused)('%s', async (_name, body, status, code, pointer) => {
  const before = await everything();
  const answer = await control.ask(adminToken, 'POST', '/v1/backfills', {
    body,
    headers: { 'idempotency-key': 'of-a-refusal' },
  });
  expect(answer.json(), answer.body).toMatchObject({
    status,
    code,
    requestId: expect.any(String),
    title: expect.any(String),
    type: `urn:spillway:problem:${code}`,
  });
  expect(answer.statusCode).toBe(status);
  expect(answer.headers['content-type']).toContain('application/problem+json');
  expect(answer.json().errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
  expect(await everything()).toBe(before);
});

async function raw(payload: string, contentType: string | null) {
  return control.app.inject({
    method: 'POST',
    url: '/v1/backfills',
    headers: {
      host: 'localhost',
      authorization: `Bearer ${adminToken}`,
      ...(contentType === null ? {} : { 'content-type': contentType }),
    },
    payload,
  });
}

test.each([
  ['cut off', '{"pipelineId": "flights"', 'malformed_json'],
  ['empty', '', 'malformed_json'],
  ['NaN', JSON.stringify(start).replace('1000', 'NaN'), 'malformed_json'],
  ['Infinity', JSON.stringify(start).replace('1000', 'Infinity'), 'malformed_json'],
  ['a number beyond every number', JSON.stringify(start).replace('1000', '1e999'), 'invalid_request'],
  ['a prototype', '{"__proto__": {"admin": true}}', 'malformed_json'],
])('JSON: %s', async (_name, payload, code) => {
  const before = await everything();
  const answer = await raw(payload, 'application/json');
  expect(answer.statusCode, answer.body).toBe(400);
  expect(answer.json().code).toBe(code);
  expect(await everything()).toBe(before);
});

test.each([
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/xml',
])('content type %s is refused', async (contentType) => {
  const answer = await raw(JSON.stringify(start), contentType);
  expect(answer.statusCode).toBe(415);
  expect(answer.json().code).toBe('unsupported_media_type');
});

test('a body of 2 MiB is refused', async () => {
  const answer = await raw(
    JSON.stringify({ ...start, reason: 'x'.repeat(2 * 1024 * 1024) }),
    'application/json',
  );
  expect(answer.statusCode).toBe(413);
  expect(answer.json().code).toBe('payload_too_large');
});

const coverage = '/v1/pipelines/flights/coverage?from=2001-01-01T00:00:00Z&to=2001-01-02T00:00:00Z&step=PT1H';

test.each([
  ['', 2],
  ['&source=east', 1],
  ['&source=east&source=west', 2],
])(
  'a parameter that may be given several times may be given once, or not: coverage%s',
  async (given, asked) => {
    const answer = await control.ask(adminToken, 'GET', `${coverage}${given}`);
    expect(answer.json(), answer.body).toMatchObject({ sources: { asked } });
  },
);

test.each([
  ['/v1/backfills?cursor=bm90aGluZw', 400, 'invalid_cursor', 'cursor'],
  ['/v1/backfills?cursor=%00', 400, 'invalid_request', 'cursor'],
  ['/v1/audit?cursor=WyJhIl0', 400, 'invalid_cursor', 'cursor'],
  ['/v1/tokens?cursor=WzFd', 400, 'invalid_cursor', 'cursor'],
  ['/v1/pipelines?cursor=WzFd', 400, 'invalid_cursor', 'cursor'],
  ['/v1/sources?cursor=WzFd', 400, 'invalid_cursor', 'cursor'],
  ['/%zz.js', 400, 'invalid_request', null],
  ['/v1/backfills?limit=0', 400, 'invalid_request', 'limit'],
  ['/v1/backfills?limit=201', 400, 'invalid_request', 'limit'],
  ['/v1/backfills?limit=ten', 400, 'invalid_request', 'limit'],
  ['/v1/backfills?limits=10', 400, 'invalid_request', 'limits'],
  ['/v1/backfills?state=sleeping', 400, 'invalid_request', 'state'],
  ['/v1/backfills?limit=10&limit=11', 400, 'invalid_request', 'limit'],
  [
    '/v1/pipelines/flights/coverage?from=2001-01-01T00:00:00Z&to=2001-01-02T00:00:00Z',
    400,
    'invalid_request',
    'step',
  ],
  [`${coverage}&source=east&source=east`, 400, 'invalid_request', 'source'],
  [`${coverage}&source=east&source=a%20b`, 400, 'invalid_request', 'source/1'],
  [`${coverage}&source=east&source=%00`, 400, 'invalid_request', 'source'],
  [`${coverage}&source=east&source=elsewhere`, 404, 'unknown_source', 'source'],
  ['/v1/backfills/bf_nothing', 404, 'unknown_backfill', null],
  ['/v1/pipelines/nothing', 404, 'unknown_pipeline', null],
  ['/v1/pipelines/nothing/stages', 404, 'unknown_pipeline', null],
  ['/v1/sources/nothing', 404, 'unknown_source', null],
  ['/v1/commands/nothing', 404, 'not_found', null],
  ['/v1/backfills/a%2Fb', 400, 'invalid_request', 'id'],
])('GET %s', async (url, status, code, pointer) => {
  const answer = await control.ask(adminToken, 'GET', url);
  expect(answer.json(), answer.body).toMatchObject({ status, code });
  expect(answer.statusCode).toBe(status);
  const pointers = answer.json().errors.map((error: { pointer: string }) => error.pointer);
  // What is wrong with the path points at nothing that was sent in a body or a query.
  if (pointer === null) expect(pointers).toEqual([]);
  else expect(pointers).toContain(pointer);
});

// The first and the last instant of `Date`, and what is larger than an integer of the database: of the right kind, and of no use.
test.each(
  [-8.64e15, -62_135_596_800_001, 3_000_000_000, 8.64e15].flatMap((number) =>
    (
      [
        ['/v1/tokens', [number, 'tok_1']],
        ['/v1/webhooks', [number, 'wh_1']],
        ['/v1/pipelines/flights/probes', [number, 'pr_1']],
        ['/v1/workers', [number, 'wk_1']],
        ['/v1/alerts', [number, number]],
        ['/v1/audit', [number]],
        ['/v1/backfills', [number]],
        ['/v1/pipelines/flights/drills', [number]],
      ] as const
    ).map(([list, cursor]) => [list, JSON.stringify(cursor)] as const),
  ),
)('GET %s with the cursor %s is a page or a refusal', async (list, cursor) => {
  const answer = await control.ask(
    adminToken,
    'GET',
    `${list}?cursor=${Buffer.from(cursor).toString('base64url')}`,
  );
  expect([200, 400], answer.body).toContain(answer.statusCode);
});

test.each([
  ['the year 0', '0000-06-01T00:00:00Z', 400],
  ['the first moment of the calendar', '0001-01-01T00:00:00Z', 404],
])('%s is a moment that is refused, or of which nothing is known', async (_, at, status) => {
  const of = async (path: string) => (await control.ask(adminToken, 'GET', path)).statusCode;
  const pipeline = '/v1/pipelines/flights';
  expect(await of(`${pipeline}/moment?at=${at}`)).toBe(status);
  expect(await of(`${pipeline}/moments?from=${at}&to=${at.replace('00Z', '10Z')}`)).toBe(status);
  const found = status === 404 ? 200 : status;
  expect(await of(`${pipeline}/timeline?span=P30D&to=${at}`)).toBe(found);
  expect(await of(`${pipeline}/telemetry?to=${at.replace('00Z', '10Z')}`)).toBe(found);
  expect(await of(`/v1/audit?from=${at}`)).toBe(found);
});

test('what is no HTTP, or has headers without end, is answered and closed', async () => {
  const address = await control.app.listen({ host: '127.0.0.1', port: 0 });
  const { port, hostname } = new URL(address);
  const say = (text: string) =>
    new Promise<string>((resolve, reject) => {
      let answer = '';
      const socket = connectSocket(Number(port), hostname, () => socket.write(text));
      socket.on('data', (chunk) => void (answer += chunk));
      socket.on('close', () => resolve(answer));
      socket.on('error', reject);
    });
  expect(await say('what is this\r\n\r\n')).toMatch(/^HTTP\/1.1 400 [\s\S]*"code":"invalid_request"/);
  expect(
    await say(`GET /healthz HTTP/1.1\r\nhost: ${hostname}:${port}\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`),
  ).toMatch(/^HTTP\/1.1 431 [\s\S]*"code":"headers_too_large"/);
});

test('every problem code stands in the reference', async () => {
  const { problemCodes } = await import('@spillway/shared/api/problem');
  const document = (await control.ask(adminToken, 'GET', '/openapi.json')).json();
  expect(document.openapi).toBe('3.1.0');
  for (const code of Object.keys(problemCodes)) expect(document.info.description).toContain(`\`${code}\``);
  expect(document.components.schemas.ProblemCode.enum).toEqual(Object.keys(problemCodes));
  expect(JSON.stringify(document)).not.toMatch(/"items":\[/);
  for (const path of Object.values<Record<string, { responses: Record<string, unknown> }>>(document.paths)) {
    for (const operation of Object.values(path))
      expect(Object.keys(operation.responses)).toContain('default');
  }
});

test('lists go page by page, the short ones too', async () => {
  const ids: string[] = [];
  for (let cursor = ''; ; ) {
    const { items, nextCursor } = (
      await control.ask(adminToken, 'GET', `/v1/sources?limit=1${cursor}`)
    ).json();
    expect(items).toHaveLength(1);
    ids.push(items[0].id);
    if (nextCursor === null) break;
    cursor = `&cursor=${nextCursor}`;
  }
  const whole = (await control.ask(adminToken, 'GET', '/v1/sources')).json();
  expect(whole.nextCursor).toBeNull();
  expect(ids).toEqual(whole.items.map((source: { id: string }) => source.id));
});
