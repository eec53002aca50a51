/** Fire drills over REST, on a store that a test holds and lets go: who may, one at a time, kept as it unfolds, ended early, closed after a restart. */
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { StoreStall } from '../../src/control-plane/context.ts';
import { audit, drills, pipelines } from '../../src/control-plane/database/schema.ts';
import { closeInterruptedDrills } from '../../src/control-plane/drills/interrupted.ts';
import { adminToken, type ControlApp, seedPipeline, startControlApp } from '../fixtures/control-app.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { until } from '../fixtures/started-process.ts';
import { emptyApply, emptyStream, quietTick } from '../fixtures/ticks.ts';

type StallRequest = Parameters<StoreStall['stall']>[0];

let database: ControlDatabase;
let control: ControlApp;
let ticks = 0;
/** What the store was asked, and how the stall ends. */
let asked: (StallRequest & { letGo(): void; refuse(why: string): void })[] = [];

beforeAll(async () => {
  database = await startControlDatabase();
  control = await open();
  await seedPipeline(control.ctx);
});
afterAll(async () => {
  await control?.close();
  await database?.end();
});
beforeEach(async () => {
  asked = [];
  await control.ctx.database.delete(drills);
  await applierSays();
  // What the drill of an earlier test still tells of itself is no cause of this one's.
  await until(() => cause() === null, 5_000, 'the drill before to be over');
});

function open(): Promise<ControlApp> {
  return startControlApp(database.url, {
    store: {
      stall: (request) =>
        new Promise((resolve, reject) => {
          let had = false;
          const stalled = () => {
            had = true;
            request.stalled();
          };
          request.signal.addEventListener('abort', () =>
            had ? resolve() : reject(new Error('it was called off')),
          );
          const letGo = () => {
            // A store that was never stalled has nothing to let go.
            if (!had) stalled();
            resolve();
          };
          asked.push({ ...request, stalled, letGo, refuse: (why) => reject(new Error(why)) });
        }),
    },
  });
}

/** A tick of the applier, with nothing waiting unless the test says so. */
async function applierSays(storeSilentMs = 0, lagMs = 0, on = control): Promise<void> {
  on.ctx.telemetry.observePipelines(await on.ctx.database.select().from(pipelines));
  on.ctx.telemetry.observeTick('apply-1', 'apply', {
    ...quietTick,
    sequence: ++ticks,
    apply: {
      ...emptyApply,
      store: { ...emptyApply.store, silentMs: storeSilentMs },
      streams: [emptyStream('live', { lagMs }), emptyStream('replay')],
    },
  });
}

const start = (body: unknown = { forMs: 2_000 }, headers = {}) =>
  control.ask(adminToken, 'POST', '/v1/pipelines/flights/drills', { body, headers });
const release = (
  id: string,
  token = adminToken,
  options: { body?: unknown; headers?: Record<string, string> } = {},
) => control.ask(token, 'POST', `/v1/pipelines/flights/drills/${id}/release`, options);
const releasesOf = async (id: string) =>
  (await control.ctx.database.select().from(audit).where(eq(audit.action, 'pipeline.drill_release'))).filter(
    ({ after }) => (after as { drillId: string }).drillId === id,
  );
/** One that has the store, and holds live up. */
const stalledDrill = async (forMs = 2_000) => {
  const answer = await start({ forMs });
  expect(answer.statusCode, answer.body).toBe(202);
  await until(() => asked.length === 1, 5_000, 'the stall');
  asked[0]?.stalled();
  await applierSays(600, 600);
  return answer.json();
};
const read = async (id: string) =>
  (await control.ask(adminToken, 'GET', `/v1/pipelines/flights/drills/${id}`)).json();
/** What the stages give as the cause. */
const cause = () => control.ctx.telemetry.observation('flights')?.drill ?? null;
const untilReport = async (id: string, holds: (drill: Record<string, unknown>) => boolean) => {
  await until(async () => holds(await read(id)), 10_000, `a report of ${id}`);
  return read(id);
};

