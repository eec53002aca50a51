/** Idempotency keys, revisions, the audit chain, and a control database that goes away. */
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { unitOfWork } from '../../src/control-plane/database/database.ts';
import { removeOldIdempotencyKeys } from '../../src/control-plane/http/idempotency.ts';
import {
  adminToken,
  type ControlApp,
  january,
  seedPipeline,
  startControlApp,
} from '../fixtures/control-app.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { until } from '../fixtures/started-process.ts';

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

const body = (hour: number) => ({
  pipelineId: 'flights',
  window: january,
  subwindow: 'PT1H',
  limits: { eventsPerSecond: 1000 + hour },
});
const count = async (table: string) =>
  Number((await control.pool.query(`select count(*) as rows from ${table}`)).rows[0].rows);

test('the same key and body get the first answer, and one backfill', async () => {
  const headers = { 'idempotency-key': 'once' };
  const before = await count('backfills');
  const first = await control.ask(adminToken, 'POST', '/v1/backfills', { body: body(1), headers });
  expect(first.statusCode, first.body).toBe(201);
  const again = await control.ask(adminToken, 'POST', '/v1/backfills', { body: body(1), headers });
  expect(again.statusCode).toBe(201);
  expect(again.json()).toEqual(first.json());
  expect(again.headers['etag']).toBe(first.headers['etag']);
  expect(again.headers['idempotency-replayed']).toBe('true');
  expect(await count('backfills')).toBe(before + 1);
});

test('an effect that fails after the commit is logged: the command is done, and so is what else follows it', async () => {
  const followed: string[] = [];
  const { broadcast } = control.ctx.workers;
  control.ctx.workers.broadcast = () => {
    throw new Error('nobody can be told');
  };
  try {
    const answer = await unitOfWork(control.ctx.database, async ({ tx, afterCommit }) => {
      await tx.execute(sql`update pipelines set revision = revision`);
      afterCommit(() => control.ctx.workers.broadcast('replay', { type: 'wake' }));
      afterCommit(async () => void followed.push('the second'));
      return 'done';
    });
    expect(answer).toBe('done');
  } finally {
    control.ctx.workers.broadcast = broadcast;
  }
  expect(followed).toEqual(['the second']);
  expect(control.logged.filter((line) => line.includes('nobody can be told'))).toHaveLength(1);
});

test('two at the same time with one key are one', async () => {
  const headers = { 'idempotency-key': 'race' };
  const before = await count('backfills');
  const answers = await Promise.all(
    Array.from({ length: 5 }, () =>
      control.ask(adminToken, 'POST', '/v1/backfills', { body: body(2), headers }),
    ),
  );
  expect(answers.map((answer) => answer.statusCode)).toEqual([201, 201, 201, 201, 201]);
  expect(new Set(answers.map((answer) => answer.json().id)).size).toBe(1);
  expect(await count('backfills')).toBe(before + 1);
});

test('the same key with another body is refused and changes nothing', async () => {
  const headers = { 'idempotency-key': 'twice' };
  await control.ask(adminToken, 'POST', '/v1/backfills', { body: body(3), headers });
  const before = await count('backfills');
  const answer = await control.ask(adminToken, 'POST', '/v1/backfills', { body: body(4), headers });
  expect(answer.statusCode).toBe(422);
  expect(answer.json()).toMatchObject({
    code: 'idempotency_key_reused',
    errors: [{ pointer: 'idempotency-key' }],
  });
  expect(await count('backfills')).toBe(before);
});

test('a request that failed leaves its key free', async () => {
  const headers = { 'idempotency-key': 'second-try' };
  const failed = await control.ask(adminToken, 'POST', '/v1/backfills', {
    body: { ...body(5), pipelineId: 'nobody' },
    headers,
  });
  expect(failed.statusCode).toBe(404);
  const answer = await control.ask(adminToken, 'POST', '/v1/backfills', { body: body(5), headers });
  expect(answer.statusCode).toBe(201);
});

test('a key is kept for a day, and is then a new one', async () => {
  const headers = { 'idempotency-key': 'yesterday' };
  const body = { name: 'of a day', role: 'viewer' };
  const ask = () => control.ask(adminToken, 'POST', '/v1/tokens', { body, headers });
  const first = (await ask()).json().token;
  control.clock.forward(23 * 3_600_000);
  await removeOldIdempotencyKeys(control.ctx);
  expect((await ask()).json().token).toBe(first);
  control.clock.forward(3_600_000);
  await removeOldIdempotencyKeys(control.ctx);
  expect(await count('idempotency_keys')).toBe(0);
  expect((await ask()).json().token).not.toBe(first);
});

