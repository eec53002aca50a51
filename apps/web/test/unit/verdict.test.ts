import type { Backfill } from '@spillway/shared/api/backfill';
import type { Alert, GovernorView, Signal } from '@spillway/shared/api/governor';
import type { ReplayRate, Stages, Streams } from '@spillway/shared/api/pipeline';
import { replayRate, unknownReplay } from '@spillway/shared/telemetry/replay-rate';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideVerdict as decideOf, type VerdictInput } from '../../src/features/now/model/verdict.ts';

function running(
  id: string,
  publishedEventsPerSecond: number | null,
  appliedEventsPerSecond: number | null = null,
): Backfill {
  return { id, state: 'running', progress: { publishedEventsPerSecond, appliedEventsPerSecond } } as Backfill;
}

type Told = Omit<VerdictInput, 'replay'> & Partial<VerdictInput>;

/** Unless it is said otherwise, all of what is published is applied. */
function decideVerdict({ replay, ...input }: Told) {
  return decideOf({
    ...input,
    replay: replay === undefined ? applied(ratesOf(input.backfills ?? [])) : replay,
  });
}

function ratesOf(backfills: readonly Backfill[]): Record<string, number> {
  return Object.fromEntries(
    backfills.map(({ id, progress }) => [
      id,
      progress.publishedEventsPerSecond ?? progress.appliedEventsPerSecond ?? 0,
    ]),
  );
}

function applied(rates: Readonly<Record<string, number>>): ReplayRate {
  return replayRate('applied', new Map(Object.entries(rates)), Object.keys(rates));
}

function liveStream(consumerLagMs: number | null): Streams['items'][number] {
  return {
    name: 'live',
    role: 'live',
    length: 10,
    highWaterMark: null,
    lengthBytes: null,
    consumerLag: 1,
    consumerLagMs,
    oldestPendingMs: null,
    retention: 'until applied',
    safePausedForMs: null,
  };
}

const stalledStore = {
  at: '2026-01-01T00:00:00Z',
  bottleneck: 'store',
  causeChain: [],
  stages: [
    {
      stage: 'store',
      eventsPerSecond: 100,
      liveEventsPerSecond: 100,
      replayEventsPerSecond: 0,
      busyRatio: 1,
      blockedRatio: 0.6,
      idleRatio: 0,
      queueLength: null,
      queueLimit: null,
      latencyMsP50: 900,
      latencyMsP99: 2100,
      pressure: 'high',
    },
  ],
} satisfies Stages;

const calm: Omit<VerdictInput, 'replay'> = {
  external: false,
  stale: false,
  values: { liveFreshnessMsP99: 22, liveEventsPerSecond: 100, replayEventsPerSecond: 0 },
  stages: null,
  streams: [liveStream(4)],
  backfills: [],
  replayPaused: false,
  nowMs: Date.parse('2026-01-01T00:03:10Z'),
  governor: null,
  alerts: [],
};

function signal(name: string, change: Partial<Signal> = {}): Signal {
  return {
    name,
    title: 'Store commit latency p99',
    kind: 'measured',
    value: 20,
    ageMs: 200,
    target: 50,
    worseWhen: 'above',
    failMode: 'bad',
    verdict: 'ok',
    detail: null,
    ...change,
  };
}

function governor(change: Partial<GovernorView> = {}): GovernorView {
  return {
    at: '2026-01-01T00:03:10Z',
    hardStop: null,
    ceilings: [],
    floorEventsPerSecond: 400,
    adaptivePhase: 'avoidance',
    storm: false,
    signals: [signal('storeCommitMsP99')],
    safeRate: { eventsPerSecond: 4000, why: 'a share' },
    ...change,
  };
}

function alert(code: Alert['code'], subject: string | null, raisedAt = '2026-01-01T00:00:10Z'): Alert {
  return {
    id: `al_${code}`,
    pipelineId: 'flights',
    backfillId: null,
    code,
    subject,
    severity: 'critical',
    detail: '',
    raisedAt,
    clearedAt: null,
  };
}

