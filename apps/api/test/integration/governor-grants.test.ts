/** The loop on hand-fed reports, in virtual time: who is granted what, and who is told. */
import type { Effective } from '@spillway/shared/api/backfill';
import { grantValidMs } from '@spillway/shared/api/worker-protocol';
import { eq, sql } from 'drizzle-orm';
import { describe, expect, test, vi } from 'vitest';
import { readBackfill, readLedger, readReceipt } from '../../src/control-plane/backfill/queries.ts';
import { throttleBackfill } from '../../src/control-plane/backfill/throttle.ts';
import { backfills, ledgerMarks, pipelines } from '../../src/control-plane/database/schema.ts';
import { Ledger } from '../../src/control-plane/governor/ledger.ts';
import { startGovernor } from '../../src/control-plane/governor/loop.ts';
import { governorMemory } from '../../src/control-plane/governor/memory.ts';
import { governorPass } from '../../src/control-plane/governor/pass.ts';
import { operator } from '../fixtures/control-core.ts';
import {
  ceiling,
  effectiveOf,
  governedPipelines,
  open,
  openBare,
  replaying,
  type Sight,
} from '../fixtures/governed-pipeline.ts';
import { emptyApply, emptyStream, quietTick } from '../fixtures/ticks.ts';

governedPipelines();

describe('grants', () => {
  test('of a governor that looks no more run out, though ticks are answered', async () => {
    const pipeline = await open();
    const { core } = pipeline;
    const { worker, leases } = await replaying(pipeline);
    await pipeline.see({ liveEventsPerSecond: 1_000 });
    const granted = async () => {
      const { leases: answers } = await core.tick(
        worker,
        leases.map((lease) => ({ lease })),
      );
      return answers.map(({ grant }) => ({
        validForMs: grant?.validForMs,
        safe: (grant?.safeEventsPerSecond ?? 0) > 0,
      }));
    };
    const all = (grant: object) => leases.map(() => grant);
    expect(await granted()).toEqual(all({ validForMs: 2_000, safe: true }));
    core.forward(1_500);
    expect(await granted()).toEqual(all({ validForMs: 500, safe: true }));
    core.forward(1_500);
    expect(await granted()).toEqual(all({ validForMs: 0, safe: true }));
    core.forward(7_000);
    expect(await granted()).toEqual(all({ validForMs: 0, safe: false }));
    await pipeline.see({ liveEventsPerSecond: 1_000 });
    expect(await granted()).toEqual(all({ validForMs: 2_000, safe: true }));
  });

  test('of a pipeline that replays nothing are nothing, and not unknown', async () => {
    const pipeline = await open();
    const { core } = pipeline;
    const granted = () => core.ctx.telemetry.observation(core.pipelineId)?.grantedEventsPerSecond;
    await pipeline.see({ liveEventsPerSecond: 1_000 });
    expect(granted()).toBe(0);
    core.forward(3_000);
    expect(granted(), 'while the governor does not look').toBe(null);
  });

  test('that one backfill’s reader leaves lying go to the other, also to one of lower priority', async () => {
    const pipeline = await open();
    const { core } = pipeline;
    const { id: slow, worker, leases } = await replaying(pipeline, { concurrency: 1 });
    await core.ctx.database.update(backfills).set({ priority: 5 }).where(eq(backfills.id, slow));
    const { id: quick } = await core.start();
    const rates = async () => [
      (await effectiveOf(pipeline, slow)).eventsPerSecond,
      (await effectiveOf(pipeline, quick)).eventsPerSecond,
    ];
    let published = 0;
    const read = async (seconds: number, eventsPerSecond: number) => {
      for (let quarter = 0; quarter < seconds * 4; quarter++) {
        published += eventsPerSecond / 4;
        await core.tick(
          worker,
          leases.map((lease) => ({ lease, published, read: published })),
        );
        await pipeline.see({ liveEventsPerSecond: 1_000 }, 0.25);
      }
    };
    await read(1, 5_000);
    expect(await rates()).toEqual([5_000, 0]);
    await read(5, 1_000);
    const [lent, had] = await rates();
    expect(lent).toBeCloseTo(1_500);
    expect(had).toBeCloseTo(3_500);
    expect(ceiling(await effectiveOf(pipeline, slow), 'share')?.detail).toContain('by what they use');
  });
});

