/** Claims, ticks and completions: what they cost, and that nothing is handed out twice. */

import { eq } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readBackfill } from '../../src/control-plane/backfill/queries.ts';
import { listSubwindows, subwindowBins } from '../../src/control-plane/backfill/subwindow-queries.ts';
import { backfills, runs } from '../../src/control-plane/database/schema.ts';
import { governorMemory } from '../../src/control-plane/governor/memory.ts';
import { claimLeases } from '../../src/control-plane/workers/claim.ts';
import { completeLease } from '../../src/control-plane/workers/complete.ts';
import { leave } from '../../src/control-plane/workers/leaving.ts';
import { listWorkers, promoteStandbys } from '../../src/control-plane/workers/membership.ts';
import { appliedUpTo, type Core, iso, midnight, openCore, operator } from '../fixtures/control-core.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { FORGET_BACKFILLS } from '../fixtures/forget-backfills.ts';

const DAY_MS = 86_400_000;
let database: ControlDatabase;
let core: Core;

beforeAll(async () => {
  database = await startControlDatabase();
});
afterAll(() => database.end());
beforeEach(async () => {
  core = await openCore(database.url);
});
afterEach(async () => {
  // The next case's governor would otherwise go on with what this one left.
  await core.ctx.database.execute(FORGET_BACKFILLS);
  await core.close();
});

const sixMonths = { from: iso(midnight), to: iso(midnight + 181 * DAY_MS) };
const year = { from: iso(midnight), to: iso(midnight + 365 * DAY_MS) };

test('1,563,840 subwindows of ten seconds are accepted in 200 ms', async () => {
  await core.start({ window: sixMonths, subwindow: 'PT1H' });
  const durationsMs: number[] = [];
  for (let i = 0; i < 5; i++) {
    const beganMs = performance.now();
    const backfill = await core.start({
      window: sixMonths,
      subwindow: 'PT10S',
      sourceIds: [`${core.pipelineId}-east`],
    });
    durationsMs.push(performance.now() - beganMs);
    expect(backfill.progress.subwindowsTotal).toBe(1_563_840);
  }
  expect(durationsMs.toSorted((a, b) => a - b)[2]).toBeLessThan(200);
});

describe('claims', () => {
  test('two workers claiming at the same time never get the same subwindow, nor leave one out', async () => {
    await core.start({ window: year, subwindow: 'PT10S', limits: { concurrency: 16 } });
    const workers = [await core.join(), await core.join()] as const;
    await core.pass();
    const taken: { sourceId: string; from: number; to: number }[] = [];
    for (let round = 0; round < 12; round++) {
      const claims = await Promise.all(
        [...workers, ...workers].map((worker) => claimLeases(core.ctx, worker, { max: 4 })),
      );
      const leases = claims.flatMap((claim) => claim.leases);
      expect(leases.length).toBe(16);
      taken.push(...leases);
      await Promise.all(
        leases.map((lease) => {
          const markers = [{ partition: 0, offset: '1' }];
          return completeLease(core.ctx, lease.id, {
            fencingToken: lease.fencingToken,
            read: 1,
            published: 1,
            quarantined: 0,
            markers,
            verification: null,
          });
        }),
      );
    }
    for (const [, lane] of Map.groupBy(taken, (lease) => lease.sourceId)) {
      const ordered = lane.toSorted((a, b) => a.from - b.from);
      expect(ordered[0]?.from).toBe(midnight);
      for (const [index, lease] of ordered.slice(1).entries()) expect(lease.from).toBe(ordered[index]?.to);
    }
  });

  test('done runs melt together: a lane keeps a handful of rows', async () => {
    const { id } = await core.start({ window: sixMonths, subwindow: 'PT10S', limits: { concurrency: 4 } });
    const [worker, applier] = [await core.join(), await core.join('apply')];
    await core.pass();
    for (let round = 1; round <= 10; round++) {
      for (const lease of (await claimLeases(core.ctx, worker, { max: 4 })).leases) {
        const markers = [{ partition: 0, offset: `${round}`.padStart(4, '0') }];
        await completeLease(core.ctx, lease.id, {
          fencingToken: lease.fencingToken,
          read: 5,
          published: 5,
          quarantined: 0,
          markers,
          verification: null,
        });
      }
      await core.tick(applier, [], appliedUpTo(core, `${round}`.padStart(4, '0')));
    }
    const { items } = await listSubwindows(core.ctx, id, {});
    expect(items.map((run) => run.state)).toEqual(['done', 'pending', 'done', 'pending']);
    expect(items.reduce((sum, run) => sum + run.eventsPublished, 0)).toBe(200);
    const { progress } = await readBackfill(core.ctx, operator, id);
    expect(progress.subwindowsDone).toBe(
      items.filter((run) => run.state === 'done').reduce((sum, run) => sum + run.subwindows, 0),
    );
    const { lanes } = await subwindowBins(core.ctx, id, 100);
    expect(lanes[0]?.done[0]).toBeGreaterThan(0);
    expect(lanes[0]?.done[99]).toBe(0);
    expect((await listWorkers(core.ctx, { limit: 1 })).nextCursor).not.toBeNull();
  });
});

