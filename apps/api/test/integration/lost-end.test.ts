/** A stream that has lost its end (its server failed over, say): what was published there and is gone is published again. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pauseBackfill } from '../../src/control-plane/backfill/pause.ts';
import { readBackfill } from '../../src/control-plane/backfill/queries.ts';
import { resumeBackfill } from '../../src/control-plane/backfill/resume.ts';
import { retryBackfill } from '../../src/control-plane/backfill/retry.ts';
import { listSubwindows, retrySubwindow } from '../../src/control-plane/backfill/subwindow-queries.ts';
import { claimLeases } from '../../src/control-plane/workers/claim.ts';
import { completeLease } from '../../src/control-plane/workers/complete.ts';
import { type Core, openCore, operator } from '../fixtures/control-core.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { FORGET_BACKFILLS } from '../fixtures/forget-backfills.ts';
import { lostEndRecipe } from '../fixtures/lost-end-recipe.ts';
import { emptyStream } from '../fixtures/ticks.ts';

let database: ControlDatabase;
let core: Core;
let reader: string;
let applier: string;

beforeAll(async () => {
  database = await startControlDatabase();
});
afterAll(() => database.end());
beforeEach(async () => {
  core = await openCore(database.url, { sourceIds: ['us'] });
  reader = await core.join();
  applier = await core.join('apply');
  return async () => {
    await core.ctx.database.execute(FORGET_BACKFILLS);
    await core.close();
  };
});

const read = (id: string) => readBackfill(core.ctx, operator, id);

const claim = async () => {
  await core.pass(2);
  return (await claimLeases(core.ctx, reader, { max: 8 })).leases;
};

/** Rows of the window that are no events: each reading from its beginning meets them. */
const QUARANTINED = 3;

async function publish(offset: string): Promise<void> {
  const [lease] = await claim();
  if (lease === undefined) throw new Error('no lease');
  expect(lease.cursor).toBeNull();
  await completeLease(core.ctx, lease.id, {
    fencingToken: lease.fencingToken,
    read: 400,
    published: 400,
    quarantined: lease.quarantined + QUARANTINED,
    markers: [{ partition: 0, offset }],
    verification: null,
  });
}

/** The applier's next report, so long after the last. */
async function report(
  afterMs: number,
  position: string | null,
  told: { readonly lastOffset?: string | null },
) {
  core.forward(afterMs);
  await core.tick(reader);
  await core.tick(applier, [], {
    streams: [emptyStream(`${core.pipelineId}-replay`, { position, ...told })],
  });
}

/** Reports of the applier for so long, one in a second, and what they really take besides: a second before the ten is no loss yet. */
async function tell(seconds: number, position: string | null, lastOffset?: string | null): Promise<void> {
  const told = lastOffset === undefined ? {} : { lastOffset };
  for (let second = 0; second < seconds; second++) await report(1_000, position, told);
}

const retry = (id: string) =>
  core.run((work) => retryBackfill(core.ctx, work, operator, id, { reason: 'the server is back' }));