test('a throttle of an api whose clock is behind its predecessor’s waits for the grant that carries it', async () => {
  const pipeline = await open();
  pipeline.core.setClockAhead(3_600_000);
  const { id, worker, leases } = await replaying(pipeline);
  // A new process, which knows what the database holds.
  const { core } = await open();
  await core.pass();
  const { revision } = await readBackfill(core.ctx, operator, id);
  const { receipt } = await core.run((work) =>
    throttleBackfill(core.ctx, work, operator, id, { eventsPerSecond: 100 }, revision),
  );
  await core.pass();
  const effective = async () => (await readReceipt(core.ctx, receipt.id)).effectiveAt !== null;
  // What the worker has is of the process before, and of an hour ahead.
  const answer = await core.tick(
    worker,
    leases.map((lease) => ({ lease })),
  );
  expect(await effective()).toBe(false);
  await core.pass();
  expect(await effective()).toBe(false);
  await core.tick(
    worker,
    leases.map((lease) => ({
      lease,
      grantSequence: answer.leases.find(({ leaseId }) => leaseId === lease.id)?.grant?.sequence ?? 0,
    })),
  );
  expect(await effective()).toBe(true);
});

test.each([
  ['as it is not known', null, 20_000],
  ['beside one that is set by hand, which stays', 10_000_000, 10_000_000],
])('workers are told when a measured capacity moves the floor: %s', async (_name, before, after) => {
  const pipeline = await open(
    {},
    {
      healthyApplier: false,
      stillClock: true,
      capacityEventsPerSecond: before,
      pipeline: { replayFloor: 0.02 },
    },
  );
  const { core } = pipeline;
  const applier = await core.join('apply');
  const streams = [emptyStream(`${core.pipelineId}-live`)];
  const calibrated = { eventsPerSecond: 20_000, commitMsP99: 5 };
  await core.tick(applier, [], { streams, calibrated });
  const settings = core.pushed(applier).flatMap((push) => (push.type === 'settings' ? [push.pipeline] : []));
  expect(settings).toMatchObject([
    { pipelineId: core.pipelineId, floorEventsPerSecond: 400, calibrate: false, route: 'separate' },
  ]);
  await governorPass(core.ctx, core.ctx.telemetry);
  expect(governorMemory(core.ctx).looks.get(core.pipelineId)?.view.floorEventsPerSecond).toBe(400);
  const [row] = await core.ctx.database.select().from(pipelines).where(eq(pipelines.id, core.pipelineId));
  expect(row).toMatchObject({ capacityEventsPerSecond: after, measuredEventsPerSecond: 20_000 });
});

test('the ledger counts every reason that was binding', async () => {
  const pipeline = await open();
  const { core } = pipeline;
  const { id } = await replaying(pipeline);
  const ledger = new Ledger(core.ctx);
  const { decisions } = governorMemory(core.ctx);
  const look = async (sight: Sight) => {
    core.forward(250);
    pipeline.report(sight);
    const governed = await governorPass(core.ctx, core.ctx.telemetry);
    ledger.observe(governed, decisions);
  };
  for (let quarter = 0; quarter < 8; quarter++) await look({ liveEventsPerSecond: 9_500 });
  for (let quarter = 0; quarter < 8; quarter++) await look({ liveEventsPerSecond: 1_000, silentMs: 2_000 });
  const { database } = core.ctx;
  // The database is away for once: what it did not take is not lost.
  const execute = vi.spyOn(database, 'execute').mockRejectedValueOnce(new Error('away'));
  await expect(ledger.write()).rejects.toThrow('away');
  execute.mockRestore();
  await ledger.write();
  const { items } = await readLedger(core.ctx, id);
  const seconds = Object.fromEntries(items.map((item) => [item.reason, item.seconds]));
  expect(seconds['hard_stop']).toBeCloseTo(2);
  expect(seconds['live_first']).toBeGreaterThan(1);
});

test('of a time in which nobody looked the ledger tells that the grants had run out, and its seconds add up', async () => {
  const pipeline = await open();
  const { core } = pipeline;
  const { id } = await replaying(pipeline);
  const still = await core.start();
  const ledger = new Ledger(core.ctx);
  const decided = (share: number): Map<string, Effective> =>
    new Map([
      [id, { eventsPerSecond: share, binding: 'share', ceilings: [] }],
      [still.id, { eventsPerSecond: 0, binding: 'hold', ceilings: [] }],
    ]);
  const look = (ms: number, decisions: Map<string, Effective>) => {
    core.forward(ms);
    ledger.observe(
      [
        { id, state: 'running' },
        { id: still.id, state: 'paused' },
      ],
      decisions,
    );
  };
  look(0, decided(2_000));
  for (let quarter = 0; quarter < 8; quarter++) look(250, decided(2_000));
  // Whatever is decided after it, that is not what stood meanwhile.
  const afterwards = decided(0).set(id, { eventsPerSecond: 0, binding: 'storm', ceilings: [] });
  look(25_000, afterwards);
  look(250, afterwards);
  await ledger.write();
  const secondsOf = async (backfillId: string) =>
    Object.fromEntries(
      (await readLedger(core.ctx, backfillId)).items.map(({ reason, seconds }) => [reason, seconds]),
    );
  const seconds = await secondsOf(id);
  expect(seconds['share']).toBeCloseTo(2 + grantValidMs / 1_000);
  expect(seconds['hard_stop']).toBeCloseTo(25 - grantValidMs / 1_000);
  expect(seconds['storm']).toBeCloseTo(0.25);
  // Without a grant it had none to run out.
  expect(await secondsOf(still.id)).toEqual({ hold: expect.closeTo(27.25) });
});