test('a drill stalls the store, keeps its report as it unfolds, and ends when all is normal', async () => {
  const answer = await start();
  expect(answer.statusCode, answer.body).toBe(202);
  const drill = answer.json();
  expect(drill).toMatchObject({
    pipelineId: 'flights',
    state: 'stalling',
    forMs: 2_000,
    startedBy: 'admin',
    stalledAt: null,
    detail: null,
  });
  expect(drill.stages.map(({ stage }: { stage: string }) => stage)).toEqual([
    'store',
    'aggregate',
    'stream',
    'source',
  ]);
  await until(() => asked.length === 1, 5_000, 'the stall');
  expect(asked[0]?.forMs).toBe(2_000);

  asked[0]?.stalled();
  await applierSays(600, 600);
  const stalled = await untilReport(
    drill.id,
    ({ stages }) => (stages as { filledAt: unknown }[])[1]?.filledAt !== null,
  );
  expect(stalled).toMatchObject({ state: 'stalling', stalledAt: expect.any(String), releasedAt: null });
  expect(stalled.stages).toMatchObject([
    { filledAt: expect.any(String) },
    { filledAt: expect.any(String) },
    { filledAt: null },
    { filledAt: null },
  ]);
  expect(cause()).toEqual({ startedBy: 'admin', released: false });

  asked[0]?.letGo();
  const free = await untilReport(drill.id, ({ state }) => state !== 'stalling');
  expect(free).toMatchObject({ state: 'recovering', releasedAt: expect.any(String), recoveredAt: null });
  await until(() => cause()?.released === true, 5_000, 'the cause to be told as released');
  await applierSays(0, 0);
  const over = await untilReport(drill.id, ({ state }) => state !== 'recovering');
  expect(over).toMatchObject({ state: 'finished', recoveredAt: expect.any(String), peakBacklog: 0 });
  expect(over.detail).toContain('No replay was running');
  expect((await control.ask(adminToken, 'GET', '/v1/pipelines/flights/drills')).json().items).toEqual([over]);
  await until(() => cause() === null, 5_000, 'the cause to be over');
});

test('one at a time: another is 409 until it is over, and stalls nothing', async () => {
  const { id } = (await start()).json();
  const second = await start();
  expect([second.statusCode, second.json().code]).toEqual([409, 'drill_running']);
  await until(() => asked.length > 0, 5_000, 'the stall');
  asked[0]?.refuse('somebody else has the lock');
  const failed = await untilReport(id, ({ state }) => state === 'failed');
  expect(failed).toMatchObject({ stalledAt: null, releasedAt: null });
  expect(failed.detail).toContain('somebody else has the lock');
  expect((await start()).statusCode).toBe(202);
  await until(() => asked.length === 2, 5_000, 'the next stall');
  asked[1]?.letGo();
});

test('of twenty at once one is taken', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => start()));
  expect(answers.map(({ statusCode }) => statusCode).toSorted()).toEqual([202, ...Array(19).fill(409)]);
  await until(() => asked.length === 1, 5_000, 'the stall');
  asked[0]?.letGo();
});

test('the same Idempotency-Key gets the same drill, and stalls once', async () => {
  const headers = { 'idempotency-key': `drill-${Date.now()}` };
  const first = await start({ forMs: 500 }, headers);
  const again = await start({ forMs: 500 }, headers);
  expect(again.statusCode).toBe(202);
  expect(again.json().id).toBe(first.json().id);
  expect((await start({ forMs: 600 }, headers)).json().code).toBe('idempotency_key_reused');
  await until(() => asked.length === 1, 5_000, 'the stall');
  asked[0]?.letGo();
});

test('is in the audit, with its length', async () => {
  const { id } = (await start({ forMs: 700 })).json();
  const rows = await control.ctx.database.select().from(audit).where(eq(audit.action, 'pipeline.drill'));
  expect(rows.at(-1)).toMatchObject({
    target: 'flights',
    actor: 'admin',
    after: { drillId: id, forMs: 700 },
  });
  await until(() => asked.length === 1, 5_000, 'the stall');
  asked[0]?.letGo();
});

test.each([
  [{}, '/forMs'],
  [{ forMs: 99 }, '/forMs'],
  [{ forMs: 30_001 }, '/forMs'],
  [{ forMs: 1_000.5 }, '/forMs'],
  [{ forMs: '1000' }, '/forMs'],
  [{ forMs: 1_000, also: 1 }, '/also'],
])('refuses %j with a pointer', async (body, pointer) => {
  const answer = await start(body);
  expect([answer.statusCode, answer.json().code]).toEqual([400, 'invalid_request']);
  expect(answer.json().errors[0].pointer).toBe(pointer);
  expect(asked).toEqual([]);
});