test('keys of one caller do not meet those of another', async () => {
  const headers = { 'idempotency-key': 'shared-word' };
  const operator = await control.tokenFor('operator');
  const mine = await control.ask(adminToken, 'POST', '/v1/backfills', { body: body(6), headers });
  const theirs = await control.ask(operator, 'POST', '/v1/backfills', { body: body(7), headers });
  expect([mine.statusCode, theirs.statusCode]).toEqual([201, 201]);
  expect(mine.json().id).not.toBe(theirs.json().id);
});

test('a token made twice with one key is the same token, and the database does not hold it', async () => {
  const headers = { 'idempotency-key': 'token-key' };
  const make = () =>
    control.ask(adminToken, 'POST', '/v1/tokens', { body: { name: 'sealed', role: 'viewer' }, headers });
  const [first, again] = [await make(), await make()];
  expect(again.json().token).toBe(first.json().token);
  const kept = await control.pool.query('select * from idempotency_keys');
  expect(JSON.stringify(kept.rows)).not.toContain(first.json().token);
  const stored = await control.pool.query('select * from tokens');
  expect(JSON.stringify(stored.rows)).not.toContain(first.json().token);
});

test('a key that cannot be one is refused', async () => {
  const answer = await control.ask(adminToken, 'POST', '/v1/backfills', {
    body: body(8),
    headers: { 'idempotency-key': 'x'.repeat(201) },
  });
  expect(answer.statusCode).toBe(400);
  expect(answer.json().errors[0].pointer).toBe('idempotency-key');
});

test('limits: no If-Match is 428, a stale one 412 with the backfill as it is, the right one 202 with a receipt', async () => {
  const made = await control.ask(adminToken, 'POST', '/v1/backfills', { body: body(9) });
  const { id, revision } = made.json();
  expect(made.headers['etag']).toBe(`"${revision}"`);
  expect(made.headers['location']).toBe(`/v1/backfills/${id}`);
  const url = `/v1/backfills/${id}/limits`;
  const patch = { eventsPerSecond: 10 };

  const missing = await control.ask(adminToken, 'PATCH', url, { body: patch });
  expect(missing.json()).toMatchObject({
    status: 428,
    code: 'precondition_required',
    errors: [{ pointer: 'if-match' }],
  });

  const right = await control.ask(adminToken, 'PATCH', url, {
    body: patch,
    headers: { 'if-match': `"${revision}"` },
  });
  expect(right.statusCode, right.body).toBe(202);
  expect(right.json()).toMatchObject({
    id: expect.any(String),
    verb: 'throttle',
    backfillId: id,
    requestedAt: expect.any(String),
  });
  expect(right.headers['etag']).not.toBe(`"${revision}"`);

  const stale = await control.ask(adminToken, 'PATCH', url, {
    body: { eventsPerSecond: 20 },
    headers: { 'if-match': `"${revision}"` },
  });
  expect(stale.statusCode).toBe(412);
  expect(stale.json()).toMatchObject({
    code: 'stale_revision',
    current: { id, limits: { eventsPerSecond: 10 } },
  });

  const garbled = await control.ask(adminToken, 'PATCH', url, { body: patch, headers: { 'if-match': '*' } });
  expect(garbled.statusCode).toBe(400);
});

test('pipelines: a stale revision is 412 with the pipeline as it is', async () => {
  const read = await control.ask(adminToken, 'GET', '/v1/pipelines/flights');
  const etag = String(read.headers['etag']);
  const first = await control.ask(adminToken, 'PATCH', '/v1/pipelines/flights', {
    body: { replayShare: 0.25 },
    headers: { 'if-match': etag },
  });
  expect(first.statusCode, first.body).toBe(200);
  const second = await control.ask(adminToken, 'PATCH', '/v1/pipelines/flights', {
    body: { replayShare: 0.75 },
    headers: { 'if-match': etag },
  });
  expect(second.json()).toMatchObject({
    status: 412,
    code: 'stale_revision',
    current: { id: 'flights', replayShare: 0.25 },
  });
});

test('an illegal transition names the state and what is allowed', async () => {
  const made = await control.ask(adminToken, 'POST', '/v1/backfills', { body: body(10) });
  const answer = await control.ask(adminToken, 'POST', `/v1/backfills/${made.json().id}/retry`);
  expect(answer.statusCode).toBe(409);
  expect(answer.json()).toMatchObject({
    code: 'illegal_transition',
    state: 'queued',
    allowedActions: ['throttle', 'cancel'],
  });
});

test('a list of backfills says how many there are beyond its page', async () => {
  const asked = async (query: string) =>
    (await control.ask(adminToken, 'GET', `/v1/backfills?${query}`)).json() as {
      items: { id: string }[];
      nextCursor: string | null;
      total: number;
    };
  const whole = await asked('state=queued&limit=200');
  expect(whole.items.length).toBeGreaterThan(2);
  expect(whole.total).toBe(whole.items.length);
  const first = await asked('state=queued&limit=2');
  expect(first).toMatchObject({ items: whole.items.slice(0, 2), total: whole.total });
  const next = await asked(`state=queued&limit=200&cursor=${first.nextCursor}`);
  expect(next).toMatchObject({ items: whole.items.slice(2), nextCursor: null, total: whole.total });
  expect(await asked('state=completed')).toMatchObject({ items: [], total: 0 });
});