test('a worker that replaces one seen to end has its leases at once; nobody else’s are touched', async () => {
  await core.start({ window: year, limits: { concurrency: 4 } });
  const [dead, other] = [await core.join('replay', { pid: 7 }), await core.join('replay', { pid: 8 })];
  await core.pass();
  const lost = (await claimLeases(core.ctx, dead, { max: 2 })).leases;
  const kept = (await claimLeases(core.ctx, other, { max: 2 })).leases;
  expect([lost.length, kept.length]).toEqual([2, 2]);

  const unrelated = await core.join('replay', { pid: 9 });
  expect((await claimLeases(core.ctx, unrelated, { max: 4 })).leases).toEqual([]);

  const successor = await core.join('replay', { pid: 10, replaces: { pids: [7], endedForMs: 0 } });
  const taken = (await claimLeases(core.ctx, successor, { max: 4 })).leases;
  expect(taken.map(({ id }) => id).toSorted()).toEqual(lost.map(({ id }) => id).toSorted());
  for (const lease of taken)
    expect(lease.fencingToken).toBeGreaterThan(Math.max(...lost.map(({ fencingToken }) => fencingToken)));
  await expect(core.tick(dead)).rejects.toMatchObject({ code: 'not_found' });
  const { leases } = await core.tick(other, [{ lease: kept[0] as (typeof kept)[0], read: 1 }]);
  expect(leases[0]).toMatchObject({ leaseId: kept[0]?.id });
});

describe('a worker that leaves', () => {
  test('has nothing left, is listed no more, and is not known when it comes late', async () => {
    await core.start({ window: year, limits: { concurrency: 4 } });
    const [leaving, other] = [await core.join(), await core.join()];
    await core.pass();
    const held = (await claimLeases(core.ctx, leaving, { max: 4 })).leases;
    expect(held).toHaveLength(4);
    expect((await claimLeases(core.ctx, other, { max: 4 })).leases).toEqual([]);

    await leave(core.ctx, leaving);
    const taken = (await claimLeases(core.ctx, other, { max: 4 })).leases;
    expect(taken.map(({ id }) => id).toSorted()).toEqual(held.map(({ id }) => id).toSorted());
    expect(Math.min(...taken.map(({ fencingToken }) => fencingToken))).toBeGreaterThan(
      Math.max(...held.map(({ fencingToken }) => fencingToken)),
    );
    const { grants } = governorMemory(core.ctx);
    expect(taken.map(({ id }) => grants.workerOf(id))).toEqual(taken.map(() => other));

    const late = held.map((lease) => ({ lease, read: 1, published: 1 }));
    await expect(core.tick(leaving, late)).rejects.toMatchObject({ code: 'not_found' });
    await expect(claimLeases(core.ctx, leaving, { max: 1 })).rejects.toMatchObject({ code: 'not_found' });
    // Nor by an api that knows it from before.
    governorMemory(core.ctx).members.clear();
    await expect(core.tick(leaving, late)).rejects.toMatchObject({ code: 'not_found' });
    const kept = await core.tick(
      other,
      taken.map((lease) => ({ lease, read: 1 })),
    );
    expect(kept.leases.map(({ verdict }) => verdict)).toEqual(taken.map(() => 'renewed'));

    const ids = async () => (await listWorkers(core.ctx, { limit: 200 })).items.map(({ id }) => id);
    expect(await ids()).toContain(other);
    expect(await ids()).not.toContain(leaving);
    await leave(core.ctx, leaving);
    await leave(core.ctx, 'replay-never-joined');
    expect(await ids()).toContain(other);
  });

  test('while it claims holds nothing, whichever comes first', async () => {
    await core.start({ window: year, subwindow: 'PT1H', limits: { concurrency: 4 } });
    await core.join();
    await core.pass();
    const ends = { refused: 0, taken: 0 };
    for (let round = 0; round < 20; round++) {
      const worker = await core.join();
      const claim = () =>
        claimLeases(core.ctx, worker, { max: 4 }).then(
          ({ leases }) => {
            expect(leases).toHaveLength(4);
            ends.taken += 1;
          },
          (error: { code?: string }) => {
            expect(error.code).toBe('not_found');
            ends.refused += 1;
          },
        );
      const leaving = async () => {
        if (round % 2 === 0) await core.ctx.database.execute('select 1');
        await leave(core.ctx, worker);
      };
      await Promise.all([claim(), leaving()]);
      const left = await core.ctx.database.select().from(runs).where(eq(runs.workerId, worker));
      expect(left).toEqual([]);
    }
    expect(Math.min(ends.refused, ends.taken)).toBeGreaterThan(0);
  });

  test('is followed at once by the one that stands by', async () => {
    const [first, second] = [await core.join('apply'), await core.join('apply')];
    expect((await core.tick(second)).lanes).toEqual([]);
    await leave(core.ctx, first);
    await promoteStandbys(core.ctx);
    expect((await core.tick(second)).lanes).toEqual(['live', 'replay']);
  });
});