test('is refused without an applier at work, and for a pipeline that is not there', async () => {
  control.clock.forward(60_000);
  const answer = await start();
  expect([answer.statusCode, answer.json().code]).toEqual([503, 'unavailable']);
  const elsewhere = await control.ask(adminToken, 'POST', '/v1/pipelines/nothing/drills', {
    body: { forMs: 500 },
  });
  expect([elsewhere.statusCode, elsewhere.json().code]).toEqual([404, 'unknown_pipeline']);
  const none = await control.ask(adminToken, 'GET', '/v1/pipelines/flights/drills/dr_0');
  expect([none.statusCode, none.json().code]).toEqual([404, 'not_found']);
  expect((await control.ask(adminToken, 'GET', '/v1/pipelines/nothing/drills')).statusCode).toBe(404);
});

test('pages are newest first and go on where they ended', async () => {
  for (let n = 0; n < 5; n++)
    await control.ctx.database
      .insert(drills)
      .values({ id: `dr_${n}`, pipelineId: 'flights', state: 'finished', forMs: 500, startedBy: 'ada' });
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const url = `/v1/pipelines/flights/drills?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`;
    const page: { items: { id: string }[]; nextCursor: string | null } = (
      await control.ask(adminToken, 'GET', url)
    ).json();
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor !== null);
  expect(seen).toEqual(['dr_4', 'dr_3', 'dr_2', 'dr_1', 'dr_0']);
});

describe('released early', () => {
  test('by an operator: the store is free at once, and the drill goes on to tell the recovery', async () => {
    const operator = await control.tokenFor('operator');
    const { id } = await stalledDrill(20_000);
    const answer = await release(id, operator, { body: { reason: 'live is too far behind' } });
    expect(answer.statusCode, answer.body).toBe(202);
    expect(answer.json()).toMatchObject({ id, releasedBy: 'test operator', forMs: 20_000 });
    expect(asked[0]?.signal.aborted, 'the store was told to let go').toBe(true);

    const free = await untilReport(id, ({ state }) => state !== 'stalling');
    expect(free).toMatchObject({ state: 'recovering', recoveredAt: null });
    const heldMs = Date.parse(free.releasedAt) - Date.parse(free.stalledAt);
    expect(heldMs).toBeLessThan(10_000);
    expect(free.detail).toContain(
      `Released by test operator after ${(heldMs / 1_000).toFixed(1)} s of 20.0 s.`,
    );
    await until(() => cause()?.released === true, 5_000, 'the cause to be told as released');
    await applierSays();
    const over = await untilReport(id, ({ state }) => state === 'finished');
    expect(over).toMatchObject({ recoveredAt: expect.any(String), releasedBy: 'test operator' });

    expect(await releasesOf(id)).toMatchObject([
      {
        target: 'flights',
        actor: 'test operator',
        reason: 'live is too far behind',
        before: null,
        after: { drillId: id, forMs: 20_000 },
      },
    ]);
  });

  test('by several at a time: one wish is kept and audited, and each is answered with it', async () => {
    const { id } = await stalledDrill();
    const answers = await Promise.all(Array.from({ length: 10 }, () => release(id)));
    for (const answer of answers)
      expect([answer.statusCode, answer.json().releasedBy], answer.body).toEqual([202, 'admin']);
    await untilReport(id, ({ state }) => state === 'recovering');
    const again = await release(id, await control.tokenFor('operator'));
    expect(again.statusCode).toBe(202);
    expect(again.json()).toMatchObject({ state: 'recovering', releasedBy: 'admin' });
    expect(await releasesOf(id)).toHaveLength(1);
  });

  test('after it was over is harmless: the answer is the report as it is, and nothing is audited', async () => {
    const { id } = await stalledDrill();
    asked[0]?.letGo();
    await untilReport(id, ({ state }) => state === 'recovering');
    await applierSays();
    const over = await untilReport(id, ({ state }) => state === 'finished');
    const answer = await release(id);
    expect([answer.statusCode, answer.json()]).toEqual([202, over]);
    expect(over).toMatchObject({ releasedBy: null });
    expect(await read(id)).toEqual(over);
    expect(await releasesOf(id)).toEqual([]);
  });

  test('while its lock is awaited: it has failed, with nothing stalled, and stands in nobody’s way', async () => {
    const { id } = (await start()).json();
    await until(() => asked.length === 1, 5_000, 'the stall');
    expect((await release(id)).statusCode).toBe(202);
    const failed = await untilReport(id, ({ state }) => state === 'failed');
    expect(failed).toMatchObject({ stalledAt: null, releasedAt: null, releasedBy: 'admin' });
    expect(failed.detail).toBe('Called off by admin while its lock was still awaited: nothing was stalled.');
    expect((await start()).statusCode).toBe(202);
    await until(() => asked.length === 2, 5_000, 'the next stall');
    expect(asked[1]?.signal.aborted, 'the next is another one').toBe(false);
    asked[1]?.letGo();
  });

  test('with an Idempotency-Key: the same key gets the first answer', async () => {
    const { id } = await stalledDrill();
    const headers = { 'idempotency-key': `release-${Date.now()}` };
    const first = await release(id, adminToken, { headers });
    await untilReport(id, ({ state }) => state === 'recovering');
    const again = await release(id, adminToken, { headers });
    expect([again.statusCode, again.headers['idempotency-replayed']]).toEqual([202, 'true']);
    expect(again.json()).toEqual(first.json());
    const other = await release(id, adminToken, { headers, body: { reason: 'another' } });
    expect(other.json().code).toBe('idempotency_key_reused');
  });

  test('is refused to a viewer, who ends nothing, and 404 where there is no such drill', async () => {
    const { id } = await stalledDrill();
    const refused = await release(id, await control.tokenFor('viewer'));
    expect([refused.statusCode, refused.json().code]).toEqual([403, 'forbidden']);
    expect(asked[0]?.signal.aborted).toBe(false);
    for (const [pipelineId, drillId, code] of [
      ['flights', 'dr_0', 'not_found'],
      ['nothing', id, 'unknown_pipeline'],
    ]) {
      const none = await control.ask(
        adminToken,
        'POST',
        `/v1/pipelines/${pipelineId}/drills/${drillId}/release`,
      );
      expect([none.statusCode, none.json().code]).toEqual([404, code]);
    }
    expect(await read(id)).toMatchObject({ state: 'stalling', releasedBy: null });
    asked[0]?.letGo();
  });

  test('is offered to who may: operators and admins', async () => {
    const offered = async (token: string) =>
      (await control.ask(token, 'GET', '/v1/pipelines/flights')).json().allowedActions;
    expect(await offered(adminToken)).toEqual(expect.arrayContaining(['start_drill', 'release_drill']));
    const operator = await offered(await control.tokenFor('operator'));
    expect(operator).toContain('release_drill');
    expect(operator).not.toContain('start_drill');
    expect(await offered(await control.tokenFor('viewer'))).toEqual([]);
  });
});