test('backfills are found by source, by who started them, and by a part of id or reason', async () => {
  const start = async (day: number, reason: string, sourceIds: string[]) =>
    (
      await control.ask(adminToken, 'POST', '/v1/backfills', { body: { ...body(day), reason, sourceIds } })
    ).json().id as string;
  const west = await start(13, 'Feed 100 % down_x', ['west']);
  const both = await start(14, 'feed was late', ['west', 'east']);
  const found = async (query: Record<string, string>) =>
    (
      (
        await control.ask(adminToken, 'GET', `/v1/backfills?limit=200&${new URLSearchParams(query)}`)
      ).json() as {
        items: { id: string }[];
      }
    ).items.map(({ id }) => id);
  const text = 'feed ';
  expect(await found({ text, source: 'west' })).toEqual([both, west]);
  expect(await found({ text, source: 'east' })).toEqual([both]);
  expect(await found({ text: '100 % DOWN_X' }), 'no pattern, in any case').toEqual([west]);
  expect(await found({ text: '%' })).toEqual([west]);
  expect(await found({ text: west.slice(3, 12) })).toEqual([west]);
  expect(await found({ text, createdBy: 'admin', state: 'queued,running' })).toEqual([both, west]);
  expect(await found({ text, createdBy: 'somebody else' })).toEqual([]);
});

test('every mutation has its audit row, and the chain is whole', async () => {
  const made = await control.ask(adminToken, 'POST', '/v1/backfills', {
    body: { ...body(11), reason: 'for the audit' },
  });
  const audit = (await control.ask(adminToken, 'GET', `/v1/audit?target=${made.json().id}`)).json();
  expect(audit.items).toMatchObject([
    {
      action: 'backfill.start',
      actor: 'admin',
      target: made.json().id,
      reason: 'for the audit',
      before: null,
    },
  ]);
  const verdict = (await control.ask(adminToken, 'GET', '/v1/audit/verify')).json();
  expect(verdict).toEqual({ intact: true, entries: await count('audit'), firstBroken: null });
});

test('the audit is narrowed by who, what, on what and when', async () => {
  const made = await control.ask(adminToken, 'POST', '/v1/backfills', { body: body(12) });
  const { id } = made.json();
  await control.ask(adminToken, 'POST', `/v1/backfills/${id}/cancel`, { body: { reason: 'narrowed' } });
  const everything = (await control.ask(adminToken, 'GET', '/v1/audit?limit=200')).json().items as {
    at: string;
    actor: string;
    action: string;
    target: string;
  }[];
  const asked = async (query: string) =>
    (await control.ask(adminToken, 'GET', `/v1/audit?limit=200&${query}`)).json().items;
  expect(await asked('action=backfill.cancel')).toEqual(
    everything.filter(({ action }) => action === 'backfill.cancel'),
  );
  const ofBackfills = everything.filter(({ action }) => action.startsWith('backfill.'));
  expect(ofBackfills.length).toBeLessThan(everything.length);
  expect(await asked('action=backfill')).toEqual(ofBackfills);
  expect(await asked('action=back')).toEqual([]);
  expect(await asked(`target=${id}&action=backfill.cancel&actor=admin`)).toHaveLength(1);
  expect(await asked(`target=${id}&actor=nobody`)).toEqual([]);
  const { at } = everything[0] as { at: string };
  const later = new Date(Date.parse(at) + 1).toISOString();
  expect(await asked(`from=${at}&to=${later}`)).toEqual(everything.filter((entry) => entry.at === at));
  expect(await asked(`to=${at}`)).toEqual(everything.filter((entry) => entry.at < at));
  expect(await asked(`from=${later}`)).toEqual([]);

  const reversed = await control.ask(adminToken, 'GET', `/v1/audit?from=${later}&to=${at}`);
  expect([reversed.statusCode, reversed.json().code, reversed.json().errors[0].pointer]).toEqual([
    422,
    'invalid_window',
    'to',
  ]);
  for (const query of ['action=Backfill;drop', 'from=yesterday', 'actor=', 'who=admin']) {
    const odd = await control.ask(adminToken, 'GET', `/v1/audit?${query}`);
    expect([odd.statusCode, odd.json().code], query).toEqual([400, 'invalid_request']);
  }
});