describe('a marker that the stream does not reach', () => {
  test.for([
    ['the end is before it', '0004'],
    ['there is nothing at all', null],
  ] as const)(
    'is lost after ten seconds: its backfill fails, and a retry publishes it again (%s)',
    async ([, end]) => {
      const { id } = await core.start();
      await publish('0005');
      await tell(9, null, end);
      expect(await read(id)).toMatchObject({ state: 'running', failure: null });
      await tell(2, null, end);
      expect(await read(id)).toMatchObject({
        state: 'failed',
        failure: { code: 'gap', detail: expect.stringContaining('the stream ends before 0005') },
      });
      await retry(id);
      await publish('0006');
      await tell(1, '0006', '0006');
      expect(await read(id)).toMatchObject({
        state: 'verifying',
        progress: { eventsQuarantined: QUARANTINED },
      });
    },
  );

  test('counts once: what of the lost runs had been applied is done again, what others had is done', async () => {
    const { id } = await core.start({
      window: { from: '2001-01-01T00:00:00Z', to: '2001-01-01T08:00:00Z' },
      limits: { eventsPerSecond: 200, concurrency: 1 },
    });
    const count = async () => {
      const { eventsDone, eventsExpected, eventsPublished, percent } = (await read(id)).progress;
      return { eventsDone, eventsExpected, eventsPublished, percent };
    };
    const apply = (position: string, applied: number) =>
      core.tick(applier, [], {
        streams: [emptyStream(`${core.pipelineId}-replay`, { position })],
        counters: [{ backfillId: id, applied, duplicate: 0, quarantined: 0 }],
      });
    await publish('0001');
    await publish('0005');
    await apply('0001', 550);
    expect(await count()).toMatchObject({ eventsDone: 550, eventsPublished: 800 });
    await tell(11, '0001', '0004');
    expect((await read(id)).state).toBe('failed');
    await retry(id);
    expect(await count()).toEqual({
      eventsDone: 400,
      eventsExpected: 800,
      eventsPublished: 800,
      percent: 50,
    });
    await publish('0006');
    await apply('0006', 950);
    expect(await count()).toEqual({
      eventsDone: 800,
      eventsExpected: 800,
      eventsPublished: 1_200,
      percent: 100,
    });
  });

  test('of several subwindows is retried with the backfill, not one by one: nothing goes on beside a failed one', async () => {
    const { id } = await core.start({ limits: { eventsPerSecond: 100, concurrency: 1 } });
    await publish('0004');
    await publish('0005');
    await tell(11, null, '0003');
    const runs = (await listSubwindows(core.ctx, id, { state: 'failed' })).items;
    expect(runs).toMatchObject([{ failure: { code: 'gap' } }, { failure: { code: 'gap' } }]);
    const retryOne = (runId: string) =>
      core.run((work) => retrySubwindow(core.ctx, work, operator, id, runId));
    await expect(retryOne(runs[0]?.id ?? '')).rejects.toMatchObject({
      code: 'several_failed',
      message: expect.stringContaining('2 runs'),
      errors: [{ pointer: 'runId', detail: expect.stringContaining('retry the backfill') }],
    });
    await expect(retryOne('ls_none')).rejects.toMatchObject({ code: 'not_found' });
    expect((await read(id)).state).toBe('failed');
    await retry(id);
    await publish('0006');
    await tell(1, '0006', '0006');
    // One that has failed alone is tried by itself.
    await publish('0007');
    await tell(11, '0006', '0006');
    const [lost] = (await listSubwindows(core.ctx, id, { state: 'failed' })).items;
    await retryOne(lost?.id ?? '');
    await publish('0008');
    await tell(1, '0008', '0008');
    expect((await read(id)).state).toBe('verifying');
  });

  test('may only be younger than the report, or the report of a worker that does not tell', async () => {
    const { id } = await core.start();
    await publish('0005');
    await tell(9, '0003', '0004');
    await tell(1, '0003', '0005');
    await tell(9, '0003', '0004');
    await tell(30, '0003');
    expect((await read(id)).state).toBe('running');
    await tell(1, '0005', '0005');
    expect((await read(id)).state).toBe('verifying');
  });

  test('is none by two reports of a worker that stood still between them', async () => {
    const { id } = await core.start();
    await publish('0005');
    await tell(1, '0003', '0004');
    // What the worker has applied is told at once, where the stream ends as it was seen before.
    await report(12_000, '0004', { lastOffset: '0003' });
    expect((await read(id)).state).toBe('running');
    await tell(1, '0005', '0005');
    expect((await read(id)).state).toBe('verifying');
  });

  test('is lost without the position where that was only told sooner than the end', async () => {
    const { id } = await core.start();
    await publish('0009');
    await tell(9, '0004', '0004');
    await tell(2, '0005', '0004');
    const { failure } = await read(id);
    expect(failure?.detail).toContain('has to be published again');
    expect(failure?.detail).not.toContain('A stream that has lost its end');
  });

  test.for([
    ['is held', true],
    ['is under way', false],
  ] as const)('makes what %s on the same stream begin anew, too', async ([, isHeld]) => {
    const beside = await core.start();
    const [lease] = await claim();
    if (lease === undefined) throw new Error('no lease');
    const attempt = { lease, read: 100, published: 90, quarantined: 10, cursor: 'c1' };
    await core.tick(reader, [attempt]);
    if (isHeld) {
      await core.run((work) => pauseBackfill(core.ctx, work, operator, beside.id, { reason: 'a moment' }));
      await core.tick(reader, [{ ...attempt, stopped: true }]);
    }
    const { id } = await core.start({ window: { from: '2001-02-01T00:00:00Z', to: '2001-02-01T04:00:00Z' } });
    await publish('0005');
    await tell(11, null, '0004');
    expect((await read(id)).state).toBe('failed');
    expect((await read(beside.id)).state).toBe(isHeld ? 'paused' : 'failed');
    const { leases } = await core.tick(reader, [{ ...attempt, cursor: 'c2' }]);
    expect(leases).toMatchObject([{ verdict: 'stale_fencing_token' }]);
    if (isHeld) await core.run((work) => resumeBackfill(core.ctx, work, operator, beside.id));
    await core.pass();
    expect((await read(beside.id)).state).toBe('failed');
    await retry(beside.id);
    expect(await claim()).toMatchObject([
      { backfillId: beside.id, id: lease.id, cursor: null, read: 0, published: 0, quarantined: 0 },
    ]);
  });

  test('takes what was published before it along, and what was published since: there may be a hole in either', async () => {
    const { id } = await core.start({ window: { from: '2001-01-01T00:00:00Z', to: '2001-01-01T08:00:00Z' } });
    await publish('0009');
    await tell(5, null, '0004');
    const later = await core.start({ window: { from: '2001-02-01T00:00:00Z', to: '2001-02-01T04:00:00Z' } });
    await publish('0006');
    await tell(6, null, '0006');
    expect((await read(id)).state).toBe('failed');
    expect((await read(later.id)).state).toBe('failed');
  });

  test('and no position that it does not reach, either: what is being published there would be passed unapplied', async () => {
    const { id } = await core.start();
    const [lease] = await claim();
    if (lease === undefined) throw new Error('no lease');
    const attempt = { lease, read: 100, published: 90, quarantined: 0, cursor: 'c1' };
    await core.tick(reader, [attempt]);
    core.pushed(reader);
    await tell(9, '0007', '0004');
    expect((await read(id)).state).toBe('running');
    await tell(2, '0007', '0004');
    expect(await read(id)).toMatchObject({
      state: 'failed',
      failure: { code: 'gap', detail: expect.stringContaining('A stream that has lost its end') },
    });
    expect(core.pushed(reader)).toContainEqual({ type: 'stop', leaseIds: [lease.id], why: 'revoked' });
    // Nothing is being published there now.
    await tell(30, '0007', '0004');
  });

  test('where the applier stands says what helps it: what is published would be passed before it is applied', async () => {
    const { id } = await core.start();
    await publish('0009');
    await tell(11, '0007', '0004');
    expect(await read(id)).toMatchObject({
      state: 'failed',
      failure: { code: 'gap', detail: expect.stringContaining('A stream that has lost its end') },
    });
    await retry(id);
    expect(await claim()).toMatchObject([{ kind: 'replay', cursor: null }]);
  });
});

