import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Backfill } from '../../src/api/backfill.ts';
import type { TelemetryEvent } from '../../src/api/events.ts';
import { type Alert, type GovernorView, measuredSignals, type Signal } from '../../src/api/governor.ts';
import type { Stages, Streams } from '../../src/api/pipeline.ts';
import { signalTitles } from '../../src/governor/signal-titles.ts';
import { replayRate, unknownReplay } from '../../src/telemetry/replay-rate.ts';
import { rollUp } from '../../src/telemetry/roll-up.ts';
import {
  ALERTS_KEPT,
  BACKFILLS_KEPT,
  governorFrom,
  numbersOf,
  replayFrom,
  type Snapshot,
  snapshotOf,
  stagesFrom,
  streamsFrom,
  worstSnapshot,
} from '../../src/telemetry/snapshot.ts';

const at = Date.UTC(2026, 0, 1);
const nobody = { backfills: [], unfinished: 0, alerts: [] };

const maybe = fc.option(fc.nat(1_000_000));
const ratio = fc.option(fc.double({ min: 0, max: 1, noNaN: true }));
const pressure = fc.constantFrom('ok', 'low', 'high', 'unknown') as fc.Arbitrary<
  Stages['stages'][number]['pressure']
>;
const stage = (name: Stages['stages'][number]['stage']) =>
  fc.record({
    stage: fc.constant(name),
    eventsPerSecond: maybe,
    liveEventsPerSecond: maybe,
    replayEventsPerSecond: maybe,
    busyRatio: ratio,
    blockedRatio: ratio,
    idleRatio: ratio,
    queueLength: maybe,
    queueLimit: maybe,
    latencyMsP50: maybe,
    latencyMsP99: maybe,
    pressure,
  });
const stages: fc.Arbitrary<Stages> = fc.record({
  at: fc.constant(new Date(at).toISOString()),
  stages: fc.tuple(stage('source'), stage('stream'), stage('aggregate'), stage('store')) as fc.Arbitrary<
    Stages['stages']
  >,
  bottleneck: fc.option(fc.constantFrom('source', 'store')),
  causeChain: fc.array(fc.string()),
});
const accepted = fc.constantFrom({}, { accepted: ['retention', 'untrimmed'] });
const stream = (role: 'live' | 'replay') =>
  fc.tuple(accepted, known(role)).map(([named, rest]) => ({ ...rest, ...named }));
const known = (role: 'live' | 'replay') =>
  fc.record({
    name: fc.string(),
    role: fc.constant(role),
    length: maybe,
    highWaterMark: maybe,
    lengthBytes: maybe,
    consumerLag: maybe,
    consumerLagMs: maybe,
    oldestPendingMs: maybe,
    retention: fc.string(),
    safePausedForMs: maybe,
  });
const streams = fc.tuple(stream('live'), stream('replay')) as fc.Arbitrary<Streams['items']>;

const signal = (name: string, change: Partial<Signal> = {}): Signal => ({
  name,
  title: signalTitles[name as keyof typeof signalTitles] ?? `title of ${name}`,
  kind: 'measured',
  value: null,
  ageMs: null,
  target: null,
  worseWhen: name === 'cacheHitRatio' ? 'below' : 'above',
  failMode: 'bad',
  verdict: 'ungoverned',
  detail: null,
  ...change,
});
const governor = (change: Partial<GovernorView> = {}): GovernorView => ({
  at: new Date(at).toISOString(),
  hardStop: null,
  ceilings: [{ reason: 'live_first', eventsPerSecond: 8_000, detail: 'what live leaves' }],
  floorEventsPerSecond: 0,
  adaptivePhase: 'off',
  storm: false,
  signals: measuredSignals.map((name) => signal(name)),
  safeRate: { eventsPerSecond: 5_000, why: 'for the test' },
  ...change,
});
const event = (change: Partial<TelemetryEvent> = {}): TelemetryEvent => ({
  pipelineId: 'flights',
  at,
  values: {},
  stages: { at: new Date(at).toISOString(), stages: [], bottleneck: null, causeChain: [] },
  replay: unknownReplay('applied'),
  streams: [],
  markers: [],
  governor: null,
  ...change,
});

