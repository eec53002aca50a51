import { describe, expect, test } from 'vitest';
import { bottleneckOf, causeChainOf } from '../../src/control-plane/telemetry/causes.ts';
import type { PipelineObservation } from '../../src/control-plane/telemetry/observation.ts';
import { stagesOf, streamsOf } from '../../src/control-plane/telemetry/stages.ts';
import { applierSilentMs, storeSilentMs } from '../../src/control-plane/telemetry/store-silence.ts';
import { restingPipeline as resting } from '../fixtures/resting-pipeline.ts';
import { type ApplyReport, emptyApply, emptyStream } from '../fixtures/ticks.ts';

function seen(
  apply: Partial<ApplyReport>,
  replayLength: number,
  reader: { busyRatio: number; blockedRatio: number },
): PipelineObservation {
  return {
    ...resting,
    apply: {
      ...emptyApply,
      streams: [emptyStream('live'), emptyStream('replay', { length: replayLength })],
      ...apply,
    },
    replay: [{ eventsPublished: 0, gates: [], stage: { ...reader, idleRatio: null } }],
    replaying: [
      { backfillId: 'bf_12', eventsPerSecond: 8_000 },
      { backfillId: 'bf_13', eventsPerSecond: 1_500 },
    ],
  };
}
const told = (observation: PipelineObservation) => {
  const bottleneck = bottleneckOf(observation);
  return { bottleneck, chain: causeChainOf(observation, bottleneck) };
};