test('one that ended before it had joined passes on what its predecessor held', async () => {
  await core.start({ window: year, limits: { concurrency: 4 } });
  const dead = await core.join('replay', { pid: 7 });
  await core.pass();
  const lost = (await claimLeases(core.ctx, dead, { max: 4 })).leases;
  expect(lost).toHaveLength(4);
  // Process 8 was started in place of 7, and never heard of here.
  const successor = await core.join('replay', { pid: 9, replaces: { pids: [7, 8], endedForMs: 0 } });
  const taken = (await claimLeases(core.ctx, successor, { max: 4 })).leases;
  expect(taken.map(({ id }) => id).toSorted()).toEqual(lost.map(({ id }) => id).toSorted());
});

test('a process of the same number that has been heard since is not the one that ended', async () => {
  await core.start({ window: year, limits: { concurrency: 4 } });
  const alive = await core.join('replay', { pid: 7 });
  await core.pass();
  const { leases } = await claimLeases(core.ctx, alive, { max: 4 });
  const successor = await core.join('replay', { pid: 10, replaces: { pids: [7], endedForMs: 3_600_000 } });
  expect((await claimLeases(core.ctx, successor, { max: 4 })).leases).toEqual([]);
  const answer = await core.tick(
    alive,
    leases.map((lease) => ({ lease, read: 1 })),
  );
  expect(answer.leases.map(({ verdict }) => verdict)).toEqual(leases.map(() => 'renewed'));
});

test('for an applier seen to end whoever stands by goes on at once, else the one that replaces it', async () => {
  const standbyOf = async (workerId: string) => (await core.tick(workerId)).standby;
  const first = await core.join('apply', { pid: 7 });
  expect(await standbyOf(first)).toBe(false);
  const second = await core.join('apply', { pid: 8, replaces: { pids: [7], endedForMs: 0 } });
  expect(await standbyOf(second)).toBe(false);
  const third = await core.join('apply', { pid: 9 });
  expect(await standbyOf(third)).toBe(true);
  const fourth = await core.join('apply', { pid: 10, replaces: { pids: [8], endedForMs: 0 } });
  expect([await standbyOf(third), await standbyOf(fourth)]).toEqual([false, true]);
});

test('of two appliers one applies live and the other replay, where the store commits side by side', async () => {
  const lanesOf = async (workerId: string, apply?: Parameters<Core['tick']>[2]) =>
    (await core.tick(workerId, [], apply)).lanes;
  const [first, second] = [await core.join('apply', { pid: 7 }), await core.join('apply', { pid: 8 })];
  // Nobody has asked the store yet.
  expect(await lanesOf(first)).toEqual(['live', 'replay']);
  expect(await lanesOf(second)).toEqual([]);
  await lanesOf(first, { lanes: ['live', 'replay'], commitsSideBySide: true });
  expect(await promoteStandbys(core.ctx)).toEqual(expect.arrayContaining([first, second]));
  expect(await lanesOf(first)).toEqual(['live']);
  expect(await lanesOf(second)).toEqual(['replay']);
  expect(await promoteStandbys(core.ctx)).toEqual([]);

  // The one that applies live falls silent: the other takes both, and gives replay away when it is back.
  core.forward(2_000);
  await lanesOf(second, { lanes: ['replay'], commitsSideBySide: true });
  expect(await promoteStandbys(core.ctx)).toEqual([second]);
  expect(await lanesOf(second)).toEqual(['live', 'replay']);
  expect(await lanesOf(first)).toEqual([]);
  await promoteStandbys(core.ctx);
  expect(await lanesOf(first)).toEqual(['replay']);
  expect(await lanesOf(second)).toEqual(['live']);
  const { items } = await listWorkers(core.ctx, {});
  expect(items.map(({ id, state, lanes }) => ({ id, state, lanes }))).toEqual(
    expect.arrayContaining([
      { id: first, state: 'working', lanes: ['replay'] },
      { id: second, state: 'working', lanes: ['live'] },
    ]),
  );
});