describe('the verdict of the Now screen', () => {
  it('says first that the applier has stopped, and with what', () => {
    const why = 'The applier of flights.live has stopped with gap, so live is not applied.';
    const stopped = { ...alert('applier_stopped', 'flights.live'), detail: why };
    const late = signal('liveFreshnessMsP99', { verdict: 'breached', value: 61_000, target: 500 });
    const alerts = [alert('live_at_risk', 'liveFreshnessMsP99'), stopped];
    const verdict = decideVerdict({ ...calm, governor: governor({ signals: [late] }), alerts });
    expect(verdict.level).toBe('risk');
    expect(verdict.sentence).toMatch(
      /^Live path at risk: the applier of flights\.live has stopped for 3 min; /,
    );
    expect(verdict.reasons[0]).toBe(why);
  });

  it('does not call live strained by an applier of replay alone', () => {
    const why = 'The applier of flights.replay has stopped with gap, so replay is not applied.';
    const stopped = {
      ...alert('applier_stopped', 'flights.replay'),
      severity: 'warning' as const,
      detail: why,
    };
    expect(decideVerdict({ ...calm, alerts: [stopped] })).toMatchObject({
      level: 'watch',
      sentence:
        'Live path is safe, but the applier of flights.replay has stopped: 22 ms fresh at p99; nothing is replaying.',
      reasons: [why],
    });
    const lost = { ...alert('worker_lost', 'wk_1'), detail: 'No feed worker answers.' };
    expect(decideVerdict({ ...calm, alerts: [stopped, lost] })).toMatchObject({
      sentence: expect.stringMatching(
        /, but a worker is lost and the applier of flights\.replay has stopped: /,
      ),
      reasons: ['No feed worker answers.', why],
    });
    // Beside a symptom of live it is told, too.
    const late = { ...calm, values: { liveFreshnessMsP99: 1200 }, alerts: [stopped] };
    expect(decideVerdict(late).reasons).toEqual([why]);
  });

  it.each([
    [
      'a backfill’s own rate, some seconds old, where the pipeline publishes nothing',
      {
        values: { ...calm.values, replayPublishedEventsPerSecond: 0 },
        backfills: [running('bf_1', 251)],
        replay: applied({ bf_1: 0 }),
      },
      'safe',
      'Live path is safe: 22 ms fresh at p99; nothing is replaying.',
    ],
    ['calm without replay', {}, 'safe', 'Live path is safe: 22 ms fresh at p99; nothing is replaying.'],
    [
      'calm beside replay: all of it, the fastest named',
      { backfills: [running('bf_1', 200), running('bf_2', 8000)] },
      'safe',
      'Live path is safe: 22 ms fresh at p99; bf_2 and 1 more add 8,200 events/s.',
    ],
    [
      'one whose published rate is unknown',
      { backfills: [running('bf_1', null, 2160)] },
      'safe',
      'Live path is safe: 22 ms fresh at p99; bf_1 adds 2,160 events/s.',
    ],
    [
      'braked',
      { replayPaused: true },
      'safe',
      'Live path is safe: 22 ms fresh at p99; all replay is paused.',
    ],
    [
      'strained from half the limit on',
      { values: { liveFreshnessMsP99: 500 } },
      'watch',
      'Live path strained: live freshness is 500 ms at p99 (limit 1 s); nothing is replaying.',
    ],
    [
      'at risk from the limit on',
      { values: { liveFreshnessMsP99: 1000 }, backfills: [running('bf_12', 8000)] },
      'risk',
      'Live path at risk: live freshness is 1 s at p99 (limit 1 s); bf_12 adds 8,000 events/s.',
    ],
    [
      'lag alone is a symptom too',
      { streams: [liveStream(4100)] },
      'risk',
      'Live path at risk: the live stream lags 4.1 s (limit 1 s); nothing is replaying.',
    ],
  ] as const)('%s', (_name, change, level, sentence) => {
    const verdict = decideVerdict({ ...calm, ...change } as Told);
    expect(verdict).toMatchObject({ level, sentence });
  });

  it('names the worse symptom first and the other as a reason', () => {
    const verdict = decideVerdict({
      ...calm,
      values: { liveFreshnessMsP99: 1200 },
      streams: [liveStream(9000)],
      stages: stalledStore,
    });
    expect(verdict.sentence).toContain('the live stream lags 9 s');
    expect(verdict.reasons).toEqual([
      'live freshness is 1.2 s at p99 (limit 1 s)',
      'store is under HIGH pressure, 2.1 s at p99, blocked 60 % of the time',
    ]);
  });

  it('stays calm under pressure that does not reach live', () => {
    expect(decideVerdict({ ...calm, stages: stalledStore })).toMatchObject({ level: 'safe', reasons: [] });
  });

  it('never calls safe what it cannot know', () => {
    expect(decideVerdict({ ...calm, stale: true })).toMatchObject({
      level: 'unknown',
      sentence: expect.stringContaining('What is shown is the last that was known'),
    });
    expect(decideVerdict({ ...calm, stale: true, values: {} })).toMatchObject({
      level: 'unknown',
      sentence: 'Live path unknown: no telemetry has arrived since this page was opened.',
    });
    expect(
      decideVerdict({ ...calm, values: { liveFreshnessMsP99: null, liveEventsPerSecond: null } }).level,
    ).toBe('unknown');
    expect(decideVerdict({ ...calm, values: {} }).level).toBe('unknown');
  });

  it('says so when live has gone silent', () => {
    const verdict = decideVerdict({ ...calm, values: { liveFreshnessMsP99: null, liveEventsPerSecond: 0 } });
    expect(verdict).toMatchObject({
      level: 'watch',
      sentence: expect.stringContaining('No live events are arriving'),
    });
  });

  it('is never called safe while its alerts cannot be read', () => {
    expect(decideVerdict({ ...calm, alerts: null })).toMatchObject({
      level: 'watch',
      sentence:
        'Live path looks safe, but its alerts cannot be read: 22 ms fresh at p99; nothing is replaying.',
    });
  });

  it.each([
    [applied({ bf_1: 900 }), 'replay adds 900 events/s.'],
    [applied({}), 'no replay is applied.'],
    [unknownReplay('applied'), 'replay: unknown.'],
    [null, 'replay: unknown.'],
  ])('says of replay what telemetry knows where the backfills are not known: %j', (replay, end) => {
    const { sentence, suspects } = decideVerdict({
      ...calm,
      replay,
      backfills: null,
    });
    expect(sentence.slice(-end.length)).toBe(end);
    expect(suspects).toEqual([]);
  });

  it.each([
    [
      'what is published and not applied is named so',
      { bf_1: 0 },
      'bf_1 publishes 251 events/s, of which none is applied yet.',
    ],
    ['what is applied is what it adds, whatever it publishes', { bf_1: 90 }, 'bf_1 adds 90 events/s.'],
    [
      'what is left of another is said beside it',
      { bf_1: 90, bf_0: 30.4 },
      'bf_1 adds 90 events/s, 30 events/s more drain from the stream.',
    ],
    [
      'of one that has published all of its own, too',
      { bf_1: 90, bf_read: 5_000 },
      'bf_1 adds 90 events/s, 5,000 events/s more drain from the stream.',
    ],
    [
      'also while nothing of the first is applied',
      { bf_1: 0, bf_read: 5_000 },
      'bf_1 publishes 251 events/s, of which none is applied yet, 5,000 events/s more drain from the stream.',
    ],
    ['what nobody counts is unknown', null, 'how fast bf_1 replays is unknown.'],
  ] as const)('%s', (_name, rates, end) => {
    const replay = rates === null ? unknownReplay('applied') : applied(rates);
    const { sentence } = decideVerdict({
      ...calm,
      backfills: [running('bf_1', 251, 4_000), running('bf_read', 0)],
      replay,
    });
    expect(sentence.slice(-end.length)).toBe(end);
  });

  it('says of several what they do together', () => {
    const backfills = [running('bf_1', 10), running('bf_2', 30), running('bf_3', 20)];
    const told = (replay: ReplayRate) => decideVerdict({ ...calm, backfills, replay }).sentence;
    expect(told(applied({ bf_1: 0, bf_2: 0, bf_3: 0 }))).toContain(
      'bf_2 and 2 more publish 60 events/s, of which none is applied yet.',
    );
    expect(told(unknownReplay('applied'))).toContain('how fast bf_2 and 2 more replay is unknown.');
    expect(decideVerdict({ ...calm, backfills: [], replay: applied({ bf_9: 44 }) }).sentence).toContain(
      '44 events/s of replay still drain from the stream.',
    );
  });

  it('does not say that nothing is applied of what is, only not lately', () => {
    const { progress, ...rest } = running('bf_1', 250);
    const begun = { ...rest, progress: { ...progress, eventsApplied: 500, eventsDuplicate: 0 } } as Backfill;
    expect(decideVerdict({ ...calm, backfills: [begun], replay: applied({ bf_1: 0 }) }).sentence).toMatch(
      /; bf_1 publishes 250 events\/s\.$/,
    );
  });

  it('says nothing of applying where the store is not ours', () => {
    const told = (rates: Record<string, number>) =>
      decideVerdict({
        ...calm,
        backfills: [running('bf_1', 250)],
        replay: replayRate('published', new Map(Object.entries(rates)), Object.keys(rates)),
      }).sentence;
    expect(told({ bf_1: 240 })).toMatch(/; bf_1 adds 240 events\/s\.$/);
    expect(told({ bf_1: 0 })).toMatch(/; bf_1 publishes 250 events\/s\.$/);
    expect(told({ bf_1: 240, bf_ended: 10 })).toMatch(/; bf_1 adds 240 events\/s\.$/);
    expect(
      decideVerdict({ ...calm, backfills: [], replay: replayRate('published', new Map([['bf_1', 5]]), []) })
        .sentence,
    ).toMatch(/; replay adds 5 events\/s\.$/);
  });

  it('adds up to the pipeline’s rate, whoever has what part of it', () => {
    const rate = fc.integer({ min: 0, max: 5_000 });
    fc.assert(
      fc.property(
        fc.array(fc.record({ publishes: fc.constantFrom(0, 100), adds: rate }), {
          minLength: 1,
          maxLength: 5,
        }),
        fc.array(rate, { maxLength: 3 }),
        (runs, rests) => {
          const backfills = runs.map(({ publishes }, index) => running(`bf_${index}`, publishes, 9));
          const replay = applied({
            ...Object.fromEntries(runs.map(({ adds }, index) => [`bf_${index}`, adds])),
            ...Object.fromEntries(rests.map((each, index) => [`bf_rest${index}`, each])),
          });
          fc.pre(runs.some(({ publishes, adds }) => publishes > 0 && adds > 0));
          const clause =
            decideVerdict({ ...calm, backfills, replay })
              .sentence.split('; ')
              .at(-1) ?? '';
          const said = [...clause.matchAll(/([\d,]+) events\/s/g)].map(([, number]) =>
            Number(number?.replaceAll(',', '')),
          );
          expect(said.reduce((sum, each) => sum + each, 0)).toBe(replay.eventsPerSecond);
        },
      ),
    );
  });

  it('offers only backfills that publish, the fastest first', () => {
    const paused = { ...running('bf_3', 100), state: 'paused' } as Backfill;
    const verdict = decideVerdict({
      ...calm,
      backfills: [running('bf_1', 10), paused, running('bf_2', 0), running('bf_4', 90)],
    });
    expect(verdict.suspects.map(({ id }) => id)).toEqual(['bf_4', 'bf_1']);
  });
});

