/** Who comes in, and how: hosts, origins, codes, sessions, tokens, limits; and that no secret is written anywhere. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { issueSignInCode, signInCodeValidMs } from '../../src/control-plane/access/sign-in-codes.ts';
import {
  adminToken,
  type ControlApp,
  seedPipeline,
  startControlApp,
  workerToken,
} from '../fixtures/control-app.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';

let database: ControlDatabase;
let control: ControlApp;
let proxied: ControlApp;

beforeAll(async () => {
  database = await startControlDatabase();
  control = await startControlApp(database.url);
  proxied = await startControlApp(database.url, {
    hosts: ['spillway.example.com'],
    trustedProxies: ['127.0.0.1'],
  });
  await seedPipeline(control.ctx);
});
afterAll(async () => {
  await control?.close();
  await proxied?.close();
  await database?.end();
});

const origin = 'http://localhost';
const mutation = { body: { name: 'by cookie', role: 'viewer' } };

test.each(['evil.example.com', 'localhost:9999', 'localhost.evil.example.com', '127.0.0.1.nip.io'])(
  'host %j is refused on every kind of route',
  async (host) => {
    for (const url of ['/', '/healthz', '/v1/pipelines', '/docs', '/nothing']) {
      const answer = await control.ask(adminToken, 'GET', url, { headers: { host } });
      expect(answer.statusCode, url).toBe(403);
      expect(answer.json().code).toBe('host_rejected');
    }
  },
);

test('a host named in the settings is served, and by https only there', async () => {
  const answer = await proxied.ask(adminToken, 'GET', '/v1/pipelines', {
    headers: { host: 'spillway.example.com' },
  });
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['strict-transport-security']).toBeDefined();
});

test('a code is good once', async () => {
  const { code } = await issueSignInCode(control.ctx.database, control.clock);
  const first = await control.ask(null, 'POST', '/v1/session', { body: { code } });
  expect(first.statusCode).toBe(201);
  const cookie = String(first.headers['set-cookie']);
  expect(cookie).toMatch(/^spillway_session=[\w-]{43}; Path=\/; Expires=.*; HttpOnly; SameSite=Strict$/);
  const second = await control.ask(null, 'POST', '/v1/session', { body: { code } });
  expect(second.json()).toMatchObject({ status: 401, code: 'invalid_sign_in_code' });
  expect(second.headers['set-cookie']).toBeUndefined();
});

test('of ten who bring one code at the same time, one gets in', async () => {
  const { code } = await issueSignInCode(control.ctx.database, control.clock);
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => control.ask(null, 'POST', '/v1/session', { body: { code } })),
  );
  expect(answers.map((answer) => answer.statusCode).sort()).toEqual([201, 401, 401, 401, 401, 401, 401, 401]);
  control.clock.forward(60_000);
});

test('a code has 192 bits and dies after ten minutes', async () => {
  const { code, expiresAt } = await issueSignInCode(control.ctx.database, control.clock);
  expect(Buffer.from(code, 'base64url')).toHaveLength(24);
  expect(expiresAt.getTime() - control.clock.now()).toBeLessThanOrEqual(10 * 60_000);
  control.clock.forward(signInCodeValidMs + 1);
  const answer = await control.ask(null, 'POST', '/v1/session', { body: { code } });
  expect(answer.statusCode).toBe(401);
});

test('behind a proxy that ends TLS the cookie is __Host- and Secure', async () => {
  const { code } = await issueSignInCode(control.ctx.database, control.clock);
  const answer = await proxied.ask(null, 'POST', '/v1/session', {
    body: { code },
    headers: {
      host: 'spillway.example.com',
      'x-forwarded-proto': 'https',
      origin: 'https://spillway.example.com',
    },
  });
  expect(answer.statusCode, answer.body).toBe(201);
  expect(String(answer.headers['set-cookie'])).toMatch(
    /^__Host-spillway_session=.*Path=\/.*HttpOnly; Secure; SameSite=Strict/,
  );
});

test('a page of another site cannot sign anyone in', async () => {
  const { code } = await issueSignInCode(control.ctx.database, control.clock);
  const answer = await control.ask(null, 'POST', '/v1/session', {
    body: { code },
    headers: { origin: 'https://evil.example.com' },
  });
  expect(answer.json()).toMatchObject({ status: 403, code: 'csrf_rejected' });
});

test('a session reads with its cookie, and changes with origin and CSRF token only', async () => {
  const { cookie, csrfToken } = await control.signIn();
  const me = await control.ask(null, 'GET', '/v1/session', { headers: { cookie } });
  expect(me.json()).toMatchObject({ actor: 'admin', role: 'admin', csrfToken });

  const attempts: [Record<string, string>, number][] = [
    [{}, 403],
    [{ origin }, 403],
    [{ 'x-spillway-csrf': csrfToken }, 403],
    [{ origin, 'x-spillway-csrf': 'guessed' }, 403],
    [{ origin: 'http://evil.example.com', 'x-spillway-csrf': csrfToken }, 403],
    [{ origin: 'https://localhost', 'x-spillway-csrf': csrfToken }, 403],
    [{ origin: 'null', 'x-spillway-csrf': csrfToken }, 403],
    [{ origin, 'x-spillway-csrf': csrfToken }, 201],
  ];
  for (const [headers, status] of attempts) {
    const answer = await control.ask(null, 'POST', '/v1/tokens', {
      ...mutation,
      headers: { ...headers, cookie },
    });
    expect(answer.statusCode, JSON.stringify(headers)).toBe(status);
    if (status === 403) expect(answer.json().code).toBe('csrf_rejected');
  }
});

test('the CSRF token of one session does not serve another', async () => {
  const [mine, other] = [await control.signIn(), await control.signIn()];
  expect(mine.cookie).not.toBe(other.cookie);
  const answer = await control.ask(null, 'POST', '/v1/tokens', {
    ...mutation,
    headers: { cookie: mine.cookie, origin, 'x-spillway-csrf': other.csrfToken },
  });
  expect(answer.statusCode).toBe(403);
});

test('after signing out the cookie is nothing, on the server', async () => {
  const { cookie, csrfToken } = await control.signIn();
  const out = await control.ask(null, 'DELETE', '/v1/session', {
    headers: { cookie, origin, 'x-spillway-csrf': csrfToken },
  });
  expect(out.statusCode).toBe(204);
  expect(String(out.headers['set-cookie'])).toContain('Expires=Thu, 01 Jan 1970');
  expect((await control.ask(null, 'GET', '/v1/session', { headers: { cookie } })).statusCode).toBe(401);
});

test('a session revoked elsewhere is over within five seconds; an expired one at once', async () => {
  const { cookie } = await control.signIn();
  const me = () => control.ask(null, 'GET', '/v1/session', { headers: { cookie } });
  expect((await me()).statusCode).toBe(200);
  await control.pool.query('update sessions set revoked_at = now() where revoked_at is null');
  control.clock.forward(4_900);
  expect((await me()).statusCode).toBe(401);

  const later = await control.signIn();
  control.clock.forward(12 * 60 * 60_000);
  expect(
    (await control.ask(null, 'GET', '/v1/session', { headers: { cookie: later.cookie } })).statusCode,
  ).toBe(401);
});

test('a bad token is not made good by a cookie', async () => {
  const { cookie } = await control.signIn();
  const answer = await control.ask('not-a-token-of-anyone-here', 'GET', '/v1/session', {
    headers: { cookie },
  });
  expect(answer.statusCode).toBe(401);
  expect(answer.headers['www-authenticate']).toBe('Bearer');
});

test('a token never counts in the query', async () => {
  for (const name of ['token', 'access_token', 'authorization']) {
    expect((await control.ask(null, 'GET', `/v1/pipelines?${name}=${adminToken}`)).statusCode).toBe(401);
  }
});

test('a revoked token stops at once, an expired one when it expires', async () => {
  const made = await control.ask(adminToken, 'POST', '/v1/tokens', {
    body: { name: 'short', role: 'viewer', expiresInDays: 1 },
  });
  const { id, token } = made.json();
  expect(Buffer.from(token.slice(4), 'base64url')).toHaveLength(32);
  expect((await control.ask(token, 'GET', '/v1/pipelines')).statusCode).toBe(200);
  expect((await control.ask(adminToken, 'DELETE', `/v1/tokens/${id}`)).statusCode).toBe(204);
  const refused = await control.ask(token, 'GET', '/v1/pipelines');
  expect(refused.statusCode).toBe(401);
  // A worker's log has this sentence, and its token was sent.
  expect(refused.json().detail).toBe('The token is none of this installation, has expired or was revoked');
  expect((await control.ask(null, 'GET', '/v1/pipelines')).json().detail).toBe('Sign in or send a token');
  expect((await control.ask(adminToken, 'DELETE', `/v1/tokens/${id}`)).statusCode).toBe(404);

  const other = (
    await control.ask(adminToken, 'POST', '/v1/tokens', {
      body: { name: 'expires', role: 'viewer', expiresInDays: 1 },
    })
  ).json();
  control.clock.forward(24 * 60 * 60_000 + 1);
  expect((await control.ask(other.token, 'GET', '/v1/pipelines')).statusCode).toBe(401);
});

test('the list of tokens shows no token', async () => {
  const made = (
    await control.ask(adminToken, 'POST', '/v1/tokens', { body: { name: 'shown once', role: 'viewer' } })
  ).json();
  const list = await control.ask(adminToken, 'GET', '/v1/tokens');
  expect(list.json().items.map((item: { id: string }) => item.id)).toContain(made.id);
  expect(list.body).not.toContain(made.token);
});

test('failed sign-ins make their address wait, and nobody else', async () => {
  const guess = (remoteAddress: string, code = 'a-code-nobody-made-1234') =>
    control.app.inject({
      method: 'POST',
      url: '/v1/session',
      remoteAddress,
      headers: { host: 'localhost' },
      payload: { code },
    });
  for (let i = 0; i < 10; i++) expect((await guess('10.0.0.1')).statusCode).toBe(401);
  const refused = await guess('10.0.0.1');
  expect(refused.json()).toMatchObject({ status: 429, code: 'rate_limited' });
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);

  const { code } = await issueSignInCode(control.ctx.database, control.clock);
  expect((await guess('10.0.0.2', code)).statusCode).toBe(201);
  expect((await control.ask(adminToken, 'GET', '/v1/pipelines')).statusCode).toBe(200);
  control.clock.forward(6_001);
  expect((await guess('10.0.0.1')).statusCode).toBe(401);
});

test('a token may ask 200 times a second; one that asks too often takes nothing from another', async () => {
  const [busy, calm] = [await control.tokenFor('viewer'), await control.tokenFor('viewer')];
  const ask = (token: string) => control.ask(token, 'GET', '/v1/nothing');
  const first = await Promise.all(Array.from({ length: 200 }, () => control.ask(busy, 'GET', '/v1/session')));
  expect(first.every((answer) => answer.statusCode === 200)).toBe(true);
  const more = await Promise.all(Array.from({ length: 600 }, () => control.ask(busy, 'GET', '/v1/session')));
  const refused = more.filter((answer) => answer.statusCode === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]?.json()).toMatchObject({ code: 'rate_limited' });
  expect((await control.ask(calm, 'GET', '/v1/session')).statusCode).toBe(200);
  expect((await ask(calm)).statusCode).toBe(404);
});

test('answers carry the headers that keep browsers out of trouble', async () => {
  const api = await control.ask(adminToken, 'GET', '/v1/session');
  expect(api.headers).toMatchObject({
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
  });
  const pages = await Promise.all(['/', '/backfills/bf_1'].map((url) => control.ask(null, 'GET', url)));
  for (const page of pages) {
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toMatch(/script-src 'self';/);
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
    expect(policy).toContain("frame-ancestors 'none'");
  }
  expect(pages[0]?.headers['content-security-policy']).not.toBe(pages[1]?.headers['content-security-policy']);
});

test('the reference page runs no inline script', async () => {
  const page = await control.ask(adminToken, 'GET', '/docs');
  expect(page.headers['content-security-policy']).toMatch(/script-src 'self';/);
  expect(page.body.match(/<script(?![^>]*(?:src=|type="application\/json"))/g)).toBeNull();
  const script = await control.ask(adminToken, 'GET', '/docs/reference.js');
  expect(script.statusCode).toBe(200);
  expect(script.rawPayload.length).toBeGreaterThan(100_000);
});

test('planted secrets are found nowhere: not in logs, not in problems, not in the audit, not in the tables', async () => {
  const canaries = Array.from({ length: 20 }, (_, i) => `canary${i}secret${'0123456789abcdef'.repeat(2)}`);
  const [inUrl, inQuery, inBearer, inReason, inCookie, inCode, inKey] = canaries as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const bodies: string[] = [];
  const keep = async (answer: Promise<{ body: string }>) => void bodies.push((await answer).body);

  await keep(control.ask(inBearer, 'GET', '/v1/pipelines'));
  await keep(control.ask(adminToken, 'GET', `/v1/backfills?cursor=${inQuery}`));
  await keep(
    control.ask(null, 'GET', '/v1/session', { headers: { cookie: `spillway_session=${inCookie}` } }),
  );
  await keep(control.ask(null, 'POST', '/v1/session', { body: { code: inCode } }));
  await keep(
    control.ask(adminToken, 'POST', '/v1/backfills', {
      body: {
        pipelineId: 'flights',
        window: { from: '2001-01-01T00:00:00Z', to: '2001-01-02T00:00:00Z' },
        reason: `see postgres://user:${inUrl}@db/x?password=${inReason}`,
      },
    }),
  );
  await keep(
    control.ask(adminToken, 'POST', '/v1/tokens', { body: { name: 'x', role: 'viewer', secret: inKey } }),
  );
  const boom = Object.assign(
    new Error(`cannot reach postgres://user:${inUrl}@db/x with Bearer ${inBearer}`),
    { cause: new Error(`redis://:${inUrl}@cache`) },
  );
  control.ctx.log.error(
    {
      err: boom,
      authorization: inBearer,
      headers: { cookie: inCookie },
      url: `http://x/#code=${inCode}`,
      password: inKey,
    },
    `failed for ?token=${inQuery}`,
  );

  const audit = JSON.stringify((await control.pool.query('select * from audit')).rows);
  const tables = await Promise.all(
    ['tokens', 'sessions', 'sign_in_codes', 'backfills', 'idempotency_keys'].map(async (table) =>
      JSON.stringify((await control.pool.query(`select * from ${table}`)).rows),
    ),
  );
  const log = control.logged.join('');
  expect(control.logged.length).toBeGreaterThan(0);
  for (const [place, text] of Object.entries({
    log,
    bodies: bodies.join(''),
    audit,
    tables: tables.join(''),
  })) {
    for (const canary of [...canaries, adminToken, workerToken])
      expect(text.includes(canary), `${canary} in ${place}`).toBe(false);
  }
});
