/** Price books and the meter over REST: who may, what is refused and where, and what is answered. */
import { pricePresets } from '@spillway/shared/cost/presets';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { meterBook } from '../../src/control-plane/cost/meter-book.ts';
import { recordUsage } from '../../src/control-plane/cost/record-usage.ts';
import { backfills, metered } from '../../src/control-plane/database/schema.ts';
import { adminToken, type ControlApp, seedPipeline, startControlApp } from '../fixtures/control-app.ts';
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

import { quotedPipeline } from '../fixtures/quoted-pipeline.ts';

const URL = '/v1/pipelines/flights';
const example = pricePresets['example-cloud'];

async function patch(token: string, priceBook: unknown) {
  const { headers } = await control.ask(adminToken, 'GET', URL);
  return control.ask(token, 'PATCH', URL, {
    body: { priceBook },
    headers: { 'if-match': String(headers['etag']) },
  });
}

test('a pipeline without a price book says so, and has no cost', async () => {
  expect((await control.ask(adminToken, 'GET', URL)).json().priceBook).toBeNull();
  const answer = await control.ask(adminToken, 'GET', `${URL}/cost`);
  expect(answer.statusCode).toBe(404);
  expect(answer.json().detail).toContain('no price book');
});

test('only admins write prices', async () => {
  expect((await patch(await control.tokenFor('operator'), example)).statusCode).toBe(403);
});

test('what makes no sense is refused, each fault where it is', async () => {
  const answer = await patch(adminToken, {
    ...example,
    currency: 'XXQ',
    prices: { ...example.prices, walPerGib: '-0.2', computePerCoreHour: '10001' },
    provisioned: { ...example.provisioned, cores: -1 },
  });
  expect(answer.json()).toMatchObject({ code: 'invalid_request' });
  expect(answer.json().errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
    '/priceBook/currency',
    '/priceBook/prices/computePerCoreHour',
    '/priceBook/prices/walPerGib',
    '/priceBook/provisioned/cores',
  ]);
  expect((await control.ask(adminToken, 'GET', URL)).json().priceBook).toBeNull();
});

test('each change is a version; an example is one until a figure is changed', async () => {
  const first = (await patch(adminToken, example)).json().priceBook;
  expect(first).toMatchObject({ version: 1, exampleOf: '2026-11-01', title: example.title });
  const own = { ...example, title: 'Ours', prices: { ...example.prices, walPerGib: '0.3' } };
  expect((await patch(adminToken, own)).json().priceBook).toMatchObject({ version: 2, exampleOf: null });
  const cost = (await control.ask(adminToken, 'GET', `${URL}/cost`)).json();
  expect(cost).toMatchObject({ priceBookVersion: 2, currency: 'USD', live: null, backfills: [] });
});

describe('the currency', () => {
  const inEuros = async ({ id }: { id: string }) => {
    const { headers } = await control.ask(adminToken, 'GET', `/v1/pipelines/${id}`);
    return control.ask(adminToken, 'PATCH', `/v1/pipelines/${id}`, {
      body: { priceBook: { ...example, title: 'Ours', currency: 'EUR' } },
      headers: { 'if-match': String(headers['etag']) },
    });
  };
  const refused = (why: RegExp) => ({
    status: 409,
    code: 'currency_in_use',
    detail: expect.stringMatching(why),
    errors: [{ pointer: '/priceBook/currency' }],
  });
  const live = (id: string, rows: string) =>
    recordUsage(control.ctx, {
      apply: null,
      usage: [
        {
          pipelineId: id,
          series: `us_${id}`,
          sequence: 1,
          ageMs: 250,
          arrived: false,
          own: [{ backfillId: null, use: { rowsAttempted: rows } }],
          shared: {},
        },
      ],
    });

  test('may change while nothing has been metered, and what is metered then is in it', async () => {
    const made = await quotedPipeline(control);
    expect((await inEuros(made)).json().priceBook).toMatchObject({ version: 2, currency: 'EUR' });
    await live(made.id, '4000000');
    const cost = (await control.ask(adminToken, 'GET', `/v1/pipelines/${made.id}/cost`)).json();
    expect(cost).toMatchObject({ currency: 'EUR', live: { total: { amount: '1.00', currency: 'EUR' } } });
  });

  test('not once live has been metered', async () => {
    const made = await quotedPipeline(control);
    await live(made.id, '1');
    expect((await inEuros(made)).json()).toMatchObject(refused(/^Live has been metered in USD,/));
    expect((await control.ask(adminToken, 'GET', `/v1/pipelines/${made.id}`)).json().priceBook.currency).toBe(
      'USD',
    );
  });

  test('a refused change leaves no trace, also in an api that had not looked at the meter yet', async () => {
    const made = await quotedPipeline(control);
    await live(made.id, '4000000');
    const cost = async () => (await control.ask(adminToken, 'GET', `/v1/pipelines/${made.id}/cost`)).json();
    const before = await cost();
    meterBook(control.ctx).forget(made.id);
    expect((await inEuros(made)).json()).toMatchObject(refused(/^Live has been metered in USD,/));
    const { live: after, ...rest } = await cost();
    expect(rest).toMatchObject({ currency: 'USD', priceBookVersion: 1 });
    expect(after.total).toEqual(before.live.total);
  });

  test('nor while a backfill goes on at its prices, or once one has been metered', async () => {
    const made = await quotedPipeline(control);
    const { id } = (await control.ask(adminToken, 'POST', '/v1/backfills', { body: made.body })).json();
    expect((await inEuros(made)).json()).toMatchObject(refused(new RegExp(`^Backfill ${id} is under way`)));
    await control.ctx.database.insert(metered).values({ backfillId: id, usage: '{}' });
    await control.ctx.database
      .update(backfills)
      .set({ state: 'cancelled', endedAt: new Date() })
      .where(eq(backfills.id, id));
    expect((await inEuros(made)).json()).toMatchObject(
      refused(new RegExp(`^Backfill ${id} has been metered`)),
    );
    await control.ctx.database.delete(metered).where(eq(metered.backfillId, id));
    expect((await inEuros(made)).json().priceBook).toMatchObject({ currency: 'EUR' });
  });
});

test.each([
  ['below nothing', { amount: '-1', currency: 'USD' }, '/amount'],
  ['in another currency', { amount: '5', currency: 'EUR' }, '/currency'],
  ['in no currency', { amount: '5', currency: 'ZZZ' }, '/currency'],
])('a budget %s is refused, at a start and later', async (_what, budget, pointer) => {
  await patch(adminToken, { ...example, title: 'Again' });
  const window = { from: '2001-01-01T00:00:00Z', to: '2001-01-02T00:00:00Z' };
  const start = (limits: object) =>
    control.ask(adminToken, 'POST', '/v1/backfills', { body: { pipelineId: 'flights', window, limits } });
  const refused = await start({ budget });
  expect(refused.json()).toMatchObject({
    status: 400,
    code: 'invalid_request',
    errors: [{ pointer: `/limits/budget${pointer}` }],
  });
  const started = await start({ budget: { amount: '5', currency: 'USD' } });
  expect(started.statusCode, started.body).toBe(201);
  const throttled = await control.ask(adminToken, 'PATCH', `/v1/backfills/${started.json().id}/limits`, {
    body: { budget },
    headers: { 'if-match': String(started.headers['etag'] ?? `"${started.json().revision}"`) },
  });
  expect(throttled.json()).toMatchObject({
    status: 400,
    code: 'invalid_request',
    errors: [{ pointer: `/budget${pointer}` }],
  });
});