describe('what holds up whom', () => {
  test('a pressed store, up to the reader and the backfill it is all for', () => {
    const stage = { busyRatio: 0.2, blockedRatio: 0.62, idleRatio: 0.18 };
    expect(
      told(
        seen({ stage, storeBusyRatio: 0.7, commitMsP99: 41.4 }, 14_200, {
          busyRatio: 0.1,
          blockedRatio: 0.4,
        }),
      ),
    ).toEqual({
      bottleneck: 'store',
      chain: [
        'store: pressed 62 % of its time, a commit takes 41 ms (p99)',
        'stream: 14,200 of 20,000 entries',
        'reader: stopped 40 % of its time',
        'bf_12 publishes 8,000 events/s, 1 other publishes 1,500',
      ],
    });
  });

  test('an applier that has stopped is not "flowing"', () => {
    const stoppedLanes = [{ lane: 'live', stream: 'live', code: 'gap', detail: '', forMs: 9 } as const];
    const stopped = { ...resting, stoppedLanes };
    expect(told(stopped)).toEqual({
      bottleneck: 'aggregate',
      chain: ['aggregate: the applier of live has stopped (gap)'],
    });
    expect(stagesOf(stopped, 0).stages.find(({ stage }) => stage === 'aggregate')?.pressure).toBe('high');
  });

  test('a store that does not answer', () => {
    const store = { ...emptyApply.store, silentMs: 3_200 };
    expect(told(seen({ store }, 20_000, { busyRatio: 0, blockedRatio: 1 })).chain.slice(0, 2)).toEqual([
      'store: no answer for 3.2 s',
      'stream: 20,000 of 20,000 entries',
    ]);
  });

  test('a store that somebody has stalled on purpose: the drill stands first, from the moment on, until nothing is held up by it', () => {
    const silent = { ...emptyApply.store, silentMs: 3_200 };
    const stalled = seen({ store: silent }, 0, { busyRatio: 0, blockedRatio: 0 });
    const drill = { startedBy: 'mira', released: false };
    const chainOf = (observation: PipelineObservation) => told(observation).chain;
    expect(chainOf({ ...stalled, drill }).slice(0, 2)).toEqual([
      'fire drill by mira: the store is stalled on purpose',
      'store: no answer for 3.2 s',
    ]);
    expect(chainOf({ ...resting, drill })).toEqual(['fire drill by mira: the store is stalled on purpose']);
    const released = { ...drill, released: true };
    expect(chainOf({ ...stalled, drill: released })[0]).toBe(
      'fire drill by mira: the store was stalled on purpose, and is released',
    );
    expect(chainOf({ ...resting, drill: released })).toEqual([]);
    expect(chainOf({ ...stalled, drill: null })[0]).toBe('store: no answer for 3.2 s');
  });

  test('stopped by the governor, who waits is named; one whose rate is not known yet adds no made-up figure', () => {
    const store = { ...emptyApply.store, silentMs: 3_200 };
    const stalled = seen({ store }, 20_000, { busyRatio: 0, blockedRatio: 1 });
    const replaying = [
      { backfillId: 'bf_12', eventsPerSecond: 0 },
      { backfillId: 'bf_13', eventsPerSecond: 0 },
    ];
    expect(told({ ...stalled, replaying }).chain.at(-1)).toBe('bf_12 waits');
    expect(
      told({ ...stalled, replaying: [{ backfillId: 'bf_12', eventsPerSecond: null }] }).chain.at(-1),
    ).toBe('bf_12 replays');
  });

  test('an applier busy with itself, and a reader that cannot read faster', () => {
    const stage = { busyRatio: 0.95, blockedRatio: 0, idleRatio: 0.05 };
    expect(told(seen({ stage }, 0, { busyRatio: 0.2, blockedRatio: 0 }))).toEqual({
      bottleneck: 'aggregate',
      chain: ['aggregate: busy 95 % of its time', 'bf_12 publishes 8,000 events/s, 1 other publishes 1,500'],
    });
    expect(told(seen({}, 0, { busyRatio: 0.9, blockedRatio: 0 })).bottleneck).toBe('source');
  });

  test('a stream that is slow to take anything is told as what it is, not as a store that its applier waits for', () => {
    const stage = { busyRatio: 0.2, blockedRatio: 0.39, idleRatio: 0.41 };
    const slow = (appendRatio: number, published: number | null): PipelineObservation => ({
      ...seen({ stage, storeBusyRatio: 0.44 }, 58, { busyRatio: 0.67, blockedRatio: 0 }),
      replay: [
        {
          eventsPublished: 0,
          gates: [],
          stage: { busyRatio: 0.67, blockedRatio: 0, idleRatio: 0.33, appendRatio },
        },
      ],
      grantedEventsPerSecond: 1_284,
      replayPublishedEventsPerSecond: published,
    });
    expect(told(slow(0.62, 85))).toEqual({
      bottleneck: 'stream',
      chain: [
        "stream: appends take 62 % of the reader's time",
        'bf_12 publishes 8,000 events/s, 1 other publishes 1,500',
      ],
    });
    expect(stagesOf(slow(0.62, 85), 0).stages[1]).toMatchObject({ stage: 'stream', pressure: 'high' });
    // Most of what the readers do at the rate they are granted: nothing is held up. Nor by half of their time, nor while nobody knows.
    for (const well of [slow(0.62, 642), slow(0.5, 85), slow(0.62, null)]) {
      expect(bottleneckOf(well)).toBeNull();
      expect(stagesOf(well, 0).stages[1]).toMatchObject({ stage: 'stream', pressure: 'ok' });
    }
  });

  const stageOf = (busyRatio: number, blockedRatio: number) => ({
    busyRatio,
    blockedRatio,
    idleRatio: 1 - busyRatio - blockedRatio,
  });
  test.each<[string, Partial<ApplyReport>, number, string | null]>([
    [
      'a store at four fifths of its time, and everybody else too',
      { storeBusyRatio: 0.8, stage: stageOf(0.8, 0) },
      0.8,
      null,
    ],
    [
      'beyond it the store, though all are busy',
      { storeBusyRatio: 0.81, stage: stageOf(0.9, 0) },
      0.9,
      'store',
    ],
    ['an applier that waits for it half of its time does not', { stage: stageOf(0.1, 0.5) }, 0, null],
    ['and for more than that does', { stage: stageOf(0.1, 0.51) }, 0.9, 'store'],
    ['a store that answers within a second', { store: { ...emptyApply.store, silentMs: 999 } }, 0, null],
    ['the applier before the reader', { stage: stageOf(0.81, 0) }, 0.9, 'aggregate'],
    ['the reader, where nothing after it is held up', { stage: stageOf(0.5, 0) }, 0.81, 'source'],
  ])('which stage it is: %s', (_what, apply, readerBusy, stage) => {
    expect(bottleneckOf(seen(apply, 0, { busyRatio: readerBusy, blockedRatio: 0 }))).toBe(stage);
  });

  test('a tenth of its time, or half of a stream, is no link of the chain; more is', () => {
    const chainOf = (blockedRatio: number, length: number) =>
      told(seen({ stage: stageOf(0.1, blockedRatio) }, length, { busyRatio: 0, blockedRatio })).chain;
    expect(chainOf(0.1, 10_000)).toEqual([]);
    expect(chainOf(0.11, 10_001).map((link) => link.split(':', 1)[0])).toEqual([
      'store',
      'stream',
      'reader',
      'bf_12 publishes 8,000 events/s, 1 other publishes 1,500',
    ]);
  });

  test('a pipeline at rest, or one that nobody reports, has none', () => {
    expect(told(resting)).toEqual({ bottleneck: null, chain: [] });
    expect(told({ ...resting, apply: null, applyAgeMs: null })).toEqual({ bottleneck: null, chain: [] });
  });
});