const followRecipe = async () => {
  for (const statement of lostEndRecipe(`${core.pipelineId}-replay`).control.split(';'))
    if (statement.trim() !== '') await core.ctx.database.execute(statement);
};

test('after the recipe of docs/operations.md what is published and not done is read again, and is done when it is applied', async () => {
  const { id } = await core.start();
  await publish('0009');
  await tell(1, '0007', '0010');
  // The stream has lost its end, others have appended again: nothing of this is seen from here.
  await followRecipe();
  await publish('0006');
  await tell(1, '0005', '0006');
  expect((await read(id)).state).toBe('running');
  await tell(1, '0006', '0006');
  expect(await read(id)).toMatchObject({ state: 'verifying', progress: { eventsQuarantined: QUARANTINED } });
});

test('the recipe begins anew what was leased when the api went down with all the rest', async () => {
  await core.start();
  const [lease] = await claim();
  if (lease === undefined) throw new Error('no lease');
  const attempt = { lease, read: 100, published: 90, quarantined: 10, cursor: 'c1' };
  await core.tick(reader, [attempt]);
  await followRecipe();
  expect(await claim()).toMatchObject([
    { id: lease.id, cursor: null, read: 0, published: 0, quarantined: 0 },
  ]);
  const { leases } = await core.tick(reader, [attempt]);
  expect(leases).toMatchObject([{ verdict: 'stale_fencing_token' }]);
});