test('appliers that a restarted api hears again go on with what they apply', async () => {
  const [first, second] = [await core.join('apply', { pid: 7 }), await core.join('apply', { pid: 8 })];
  await core.tick(first, [], { lanes: ['live', 'replay'], commitsSideBySide: true });
  await promoteStandbys(core.ctx);
  governorMemory(core.ctx).members.clear();
  const replay = await core.tick(first, [], { lanes: ['replay'], commitsSideBySide: true });
  const live = await core.tick(second, [], { lanes: ['live'], commitsSideBySide: true, freshnessMsP99: 7 });
  await promoteStandbys(core.ctx);
  expect([replay.lanes, live.lanes]).toEqual([['replay'], ['live']]);
  expect(await core.tick(first)).toMatchObject({ lanes: ['replay'], liveFreshnessMsP99: 7 });
  expect(await core.tick(second)).not.toHaveProperty('liveFreshnessMsP99');
});

test('what the hot calls cost on the embedded database', async () => {
  const { id } = await core.start({ window: year, subwindow: 'PT1H', limits: { concurrency: 4 } });
  const [worker, applier] = [await core.join(), await core.join('apply')];
  await core.pass();
  const spentMs: Record<'claim' | 'tick' | 'complete' | 'applied' | 'pass', number[]> = {
    claim: [],
    tick: [],
    complete: [],
    applied: [],
    pass: [],
  };
  const timed = async <T>(what: keyof typeof spentMs, run: () => Promise<T>): Promise<T> => {
    const beganMs = performance.now();
    const result = await run();
    spentMs[what].push(performance.now() - beganMs);
    return result;
  };
  for (let round = 1; round <= 25; round++) {
    const offset = `${round}`.padStart(4, '0');
    const { leases } = await timed('claim', () => claimLeases(core.ctx, worker, { max: 4 }));
    expect(leases).toHaveLength(4);
    for (let beat = 1; beat <= 2; beat++)
      await timed('tick', () =>
        core.tick(
          worker,
          leases.map((lease) => ({ lease, read: beat, published: beat, cursor: `${beat}` })),
        ),
      );
    for (const lease of leases) {
      const markers = [{ partition: 0, offset }];
      await timed('complete', () =>
        completeLease(core.ctx, lease.id, {
          fencingToken: lease.fencingToken,
          read: 5,
          published: 5,
          quarantined: 0,
          markers,
          verification: null,
        }),
      );
    }
    await timed('applied', () =>
      core.tick(
        applier,
        [],
        appliedUpTo(core, offset, [{ backfillId: id, applied: round * 20, duplicate: 0, quarantined: 0 }]),
      ),
    );
    await timed('pass', () => core.pass());
  }
  const median = Object.fromEntries(
    Object.entries(spentMs).map(([what, all]) => [
      what,
      Number(all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)]?.toFixed(1)),
    ]),
  );
  console.info('median ms', JSON.stringify(median));
  // A generous bound for a busy machine: a second of full speed needs four of each.
  for (const ms of Object.values(median)) expect(ms).toBeLessThan(100);
});

test("a backfill's peak of the stream is the highest that any of its attempts has told", async () => {
  const { id } = await core.start({ window: year, limits: { concurrency: 2 } });
  const worker = await core.join();
  await core.pass();
  const { leases } = await claimLeases(core.ctx, worker, { max: 2 });
  const [one, other] = leases as [(typeof leases)[0], (typeof leases)[0]];
  const peak = async () => {
    const [row] = await core.ctx.database.select().from(backfills).where(eq(backfills.id, id));
    return row?.streamPeak;
  };
  const tick = (streamPeak: number, published: number) =>
    core.tick(worker, [
      { lease: one, published, streamPeak },
      { lease: other, published, streamPeak: streamPeak - 100 },
    ]);
  expect(await peak()).toBe(0);
  await tick(700, 10);
  expect(await peak()).toBe(700);
  await tick(500, 20);
  expect(await peak()).toBe(700);
  await completeLease(core.ctx, one.id, {
    ...{ fencingToken: one.fencingToken, read: 30, published: 30, quarantined: 0, streamPeak: 900 },
    ...{ markers: [{ partition: 0, offset: '0001' }], verification: null },
  });
  expect(await peak()).toBe(900);
});