describe('the stages as they are shown', () => {
  const measured: PipelineObservation = {
    ...seen(
      {
        stage: { busyRatio: 0.2, blockedRatio: 0.3, idleRatio: 0.5 },
        storeBusyRatio: 0.7,
        commitMsP50: 4,
        commitMsP99: 41,
        freshnessMsP50: 9,
        freshnessMsP99: 60,
      },
      18_001,
      { busyRatio: 0.1, blockedRatio: 0.6 },
    ),
    livePublishedEventsPerSecond: 100,
    replayPublishedEventsPerSecond: 5_000,
    liveAppliedEventsPerSecond: 90,
    // Of the last second: what is shown is of the last two.
    replayAppliedEventsPerSecond: 3_700,
    replayRate: { of: 'applied', eventsPerSecond: 4_000, backfills: [] },
  };

  test('busy, blocked and idle are what was measured, each with what it holds and how long that takes', () => {
    expect(stagesOf(measured, 0).stages).toEqual([
      {
        stage: 'source',
        eventsPerSecond: 5_000,
        liveEventsPerSecond: 100,
        replayEventsPerSecond: 5_000,
        ...{ busyRatio: 0.1, blockedRatio: 0.6, idleRatio: null },
        ...{ queueLength: null, queueLimit: null, latencyMsP50: null, latencyMsP99: null },
        pressure: 'high',
      },
      {
        stage: 'stream',
        eventsPerSecond: 5_100,
        liveEventsPerSecond: 100,
        replayEventsPerSecond: 5_000,
        ...{ busyRatio: null, blockedRatio: null, idleRatio: null },
        ...{ queueLength: 18_001, queueLimit: 20_000, latencyMsP50: null, latencyMsP99: null },
        pressure: 'high',
      },
      {
        stage: 'aggregate',
        eventsPerSecond: 4_090,
        liveEventsPerSecond: 90,
        replayEventsPerSecond: 4_000,
        ...{ busyRatio: 0.2, blockedRatio: 0.3, idleRatio: 0.5 },
        ...{ queueLength: null, queueLimit: null, latencyMsP50: 9, latencyMsP99: 60 },
        pressure: 'low',
      },
      {
        stage: 'store',
        eventsPerSecond: 4_090,
        liveEventsPerSecond: 90,
        replayEventsPerSecond: 4_000,
        ...{ busyRatio: 0.7, blockedRatio: 0, idleRatio: expect.closeTo(0.3) },
        ...{ queueLength: null, queueLimit: null, latencyMsP50: 4, latencyMsP99: 41 },
        pressure: 'ok',
      },
    ]);
  });

  test.each([
    [null, 'unknown'],
    [0.8, 'ok'],
    [0.81, 'low'],
    [0.95, 'low'],
    [0.96, 'high'],
  ])('a store that is busy %s of its time is under pressure: %s', (storeBusyRatio, pressure) => {
    const apply = { ...emptyApply, storeBusyRatio };
    expect(stagesOf({ ...resting, apply }, 0).stages[3]).toMatchObject({ stage: 'store', pressure });
  });

  test('without a report nothing is known of any of them', () => {
    const unheard = stagesOf({ ...resting, apply: null, applyAgeMs: null }, 0).stages;
    expect(unheard.map(({ pressure }) => pressure)).toEqual(Array(4).fill('unknown'));
    for (const { busyRatio, blockedRatio, idleRatio } of unheard)
      expect([busyRatio, blockedRatio, idleRatio]).toEqual([null, null, null]);
  });
});

const silent = (silentMs: number, applyAgeMs: number) => ({
  ...resting,
  apply: { ...emptyApply, store: { ...emptyApply.store, silentMs } },
  applyAgeMs,
});

test.each([
  [0, 100, 0, null],
  [0, 500, 0, null],
  [0, 1_400, 900, null],
  [0, 1_500, 1_000, 1_500],
  [300, 700, 500, null],
  [900, 700, 1_100, null],
  [400, 1_200, 1_100, 1_200],
  [3_000, 4_000, 6_500, 4_000],
])(
  'a store silent for %d ms, told %d ms ago, is silent for %d ms; and the applier, if it is that: %s',
  (silentMs, applyAgeMs, expected, applier) => {
    const seen = silent(silentMs, applyAgeMs);
    expect(storeSilentMs(seen)).toBe(expected);
    expect(applierSilentMs(seen)).toBe(applier);
  },
);