describe('the verdict with what the governor says', () => {
  const backfills = [running('bf_12', 8000)];
  const breached = signal('storeCommitMsP99', { value: 93, verdict: 'breached' });

  it('stays safe while every governing signal is within its target, or near it', () => {
    for (const verdict of ['ok', 'near', 'ungoverned'] as const)
      expect(
        decideVerdict({ ...calm, governor: governor({ signals: [signal('deadRows', { verdict })] }) }).level,
      ).toBe('safe');
  });

  it.each([
    [
      'a breach that lasts: its name, value, target, how long, and who adds what',
      { governor: governor({ signals: [breached] }), alerts: [alert('live_at_risk', 'storeCommitMsP99')] },
      'risk',
      'Live path at risk: store commit latency p99 is 93 ms, above its target of 50 ms for 3 min; bf_12 adds 8,000 events/s.',
    ],
    [
      'a breach without an alert: the governor breathes at the target',
      { governor: governor({ signals: [breached] }), alerts: [alert('live_at_risk', 'another')] },
      'watch',
      'Live path strained: store commit latency p99 is 93 ms, above its target of 50 ms; bf_12 adds 8,000 events/s.',
    ],
    [
      'a breach without a number: the commit is owed',
      { governor: governor({ signals: [{ ...breached, value: null }] }) },
      'watch',
      'Live path strained: store commit latency p99 is above its target of 50 ms; bf_12 adds 8,000 events/s.',
    ],
    [
      'in target again, its alert not cleared yet',
      { governor: governor(), alerts: [alert('live_at_risk', 'storeCommitMsP99')] },
      'watch',
      'Live path is recovering: 22 ms fresh at p99, its alert not cleared yet; bf_12 adds 8,000 events/s.',
    ],
    [
      'nobody left of a role, while live is well',
      { governor: governor(), alerts: [alert('worker_lost', 'replay-1')] },
      'watch',
      'Live path is safe, but a worker is lost: 22 ms fresh at p99; bf_12 adds 8,000 events/s.',
    ],
    [
      'an alert that is no matter of live',
      { governor: governor(), alerts: [alert('backfill_failed', null)] },
      'safe',
      'Live path is safe: 22 ms fresh at p99; bf_12 adds 8,000 events/s.',
    ],
    [
      'a signal that is worse when it falls',
      {
        governor: governor({
          signals: [
            signal('cacheHitRatio', {
              title: 'Cache hit ratio',
              value: 0.71,
              target: 0.9,
              worseWhen: 'below',
              verdict: 'breached',
            }),
          ],
        }),
      },
      'watch',
      'Live path strained: cache hit ratio is 71 %, below its target of 90 %; bf_12 adds 8,000 events/s.',
    ],
    [
      'live freshness that cannot be read',
      {
        governor: governor({
          signals: [
            signal('liveFreshnessMsP99', {
              title: 'Live freshness p99',
              value: null,
              verdict: 'unknown',
              detail: 'the worker is silent',
            }),
          ],
        }),
        alerts: [alert('signal_unknown', 'liveFreshnessMsP99', '2026-01-01T00:03:00Z')],
      },
      'unknown',
      'Live path unknown: live freshness p99 cannot be read (the worker is silent) for 10 s and counts as bad; bf_12 adds 8,000 events/s.',
    ],
    [
      'what has only just begun lasts, if not yet for a second',
      {
        governor: governor({ storm: true, floorEventsPerSecond: 0 }),
        alerts: [alert('storm', null, '2026-01-01T00:03:09.500Z')],
      },
      'risk',
      'Live path at risk: a replay storm for less than 1 s: live lag grows while replay runs; replay is cut to a floor of nothing; bf_12 adds 8,000 events/s.',
    ],
    [
      'a probe that cannot be read',
      {
        governor: governor({
          signals: [signal('pb_1', { title: 'Disk queue', kind: 'probe', value: null, verdict: 'unknown' })],
        }),
      },
      'watch',
      'Live path strained: disk queue cannot be read and counts as bad; bf_12 adds 8,000 events/s.',
    ],
    [
      'a storm: named, with the lag, and what is done about it',
      {
        governor: governor({ storm: true }),
        alerts: [alert('storm', null, '2026-01-01T00:03:05Z')],
        values: { ...calm.values, liveLagMs: 3200 },
      },
      'risk',
      'Live path at risk: a replay storm for 5 s: live lag grows while replay runs, live is 3.2 s behind; replay is cut to the floor of 400 events/s; bf_12 adds 8,000 events/s.',
    ],
    [
      'a hard stop goes before everything else',
      {
        governor: governor({
          storm: true,
          signals: [breached],
          hardStop: 'the store has not answered for 1.4 s',
        }),
        backfills: [],
        alerts: [alert('live_at_risk', 'storeCommitMsP99'), alert('store_stalled', null)],
      },
      'risk',
      'Live path at risk: the store has not answered for 1.4 s; the governor has stopped all replay; nothing is replaying.',
    ],
  ] as const)('%s', (_name, change, level, sentence) => {
    expect(decideVerdict({ ...calm, backfills, ...change } as Told)).toMatchObject({
      level,
      sentence,
    });
  });

  it('leaves out what is left out', () => {
    const ignored = signal('pb_1', { kind: 'probe', value: null, verdict: 'unknown', failMode: 'ignore' });
    expect(decideVerdict({ ...calm, governor: governor({ signals: [ignored] }) }).level).toBe('safe');
  });

  it('judges freshness by its target where it has one, not by the limit for those that have none', () => {
    const values = { ...calm.values, liveFreshnessMsP99: 900 };
    const within = signal('liveFreshnessMsP99', { value: 900, target: 2000 });
    const streams = [liveStream(880)];
    expect(
      decideVerdict({ ...calm, values, streams, governor: governor({ signals: [within] }) }).level,
      'its lag too',
    ).toBe('safe');
    const untargeted = signal('liveFreshnessMsP99', { value: 900, target: null, verdict: 'ungoverned' });
    expect(decideVerdict({ ...calm, values, governor: governor({ signals: [untargeted] }) }).level).toBe(
      'watch',
    );
  });

  it('tells the worst as the sentence and the others as reasons', () => {
    const freshness = signal('liveFreshnessMsP99', {
      title: 'Live freshness p99',
      value: 600,
      target: 100,
      verdict: 'breached',
    });
    const verdict = decideVerdict({ ...calm, governor: governor({ signals: [breached, freshness] }) });
    expect(verdict.sentence).toContain('live freshness p99 is 600 ms');
    expect(verdict.reasons).toEqual(['store commit latency p99 is 93 ms, above its target of 50 ms']);
  });

  it('says silence of live as silence, not as a signal that failed', () => {
    const unread = signal('liveFreshnessMsP99', { value: null, verdict: 'unknown' });
    const verdict = decideVerdict({
      ...calm,
      values: { liveFreshnessMsP99: null, liveEventsPerSecond: 0 },
      governor: governor({ signals: [unread] }),
    });
    expect(verdict.sentence).toContain('No live events are arriving');
  });
});

