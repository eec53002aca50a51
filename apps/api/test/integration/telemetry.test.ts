import { streamsATick } from '@spillway/shared/api/worker-protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Change, ControlContext } from '../../src/control-plane/context.ts';
import { connect } from '../../src/control-plane/database/database.ts';
import { audit, pipelines, telemetry } from '../../src/control-plane/database/schema.ts';
import { listMarkers } from '../../src/control-plane/telemetry/markers.ts';
import { readStages } from '../../src/control-plane/telemetry/queries.ts';
import { createTelemetry, type TelemetryRecorder } from '../../src/control-plane/telemetry/recorder.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { telemetryContext } from '../fixtures/telemetry-context.ts';
import { emptyApply, emptyStream, quietTick } from '../fixtures/ticks.ts';

const midnight = Date.UTC(2026, 0, 1);

let engine: ControlDatabase;
let connection: ReturnType<typeof connect>;
let ctx: ControlContext;
let recorder: TelemetryRecorder;
let told: Change[];
let queries = 0;
let wallMs = midnight;
let monotonicMs = 0;

beforeAll(async () => {
  engine = await startControlDatabase();
  connection = connect(engine.url, 2);
  const query = connection.pool.query.bind(connection.pool) as (...args: unknown[]) => unknown;
  const counted = (...args: unknown[]) => {
    queries += 1;
    return query(...args);
  };
  Object.assign(connection.pool, { query: counted });
});
afterAll(async () => {
  await connection?.pool.end();
  await engine?.end();
});

beforeEach(async () => {
  const { database } = connection;
  [wallMs, monotonicMs] = [midnight, 0];
  ({ ctx, recorder, told } = await telemetryContext(database, {
    now: () => wallMs,
    monotonic: () => monotonicMs,
  }));
});

function pass(ms: number): void {
  wallMs += ms;
  monotonicMs += ms;
}

const stage = { busyRatio: 0.5, blockedRatio: 0, idleRatio: 0.5 };

function feedTick(workerId: string, eventsPublished: number): void {
  recorder.observeTick(workerId, 'feed', {
    ...quietTick,
    feed: { eventsPublished, eventTime: null, outages: [] },
  });
}

function applyTick(workerId: string, eventsApplied: number): void {
  const streams = ['live', 'replay'].map((stream) => ({
    ...emptyStream(stream),
    length: 7,
    lengthBytes: 70,
    lagEntries: 3,
    lagMs: 12,
    eventsApplied,
  }));
  const numbers = {
    storeBusyRatio: 0.4,
    freshnessMsP50: 5,
    freshnessMsP99: 9,
    commitMsP50: 2,
    commitMsP99: 4,
  };
  recorder.observeTick(workerId, 'apply', {
    ...quietTick,
    apply: {
      ...emptyApply,
      stage,
      streams,
      counters: [{ backfillId: 'bf_0', applied: eventsApplied, duplicate: 0, quarantined: 0 }],
      ...numbers,
    },
  });
}

/** A second at 100 events/s, or another rate: four ticks, then the beat. */
async function second(
  counts: { feed: number; apply: number },
  workers = { feed: 'wk_feed_1', apply: 'wk_apply_1' },
  eventsPerTick = 25,
): Promise<void> {
  for (let tick = 0; tick < 4; tick++) {
    pass(250);
    feedTick(workers.feed, (counts.feed += eventsPerTick));
    applyTick(workers.apply, (counts.apply += eventsPerTick));
  }
  await recorder.beat();
}

const latest = () => recorder.latest('flights')?.values;