test('nor is a time in which no api runs missing in the ledger, or in it twice', async () => {
  const pipeline = await open();
  const { core } = pipeline;
  const { database } = core.ctx;
  const { id } = await replaying(pipeline);
  const still = await core.start();
  const ended = await core.start();
  const states = [
    { id, state: 'running' },
    { id: still.id, state: 'paused' },
  ] as const;
  const decisions = new Map<string, Effective>([
    [id, { eventsPerSecond: 2_000, binding: 'share', ceilings: [] }],
    [still.id, { eventsPerSecond: 0, binding: 'hold', ceilings: [] }],
    [ended.id, { eventsPerSecond: 100, binding: 'share', ceilings: [] }],
  ]);
  const before = new Ledger(core.ctx);
  await before.resume();
  before.observe([...states, { id: ended.id, state: 'running' }], decisions);
  await before.write();
  core.forward(1_000);
  before.observe(states, decisions);
  await before.write();
  const marks = await database.select().from(ledgerMarks).where(eq(ledgerMarks.backfillId, ended.id));
  expect(marks).toEqual([]);
  // Seen, and not written any more: it is in the gap.
  core.forward(500);
  before.observe(states, decisions);
  await database.execute(sql`update ledger_marks set at = at - interval '30 s'`);

  const after = new Ledger(core.ctx);
  for (let pass = 0; pass < 2; pass++) {
    await after.resume();
    after.observe(states, decisions);
  }
  await after.write();
  const secondsOf = async (backfillId: string) =>
    Object.fromEntries(
      (await readLedger(core.ctx, backfillId)).items.map(({ reason, seconds }) => [reason, seconds]),
    );
  // The database's clock is a real one: what the test takes is in the gap, too.
  const { share, hard_stop: stopped = 0 } = await secondsOf(id);
  expect(share).toBeCloseTo(1 + grantValidMs / 1_000);
  expect(stopped).toBeGreaterThanOrEqual(30 - grantValidMs / 1_000);
  expect(stopped).toBeLessThan(40);
  expect((await secondsOf(still.id))['hold']).toBeGreaterThanOrEqual(31);
  // A rate below nothing would be one that a later process counts on from.
  await expect(database.update(ledgerMarks).set({ eventsPerSecond: -1 })).rejects.toMatchObject({
    cause: { constraint: 'ledger_marks_rate_not_negative' },
  });
});

test('a rate that falls to nothing is told, though nothing else changes any more', async () => {
  const core = await openBare({ stillClock: true });
  const { ctx, pipelineId, changes } = core;
  const { id } = await core.start();
  const quarters = (applied: readonly number[]) => {
    for (const count of applied) {
      core.forward(250);
      ctx.telemetry.observeTick('wk_apply_fixture', 'apply', {
        ...quietTick,
        apply: {
          ...emptyApply,
          streams: ['live', 'replay'].map((name) => emptyStream(`${pipelineId}-${name}`)),
          counters: [{ backfillId: id, applied: count, duplicate: 0, quarantined: 0 }],
        },
      });
    }
    governorMemory(ctx).trigger();
  };
  const told = () =>
    changes.flatMap((change) =>
      change.event === 'backfill' && change.data.backfill.id === id
        ? [change.data.backfill.progress.appliedEventsPerSecond]
        : [],
    );
  const governor = startGovernor(ctx, ctx.telemetry);
  try {
    quarters(Array.from({ length: 12 }, (_, quarter) => quarter * 100));
    await vi.waitFor(() => expect(told().at(-1)).toBe(400), { timeout: 5_000 });
    await vi.waitFor(
      () => {
        quarters([1_100, 1_100, 1_100, 1_100]);
        expect(told().at(-1)).toBe(0);
      },
      { timeout: 5_000, interval: 100 },
    );
  } finally {
    await governor.stop();
  }
});