describe('the verdict of an external pipeline', () => {
  const external: Told = {
    ...calm,
    external: true,
    values: {},
    streams: [{ ...liveStream(null), role: 'replay', external: true }],
  };
  const probe = (change: Partial<Signal> = {}) =>
    signal('pb_1', { title: 'Disk queue', kind: 'probe', value: 12, target: 50, ...change });
  const signals = (...each: readonly Signal[]) => ({ governor: governor({ signals: [...each] }) });

  it.each([
    [
      'is neither safe nor a worry',
      {},
      'elsewhere',
      'Live does not pass through Spillway here: a probe of yours may say how it does; nothing is replaying.',
    ],
    [
      'names the probes that say that it is well',
      signals(probe(), probe({ name: 'pb_2', title: 'Lag', value: null, verdict: 'near' })),
      'elsewhere',
      'Live does not pass through Spillway here: by your probes, disk queue (12) and lag are in target; nothing is replaying.',
    ],
    [
      'does not ask for a probe where there is one, which says nothing',
      signals(probe({ value: null, verdict: 'unknown', failMode: 'ignore' })),
      'elsewhere',
      'Live does not pass through Spillway here; nothing is replaying.',
    ],
    [
      'says of a probe that is not governed that one may say more',
      signals(probe({ verdict: 'ungoverned' })),
      'elsewhere',
      'Live does not pass through Spillway here: a probe of yours may say how it does; nothing is replaying.',
    ],
    [
      'is not at risk where its groups cannot be looked at, or nobody replays',
      { governor: governor({ hardStop: 'there is no stream orders' }) },
      'watch',
      'Replay is stopped: there is no stream orders; nothing is replaying.',
    ],
    [
      'is at risk by a probe alone',
      {
        governor: governor({
          hardStop: 'there is no stream orders',
          signals: [probe({ value: 80, verdict: 'breached' })],
        }),
        alerts: [alert('live_at_risk', 'pb_1')],
      },
      'risk',
      'Live path at risk: disk queue is 80, above its target of 50 for 3 min; nothing is replaying.',
    ],
    [
      'is strained by a probe that has only begun to breach',
      signals(probe({ value: 80, verdict: 'breached' })),
      'watch',
      'Live path strained: disk queue is 80, above its target of 50; nothing is replaying.',
    ],
    [
      'is not strained by what is measured of replay',
      {
        ...signals(
          signal('replayLagMs', { title: 'Replay lag', value: 9_000, target: 5_000, verdict: 'breached' }),
        ),
        alerts: [alert('live_at_risk', 'replayLagMs')],
      },
      'watch',
      'Replay is held back: replay lag is 9 s, above its target of 5 s for 3 min; nothing is replaying.',
    ],
    [
      'nor by what cannot be read of it',
      signals(signal('liveLagMs', { title: 'Live lag', value: null, verdict: 'unknown' })),
      'watch',
      'Replay is held back: live lag cannot be read and counts as bad; nothing is replaying.',
    ],
    [
      'nor by a storm',
      { governor: governor({ storm: true, floorEventsPerSecond: 0 }) },
      'watch',
      'Replay is held back: a replay storm: live lag grows while replay runs; replay is cut to a floor of nothing; nothing is replaying.',
    ],
    [
      'nor by the lag of a stream that both share',
      { streams: [{ ...liveStream(9_000), role: 'shared', external: true }] },
      'elsewhere',
      'Live does not pass through Spillway here: a probe of yours may say how it does; nothing is replaying.',
    ],
    [
      'says that its alerts cannot be read',
      { alerts: null },
      'watch',
      'Live does not pass through Spillway here, and its alerts cannot be read; nothing is replaying.',
    ],
    [
      'says that an alert is not cleared',
      { ...signals(probe()), alerts: [alert('live_at_risk', 'pb_1')] },
      'watch',
      'Live does not pass through Spillway here, and an alert of it is not cleared yet; nothing is replaying.',
    ],
    [
      'says that a worker is lost',
      { alerts: [alert('worker_lost', 'wk_1')] },
      'watch',
      'Live does not pass through Spillway here, and a worker is lost; nothing is replaying.',
    ],
  ] as const)('%s', (_name, change, level, sentence) => {
    expect(decideVerdict({ ...external, ...change } as Told)).toMatchObject({ level, sentence });
  });

  it('tells beside replay that is stopped who is gone', () => {
    const lost = { ...alert('worker_lost', 'wk_1'), detail: 'No replay worker answers.' };
    const stopped = governor({ hardStop: 'no replay worker reports' });
    expect(decideVerdict({ ...external, governor: stopped, alerts: [lost] }).reasons).toEqual([
      'No replay worker answers.',
    ]);
  });
});