describe('a second of telemetry', () => {
  test('shows rates, lengths and latencies as reported, and tells the browsers once', async () => {
    const counts = { feed: 50_000, apply: 70_000 };
    recorder.observePublished('flights', new Map([['bf_0', 0]]));
    for (let seconds = 0; seconds < 3; seconds++) await second(counts);
    expect(latest()).toMatchObject({
      livePublishedEventsPerSecond: 100,
      liveEventsPerSecond: 100,
      replayEventsPerSecond: 100,
      streamLength: 7,
      storeCommitMsP99: 4,
      grantedEventsPerSecond: null,
    });
    expect(told.filter(({ event }) => event === 'telemetry')).toHaveLength(3);
  });

  test('takes nothing for the rate of a stream whose turn is still to come, of a worker that joins anew', async () => {
    const others = Array.from({ length: streamsATick }, (_, number) => ({ stream: `s${number}`, events: 9 }));
    const rates: unknown[] = [];
    await recorder.beat();
    for (const published of [
      others,
      [{ stream: 'replay', events: 1_000_000 }, ...others.slice(1)],
      others,
      [{ stream: 'replay', events: 1_000_050 }, ...others.slice(1)],
    ]) {
      pass(250);
      const replay = { eventsPublished: 2_000_000, published, stage, gates: [] };
      recorder.observeTick('wk_replay_2', 'replay', { ...quietTick, replay });
      rates.push(recorder.observation('flights')?.replayPublishedEventsPerSecond);
    }
    expect(rates).toEqual([null, null, 0, 100]);
  });

  test('names a backfill by what it publishes, not by what it was granted, and also when it is granted nothing', async () => {
    const counts = { feed: 0, apply: 0 };
    const replaying = () => recorder.observation('flights')?.replaying;
    const published = { bf_1: 0, bf_2: 0 };
    const pass4 = async (granted: number) => {
      recorder.observeGrants('flights', new Map(Object.keys(published).map((id) => [id, granted])));
      await second(counts);
      recorder.observePublished('flights', new Map(Object.entries(published)));
    };
    await pass4(4_000);
    expect(replaying()?.map(({ eventsPerSecond }) => eventsPerSecond)).toEqual([null, null]);
    for (let seconds = 0; seconds < 3; seconds++) {
      published.bf_2 += 300;
      await pass4(4_000);
    }
    expect(replaying()).toEqual([
      { backfillId: 'bf_2', eventsPerSecond: 300 },
      { backfillId: 'bf_1', eventsPerSecond: 0 },
    ]);
    for (let seconds = 0; seconds < 3; seconds++) await pass4(0);
    expect(replaying()?.map(({ backfillId, eventsPerSecond }) => [backfillId, eventsPerSecond])).toEqual([
      ['bf_1', 0],
      ['bf_2', 0],
    ]);
  });

  test('tells how fast replay runs once: the whole is the sum of its parts, wherever it is shown', async () => {
    const counters = new Map<string, number>([
      ['bf_1', 90_000],
      ['bf_2', 0],
      ['bf_ended', 500],
      ['bf_of_another', 7],
    ]);
    recorder.observePublished('flights', new Map([['bf_ended', 900]]));
    recorder.observePublished('another', new Map([['bf_of_another', 0]]));
    for (let tick = 1; tick <= 12; tick++) {
      pass(250);
      // By its other counter the stream is said to be faster, as it is when its ticks come late.
      const streams = ['live', 'replay'].map((name) => emptyStream(name, { eventsApplied: tick * 999 }));
      for (const [id, per] of [
        ['bf_1', 300],
        ['bf_2', tick <= 8 ? 0 : 40],
        ['bf_ended', 10],
        ['bf_of_another', 5_000],
      ] as const)
        counters.set(id, (counters.get(id) ?? 0) + per);
      recorder.observePublished(
        'flights',
        new Map([
          ['bf_1', tick * 400],
          ['bf_2', 0],
          ['bf_3', 0],
        ]),
      );
      recorder.observeGrants(
        'flights',
        new Map([
          ['bf_1', 2_000],
          ['bf_2', 100],
          ['bf_3', 0],
        ]),
      );
      recorder.observeTick('wk_apply_1', 'apply', {
        ...quietTick,
        apply: {
          ...emptyApply,
          streams,
          counters: [...counters].map(([backfillId, applied]) => ({
            backfillId,
            applied: applied - 3,
            duplicate: 3,
            quarantined: 0,
          })),
        },
      });
    }
    await recorder.beat();
    const event = recorder.latest('flights');
    expect(event?.replay).toEqual({
      of: 'applied',
      eventsPerSecond: 1_320,
      backfills: expect.arrayContaining([
        { backfillId: 'bf_1', eventsPerSecond: 1_200 },
        { backfillId: 'bf_2', eventsPerSecond: 80 },
        { backfillId: 'bf_3', eventsPerSecond: 0 },
        { backfillId: 'bf_ended', eventsPerSecond: 40 },
      ]),
    });
    expect(event?.replay.backfills).toHaveLength(4);
    expect(event?.values['replayEventsPerSecond']).toBe(1_320);
    const applying = event?.stages.stages.filter(
      ({ stage: name }) => name === 'aggregate' || name === 'store',
    );
    expect(applying?.map(({ replayEventsPerSecond }) => replayEventsPerSecond)).toEqual([1_320, 1_320]);
    expect(
      ['bf_1', 'bf_2', 'bf_3', 'bf_ended', 'bf_unknown'].map(
        (id) => recorder.rates(id).appliedEventsPerSecond,
      ),
    ).toEqual([1_200, 80, 0, 40, null]);
    expect(recorder.rates('bf_1').publishedEventsPerSecond).toBe(1_600);
    pass(3_000);
    await recorder.beat();
    expect(recorder.latest('flights')?.replay, 'nobody counts').toEqual({
      of: 'applied',
      eventsPerSecond: null,
      backfills: [],
    });
  });

  test('knows of an applier that reaches no stream: who is heard is not nobody', async () => {
    const detail = 'redis did not answer within 5 s';
    const stopped = (['live', 'replay'] as const).map((lane) => ({
      lane,
      stream: lane,
      code: 'stream_unavailable',
      detail,
      forMs: 4_000,
    }));
    await recorder.beat();
    recorder.observeTick('wk_apply_1', 'apply', { ...quietTick, apply: { ...emptyApply, stopped } });
    expect(recorder.observation('flights')).toMatchObject({
      apply: null,
      readsNoStream: true,
      stoppedLanes: stopped,
    });
    pass(3_000);
    const later = recorder.observation('flights');
    expect([later?.readsNoStream, later?.stoppedLanes]).toEqual([undefined, []]);
  });

  test('does not show what nobody has reported lately', async () => {
    const counts = { feed: 0, apply: 0 };
    recorder.observeGrants(
      'flights',
      new Map([
        ['bf_1', 4_000],
        ['bf_2', 1_000],
      ]),
    );
    for (let seconds = 0; seconds < 2; seconds++) await second(counts);
    expect(latest()).toMatchObject({ grantedEventsPerSecond: 5_000 });
    pass(3_000);
    await recorder.beat();
    const values = latest() ?? {};
    const { capacityEventsPerSecond, ...measured } = values as Record<string, number | null>;
    expect(capacityEventsPerSecond).toBe(10_000);
    expect(Object.values(measured).every((value) => value === null)).toBe(true);
    expect(recorder.latest('flights')?.stages.stages.map(({ pressure }) => pressure)).toEqual([
      'unknown',
      'unknown',
      'unknown',
      'unknown',
    ]);
    expect(
      recorder.latest('flights')?.streams.map(({ length, consumerLag }) => [length, consumerLag]),
    ).toEqual([
      [null, null],
      [null, null],
    ]);
    // And what was recorded long ago is not the present.
    pass(6_000);
    expect(recorder.latest('flights')).toBe(null);
    await expect(readStages(ctx, 'flights')).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('a restarted worker neither adds to its predecessor nor makes a leap', async () => {
    const counts = { feed: 900_000, apply: 900_000 };
    for (let seconds = 0; seconds < 3; seconds++) await second(counts);
    const seen: (number | null)[] = [];
    const begun = { feed: 0, apply: 0 };
    for (let seconds = 0; seconds < 4; seconds++) {
      await second(begun, { feed: 'wk_feed_2', apply: 'wk_apply_2' }, 50);
      seen.push(latest()?.livePublishedEventsPerSecond ?? null, latest()?.liveEventsPerSecond ?? null);
    }
    expect(seen).toEqual(Array(8).fill(200));
  });

  test('an applier that comes back late with another counter makes no leap', async () => {
    const counts = { feed: 0, apply: 900_000 };
    for (let seconds = 0; seconds < 2; seconds++) await second(counts);
    for (let tick = 0; tick < 8; tick++) {
      pass(250);
      applyTick('wk_apply_2', tick * 25);
      applyTick('wk_apply_1', 900_200);
    }
    await recorder.beat();
    expect(latest()?.liveEventsPerSecond).toBeLessThanOrEqual(100);
  });

  test('costs the same number of queries, however many listen', async () => {
    const counts = { feed: 0, apply: 0 };
    await second(counts);
    await second(counts);
    queries = 0;
    await second(counts);
    const alone = queries;
    for (let client = 0; client < 50; client++) ctx.changes.subscribe(() => {});
    queries = 0;
    await second(counts);
    expect(alone).toBe(3);
    expect(queries).toBe(alone);
  });

  test('beats do not queue behind a slow database', async () => {
    const first = recorder.beat();
    expect(recorder.beat()).toBe(first);
    await first;
    expect(recorder.beat()).not.toBe(first);
    await recorder.stop();
  });

  test('shows each mark of the audit once, also when a beat was left out', async () => {
    const rows = [500, 1_500, 3_200];
    for (const [index, ms] of rows.entries()) {
      await ctx.database.insert(audit).values({
        sequence: 1_000 + index,
        at: new Date(midnight + ms),
        actor: 'ada',
        address: null,
        action: `pipeline.configure`,
        target: 'flights',
        reason: `number ${index}`,
        before: null,
        after: null,
        previousHash: 'x',
        hash: `hash ${index}`,
      } as typeof audit.$inferInsert);
    }
    const marks: (string | null)[] = [];
    for (const ms of [1_000, 2_000, 5_000, 6_000]) {
      pass(midnight + ms - wallMs);
      await recorder.beat();
      marks.push(...(recorder.latest('flights')?.markers.map(({ detail }) => detail) ?? []));
    }
    expect(marks).toEqual(['number 0', 'number 1', 'number 2']);
  });

  test('shows what the store tells, rates of what it counts, and null where it cannot see', async () => {
    for (let tick = 1; tick <= 8; tick++) {
      pass(250);
      recorder.observeTick('wk_apply_1', 'apply', {
        ...quietTick,
        apply: {
          ...emptyApply,
          applyLatencyMsP99: 8,
          streams: [
            emptyStream('live', { lagEntries: 2, lagMs: 40 }),
            emptyStream('replay', { lagEntries: null, lagMs: 900 }),
          ],
          store: {
            ...emptyApply.store,
            rowsAttempted: tick * 250,
            rowsInserted: tick * 200,
            rowsNoop: tick * 50,
            walBytes: tick * 25_000,
            deadRows: 1_234,
            poolWaitMsP99: 0.5,
          },
        },
      });
    }
    await recorder.beat();
    expect(latest()).toMatchObject({
      // One waits: that nothing was applied is no excuse.
      liveFreshnessMsP99: 40,
      liveLagEntries: 2,
      liveLagMs: 40,
      replayLagEntries: null,
      replayLagMs: 900,
      applyLatencyMsP99: 8,
      storePoolWaitMsP99: 0.5,
      rowsAttemptedPerSecond: 1_000,
      rowsInsertedPerSecond: 800,
      rowsNoopPerSecond: 200,
      walBytesPerSecond: 100_000,
      deadRows: 1_234,
      cacheHitRatio: null,
    });
  });

  test('a shared stream is one stream, and counts by publisher', async () => {
    await ctx.database.update(pipelines).set({ route: 'shared' });
    recorder.observePublished('flights', new Map([['bf_1', 0]]));
    for (let tick = 1; tick <= 8; tick++) {
      pass(250);
      recorder.observeTick('wk_apply_1', 'apply', {
        ...quietTick,
        apply: {
          ...emptyApply,
          liveEventsApplied: tick * 25,
          replayEventsApplied: tick * 500,
          counters: [{ backfillId: 'bf_1', applied: tick * 500, duplicate: 0, quarantined: 0 }],
          streams: [emptyStream('live', { length: 70, eventsApplied: tick * 525 })],
        },
      });
    }
    await recorder.beat();
    expect(latest()).toMatchObject({ liveEventsPerSecond: 100, replayEventsPerSecond: 2_000 });
    expect(recorder.latest('flights')?.streams).toMatchObject([
      { name: 'live', role: 'shared', length: 70, highWaterMark: 20_000 },
    ]);
  });

  test('a mark of a throttle says to what', async () => {
    const before = { eventsPerSecond: null, share: 0.5, concurrency: 2 };
    const limits = [
      { ...before, eventsPerSecond: 2_000 },
      { ...before, share: 0.125 },
      { eventsPerSecond: 900, share: null, concurrency: 4 },
      before,
    ];
    const from = midnight + 3_600_000;
    for (const [index, after] of limits.entries()) {
      await ctx.database.insert(audit).values({
        sequence: 2_000 + index,
        at: new Date(from + index),
        actor: 'ada',
        address: null,
        action: 'backfill.throttle',
        target: 'flights',
        reason: null,
        before,
        after,
        previousHash: 'x',
        hash: `throttle ${index}`,
      } as typeof audit.$inferInsert);
    }
    const marks = await listMarkers(ctx.database, { pipelineId: 'flights', from, to: from + 1_000 });
    expect(marks.map(({ detail }) => detail)).toEqual([
      '→ 2,000 events/s',
      '→ 12.5 % of capacity',
      '→ 900 events/s, the default share, concurrency 4',
      null,
    ]);
  });
});

test('of a pipeline that is removed while a second of it is recorded nothing stays, and nothing is told afterwards', async () => {
  const { database } = ctx;
  const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const slow = {
    async execute(...given: Parameters<typeof database.execute>) {
      asked.resolve();
      await answered.promise;
      return database.execute(...given);
    },
  };
  const slowly = createTelemetry({ ...ctx, database: Object.assign(Object.create(database), slow) });
  const beat = slowly.beat();
  await asked.promise;
  const forgotten = Promise.resolve(slowly.forget('flights')).then(() => told.length);
  answered.resolve();
  await beat;
  expect(await forgotten).toBe(told.length);
  expect(told.map(({ event }) => event)).toEqual(['telemetry']);
  expect(slowly.latest('flights')).toBe(null);
  expect(await database.$count(telemetry)).toBe(0);
});