describe('what a second is remembered by', () => {
  test('stages and streams come back as they were, unknown as unknown', () => {
    fc.assert(
      fc.property(stages, streams, (seenStages, seenStreams) => {
        const seen = event({ stages: seenStages, streams: seenStreams });
        const numbers = numbersOf(seen);
        // As the database gives it back.
        const snapshot: Snapshot = JSON.parse(JSON.stringify(snapshotOf(seen, false, nobody)));
        expect(stagesFrom(snapshot, numbers, at)).toEqual(seenStages);
        expect(streamsFrom(snapshot, numbers)).toEqual(seenStreams);
        expect(Object.values(numbers).every(Number.isFinite)).toBe(true);
      }),
    );
  });

  test('signals come back in their order: those that govern whole, the others by their metric, their age unknown', () => {
    const signals = measuredSignals.map((name) =>
      name === 'storeCommitMsP99'
        ? signal(name, { target: 50, verdict: 'breached', value: 90, ageMs: 120 })
        : name === 'deadRows'
          ? signal(name, { failMode: 'ignore', value: 7, ageMs: 120 })
          : signal(name, {
              value: name === 'liveLagMs' ? 4 : null,
              ageMs: name === 'liveLagMs' ? 120 : null,
            }),
    );
    const probe = signal('pr_1', { kind: 'probe', value: 3, ageMs: 900, target: 5, verdict: 'ok' });
    const seen = event({ governor: governor({ signals: [...signals, probe] }) });
    const snapshot = snapshotOf(seen, false, nobody);
    expect(snapshot.governor?.signals.map(({ name }) => name)).toEqual([
      'storeCommitMsP99',
      'deadRows',
      'pr_1',
    ]);
    expect(governorFrom(snapshot, { liveLagMs: 4 })).toEqual({
      ...seen.governor,
      signals: [
        ...signals.map((each) => (each.name === 'liveLagMs' ? { ...each, ageMs: null } : each)),
        probe,
      ],
    });
    expect(governorFrom(snapshotOf(event(), false, nobody), {})).toBe(null);
  });

  test('keeps the first backfills, says how many it left out, and nothing that is a page of its own', () => {
    const backfill = (index: number) =>
      ({
        id: `bf_${index}`,
        state: 'queued',
        verification: { state: 'mismatched', mismatches: [{ key: 'x' }] },
        cost: {
          estimate: { items: [1] },
          metered: { items: [1], spend: { amount: '1', currency: 'USD' } },
          comparison: [1],
        },
        warnings: [{ code: 'long', detail: 'never changes' }],
      }) as unknown as Backfill;
    const many = Array.from({ length: BACKFILLS_KEPT + 3 }, (_, index) => backfill(index));
    const snapshot = snapshotOf(event(), true, { backfills: many, unfinished: many.length + 40, alerts: [] });
    expect(snapshot.backfills.map(({ id }) => id)).toEqual(many.slice(0, BACKFILLS_KEPT).map(({ id }) => id));
    expect(snapshot).toMatchObject({ backfillsLeftOut: 43, replayPaused: true });
    expect(snapshot.backfills[0]).toMatchObject({
      verification: { state: 'mismatched', mismatches: [] },
      cost: { estimate: null, metered: { items: [], spend: { amount: '1' } }, comparison: [] },
    });
    expect(snapshot.backfills[0]).not.toHaveProperty('warnings');
  });

  test('keeps the rate of each at work, also of those it left out', () => {
    const ids = Array.from({ length: 64 }, (_, index) => `bf_${index}`);
    const replay = replayRate('applied', new Map(ids.map((id, index) => [id, index * 10.5])), ids);
    const snapshot: Snapshot = JSON.parse(JSON.stringify(snapshotOf(event({ replay }), false, nobody)));
    expect(replayFrom(snapshot)).toEqual(replay);
    expect(JSON.stringify(snapshot.replay).length).toBeLessThan(64 * 40);
    expect(replayFrom(snapshotOf(event(), false, nobody)), 'nobody counted').toBeNull();
  });

  test('keeps what an alert said then', () => {
    const alert = { id: 'al_1', detail: 'for 2 s', severity: 'critical', code: 'storm' } as Alert;
    expect(snapshotOf(event(), false, { backfills: [], unfinished: 0, alerts: [alert] }).alerts).toEqual([
      { id: 'al_1', detail: 'for 2 s', severity: 'critical' },
    ]);
  });

  test('of a thousand alerts the critical and the newest', () => {
    const alerts = Array.from(
      { length: 1_000 },
      (_, index) =>
        ({
          id: `al_${index}`,
          detail: '',
          severity: index === 0 ? 'critical' : 'warning',
          raisedAt: `2026-01-01T00:${String(Math.floor(index / 60)).padStart(2, '0')}:${String(index % 60).padStart(2, '0')}Z`,
        }) as Alert,
    );
    const kept = snapshotOf(event(), false, { backfills: [], unfinished: 0, alerts }).alerts;
    expect(kept).toHaveLength(ALERTS_KEPT);
    expect([kept[0]?.id, kept[1]?.id]).toEqual(['al_0', 'al_999']);
  });
});