test('the audit is paged, newest first, each row once', async () => {
  const seen: number[] = [];
  let url = '/v1/audit?limit=3';
  for (;;) {
    const page = (await control.ask(adminToken, 'GET', url)).json();
    seen.push(...page.items.map((item: { sequence: number }) => item.sequence));
    if (page.nextCursor === null) break;
    url = `/v1/audit?limit=3&cursor=${page.nextCursor}`;
  }
  const rows = await count('audit');
  expect(seen).toEqual(Array.from({ length: rows }, (_, index) => rows - index));
});

test.each([
  ['a changed reason', sql`update audit set reason = 'nothing to see' where sequence = 3`],
  ['a changed actor', sql`update audit set actor = 'somebody' where sequence = 3`],
  ['a row taken out', sql`delete from audit where sequence = 3`],
  ['the end cut off', sql`delete from audit where sequence >= 3`],
])('the chain shows %s', async (_name, change) => {
  // Rolled back in the end, so that each change meets a whole chain.
  const { verifyAudit } = await import('../../src/control-plane/audit/verify.ts');
  const undo = new Error('undo');
  await control.ctx.database
    .transaction(async (tx) => {
      await tx.execute(change);
      expect(await verifyAudit(tx as never)).toMatchObject({ intact: false, firstBroken: 3 });
      throw undo;
    })
    .catch((error: unknown) => {
      if (error !== undo) throw error;
    });
});

test('ten who verify the chain at once are answered by one walk', async () => {
  let queries = 0;
  const query = control.pool.query.bind(control.pool) as (...given: unknown[]) => unknown;
  const counted = (...given: unknown[]) => {
    queries += 1;
    return query(...given);
  };
  Object.assign(control.pool, { query: counted });
  const verify = async (times: number) => {
    const before = queries;
    const answers = await Promise.all(
      Array.from({ length: times }, () => control.ask(adminToken, 'GET', '/v1/audit/verify')),
    );
    for (const answer of answers) expect(answer.json()).toMatchObject({ intact: true });
    return queries - before;
  };
  try {
    const once = await verify(1);
    expect(once).toBeGreaterThan(1);
    expect(await verify(10)).toBe(once);
  } finally {
    Object.assign(control.pool, { query });
  }
});

test('a mutation whose transaction fails leaves no audit row', async () => {
  const before = await count('audit');
  const { unitOfWork } = await import('../../src/control-plane/database/database.ts');
  const { appendAudit } = await import('../../src/control-plane/audit/append.ts');
  const actor = { name: 'test', role: 'admin', address: null, origin: 'system' } as const;
  await expect(
    unitOfWork(control.ctx.database, async (work) => {
      await appendAudit(work, control.clock, {
        actor,
        action: 'token.create',
        target: 'x',
        before: null,
        after: null,
      });
      throw new Error('after the audit row');
    }),
  ).rejects.toThrow('after the audit row');
  expect(await count('audit')).toBe(before);
});

test('twenty mutations at once make one chain without forks', async () => {
  await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      control.ask(adminToken, 'POST', '/v1/tokens', { body: { name: `n${i}`, role: 'viewer' } }),
    ),
  );
  expect((await control.ask(adminToken, 'GET', '/v1/audit/verify')).json()).toMatchObject({ intact: true });
});

test('while the control database is gone, answers are 503; when it is back, all is as before', async () => {
  const viewer = await control.tokenFor('viewer');
  expect((await control.ask(viewer, 'GET', '/v1/pipelines')).statusCode).toBe(200);
  const held = control.ctx.database.transaction(async (tx) => {
    await tx.execute(sql`select 1`);
    await database.kill();
    await tx.execute(sql`select 1`);
  });
  await expect(held).rejects.toThrow();

  const without = await control.ask(adminToken, 'GET', '/v1/pipelines');
  expect(without.json()).toMatchObject({ status: 503, code: 'unavailable' });
  expect(without.headers['retry-after']).toBe('1');
  expect((await control.ask(null, 'GET', '/readyz')).statusCode).toBe(503);
  expect((await control.ask(null, 'GET', '/healthz')).statusCode).toBe(200);
  const metrics = await control.ask(adminToken, 'GET', '/metrics');
  expect(metrics.statusCode).toBe(200);
  expect(metrics.body).toMatch(/^spillway_http_problems_total\{code="unavailable"\} [1-9]/m);
  control.clock.forward(10_000);
  expect((await control.ask(viewer, 'GET', '/v1/session')).json()).toMatchObject({
    status: 503,
    code: 'unavailable',
  });
  expect((await control.ask(adminToken, 'GET', '/v1/session')).statusCode).toBe(200);

  await database.start();
  await until(
    async () => (await control.ask(null, 'GET', '/readyz')).statusCode === 200,
    10_000,
    'ready again',
  );
  expect((await control.ask(viewer, 'GET', '/v1/pipelines')).statusCode).toBe(200);
  expect((await control.ask(adminToken, 'GET', '/v1/audit/verify')).json()).toMatchObject({ intact: true });
});