test('an applier that is not heard is not taken for a store that does not answer', () => {
  const chain = (seen: typeof resting) => causeChainOf(seen, bottleneckOf(seen))[0];
  expect(chain(silent(0, 3_700))).toBe('aggregate: the apply worker has not been heard for 3.7 s');
  expect(chain(silent(3_000, 4_000))).toBe('aggregate: the apply worker has not been heard for 4.0 s');
  expect(bottleneckOf(silent(0, 3_700))).toBe('aggregate');
  expect(chain(silent(3_200, 100))).toBe('store: no answer for 3.2 s');
  expect(bottleneckOf(silent(3_200, 100))).toBe('store');
});

test('without a report its silence is unknown', () => {
  expect(storeSilentMs({ ...resting, apply: null, applyAgeMs: null })).toBe(null);
});

test('a total of which one part is unknown is unknown, not the other part', () => {
  const streamOf = (observation: PipelineObservation) => stagesOf(observation, 0).stages[1];
  const told = { ...resting, livePublishedEventsPerSecond: 100, replayPublishedEventsPerSecond: 2_000 };
  expect(streamOf(told)).toMatchObject({ eventsPerSecond: 2_100, queueLength: 0 });
  expect(streamOf({ ...told, livePublishedEventsPerSecond: null })).toMatchObject({
    eventsPerSecond: null,
    liveEventsPerSecond: null,
    replayEventsPerSecond: 2_000,
  });
});

test('what queues on the stream is what its limit is for: replay’s own stream, or the shared one', () => {
  const apply = {
    ...emptyApply,
    streams: [emptyStream('live', { length: 7 }), emptyStream('replay', { length: 1_017 })],
  };
  const queueOf = (observation: PipelineObservation) => stagesOf(observation, 0).stages[1]?.queueLength;
  expect(queueOf({ ...resting, apply })).toBe(1_017);
  expect(queueOf({ ...resting, apply, route: 'shared' })).toBe(7);
  expect(queueOf({ ...resting, apply: { ...apply, streams: apply.streams.slice(0, 1) } })).toBe(null);
});

test('the age of the oldest entry is no percentile: the latency of a stream is unknown', () => {
  const streams = [emptyStream('live', { lagMs: 900 }), emptyStream('replay', { lagMs: 40_000 })];
  const { stages } = stagesOf({ ...resting, apply: { ...emptyApply, streams } }, 0);
  expect(stages[1]).toMatchObject({ stage: 'stream', latencyMsP50: null, latencyMsP99: null });
});

type Retention = NonNullable<ApplyReport['streams'][number]['retention']>;

describe('how long replay may stay paused', () => {
  const HOUR_MS = 3_600_000;
  const replayStream = (change: Partial<ApplyReport['streams'][number]>) => {
    const streams = [emptyStream('live'), emptyStream('replay', change)];
    return streamsOf({ ...resting, apply: { ...emptyApply, streams } })[1];
  };

  test('as long as anybody likes, where nothing is dropped that is not applied', () => {
    expect(replayStream({ length: 9, lagEntries: 9, lagMs: HOUR_MS })).toMatchObject({
      safePausedForMs: null,
      retention: 'until every consumer group has finished with it',
    });
  });

  test.each<[NonNullable<ApplyReport['streams'][number]['accepted']>, Partial<Retention> | null, string]>([
    [['retention'], null, 'for how long nobody says, as accepted (SPILLWAY_STREAM_ACCEPT=retention)'],
    [['untrimmed'], null, 'for good, applied or not, as accepted (SPILLWAY_STREAM_ACCEPT=untrimmed)'],
    [
      ['retention', 'untrimmed'],
      null,
      'for how long nobody says, as accepted (SPILLWAY_STREAM_ACCEPT=retention,untrimmed)',
    ],
    [
      ['retention'],
      { bytes: 5_242_880 },
      'at most 5242880 bytes, applied or not, as accepted (SPILLWAY_STREAM_ACCEPT=retention)',
    ],
  ])('what was accepted is no promise: %j, %j', (accepted, limits, words) => {
    const retention =
      limits === null ? {} : { retention: { ms: null, entries: null, bytes: null, ...limits } };
    expect(replayStream({ length: 9, lagEntries: 9, accepted, ...retention })).toMatchObject({
      safePausedForMs: null,
      retention: words,
      accepted,
    });
  });

  test('until the oldest entry that waits reaches the retention', () => {
    const retention = { ms: 24 * HOUR_MS, entries: null, bytes: null };
    expect(replayStream({ length: 9, lagEntries: 9, lagMs: 4 * HOUR_MS, retention })).toMatchObject({
      safePausedForMs: 20 * HOUR_MS,
      retention: 'at most P1D, applied or not',
    });
    expect(replayStream({ length: 9, lagEntries: 0, lagMs: 0, retention })?.safePausedForMs).toBeNull();
  });
});