test('an api that is stopped calls its drill off and says so', async () => {
  const other = await open();
  await applierSays(0, 0, other);
  const answer = await other.ask(adminToken, 'POST', '/v1/pipelines/flights/drills', {
    body: { forMs: 30_000 },
  });
  expect(answer.statusCode, answer.body).toBe(202);
  await until(() => asked.length === 1, 5_000, 'the stall');
  asked[0]?.stalled();
  await other.close();
  expect(asked[0]?.signal.aborted).toBe(true);
  const drill = await read(answer.json().id);
  expect(drill).toMatchObject({
    state: 'failed',
    stalledAt: expect.any(String),
    releasedAt: expect.any(String),
  });
  expect(drill.detail).toContain('The api was stopped');
});

test('what a killed api left unfinished is closed at the next start, and stands in nobody’s way', async () => {
  for (const [id, state] of [
    ['dr_left', 'recovering'],
    ['dr_done', 'finished'],
  ] as const)
    await control.ctx.database
      .insert(drills)
      .values({ id, pipelineId: 'flights', state, forMs: 500, startedBy: 'ada', stalledAt: new Date() });
  expect((await start()).statusCode).toBe(409);
  await closeInterruptedDrills(control.ctx);
  expect(await read('dr_left')).toMatchObject({ state: 'failed', recoveredAt: null });
  expect((await read('dr_left')).detail).toContain('The api ended in the middle of the drill');
  expect(await read('dr_done')).toMatchObject({ state: 'finished', detail: null });
  expect((await start()).statusCode).toBe(202);
  await until(() => asked.length === 1, 5_000, 'the stall');
  asked[0]?.letGo();
});

test('a control database that is away for a while neither holds the lock for longer nor loses the report', async () => {
  const { id } = (await start()).json();
  await until(() => asked.length === 1, 5_000, 'the stall');
  asked[0]?.stalled();
  await untilReport(id, ({ stalledAt }) => stalledAt !== null);
  await database.kill();
  asked[0]?.letGo();
  await database.start();
  await applierSays(0, 0);
  expect(await untilReport(id, ({ state }) => state === 'finished')).toMatchObject({
    releasedAt: expect.any(String),
  });
});