describe('what a longer step is remembered by', () => {
  const second = (name: string, freshnessMs: number | null, change: Partial<GovernorView> = {}) => ({
    values: { liveFreshnessMsP99: freshnessMs },
    snapshot: { ...snapshotOf(event({ governor: governor(change) }), false, nobody), bottleneck: name },
  });
  const unread = (failMode: Signal['failMode']) => [
    signal('liveFreshnessMsP99', { target: 100, verdict: 'unknown', failMode }),
  ];
  const stopped = { hardStop: 'the store has not answered for 2 s' };

  test.each([
    ['the second with the oldest live', [second('a', 10), second('b', 900), second('c', 20)], 'b'],
    ['the last of equals', [second('a', 10), second('b', 10)], 'b'],
    ['a storm rather than any freshness', [second('a', 10, { storm: true }), second('b', 9e9)], 'a'],
    ['a hard stop rather than a storm', [second('a', 10, stopped), second('b', 9e9, { storm: true })], 'a'],
    [
      'a second in which live could not be read',
      [second('a', null, { signals: unread('bad') }), second('b', 12)],
      'a',
    ],
    [
      'not one whose signal is left out then',
      [second('a', null, { signals: unread('ignore') }), second('b', 12)],
      'b',
    ],
    ['a second that is known', [{ values: {}, snapshot: null }, second('b', null)], 'b'],
  ])('%s', (_, seconds, expected) => {
    expect(worstSnapshot(seconds)?.bottleneck).toBe(expected);
  });

  test('with rates that are the step’s, not the second’s', () => {
    const seen = (rates: Record<string, number> | null, freshnessMs: number) => ({
      values: { liveFreshnessMsP99: freshnessMs },
      snapshot: snapshotOf(
        event({ replay: replayRate('applied', rates === null ? null : new Map(Object.entries(rates)), []) }),
        false,
        nobody,
      ),
    });
    const step = worstSnapshot([seen({ bf_1: 100 }, 5), seen(null, 900), seen({ bf_1: 300, bf_2: 50 }, 7)]);
    expect(step === null ? null : replayFrom(step)).toEqual(
      replayRate(
        'applied',
        new Map([
          ['bf_1', 200],
          ['bf_2', 25],
        ]),
        [],
      ),
    );
  });

  test('nothing, where nothing was recorded', () => {
    expect(worstSnapshot([])).toBe(null);
    expect(worstSnapshot([{ values: {}, snapshot: null }])).toBe(null);
  });

  test('in two stages by the same second as in one', () => {
    const one = fc.record({
      freshness: fc.option(fc.nat(5)),
      storm: fc.boolean(),
      stop: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(fc.array(one, { minLength: 1, maxLength: 10 }), { minLength: 1, maxLength: 6 }),
        (tens) => {
          const seconds = tens.map((ten, index) =>
            ten.map(({ freshness, storm, stop }, place) =>
              second(`${index} ${place}`, freshness, { storm, hardStop: stop ? 'stopped' : null }),
            ),
          );
          const minute = worstSnapshot(
            seconds.map((ten) => ({
              values: rollUp(ten.map(({ values }) => values)),
              snapshot: worstSnapshot(ten),
            })),
          );
          const badness = (snapshot: Snapshot | null) => [
            snapshot?.governor?.hardStop,
            snapshot?.governor?.storm,
          ];
          expect(badness(minute)).toEqual(badness(worstSnapshot(seconds.flat())));
        },
      ),
    );
  });

  test('queues, lags and latencies by their worst, rates and ratios by their mean, time left by its least', () => {
    expect(
      rollUp([
        {
          'stage.store.busyRatio': 0.2,
          'stage.store.latencyMsP99': 10,
          'stream.replay.safePausedForMs': 9_000,
        },
        {
          'stage.store.busyRatio': 0.4,
          'stage.store.latencyMsP99': 90,
          'stream.replay.safePausedForMs': 4_000,
        },
        { 'stage.store.busyRatio': null, 'stage.stream.queueLength': 12 },
      ]),
    ).toEqual({
      'stage.store.busyRatio': expect.closeTo(0.3),
      'stage.store.latencyMsP99': 90,
      'stream.replay.safePausedForMs': 4_000,
      'stage.stream.queueLength': 12,
    });
  });
});
