/** What is wrong, and when it becomes an alert: rules and hysteresis in virtual time. */
import type { GovernorView, Signal } from '@spillway/shared/api/governor';
import type { StoppedLane } from '@spillway/shared/api/worker-protocol';
import { pauseAlert } from '@spillway/shared/quote/stream-plan';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AlertFacts,
  type AlertInputs,
  type AlertPlace,
  alertRules,
  type Concern,
  concernsOf,
  isJudged,
} from '../../src/control-plane/alerts/rules.ts';
import { type AlertMemory, nothingSeen, settleAlerts } from '../../src/control-plane/alerts/settle.ts';

const view: GovernorView = {
  at: '2026-01-01T00:00:00.000Z',
  hardStop: null,
  ceilings: [],
  floorEventsPerSecond: 0,
  adaptivePhase: 'avoidance',
  storm: false,
  signals: [],
  safeRate: { eventsPerSecond: null, why: '' },
};
const inputs = (of: Partial<AlertInputs> = {}, ofView: Partial<GovernorView> = {}): AlertInputs => ({
  pipelineId: 'flights',
  view: { ...view, ...ofView },
  storeSilentMs: 0,
  replayStreamFull: false,
  runningBackfills: [],
  ...of,
});
const facts = (of: Partial<AlertFacts> = {}): AlertFacts => ({
  listeningMs: 3_600_000,
  workers: [],
  fedPipelines: new Set(['flights']),
  failedSources: [],
  failedBackfills: [],
  publishedEventsPerSecond: () => null,
  ...of,
});
const signal = (of: Partial<Signal>): Signal => ({
  name: 'liveFreshnessMsP99',
  title: 'Live freshness, p99',
  kind: 'measured',
  value: 12,
  ageMs: 100,
  target: 25,
  worseWhen: 'above',
  failMode: 'bad',
  verdict: 'ok',
  detail: null,
  ...of,
});
type Pause = NonNullable<ReturnType<typeof pauseAlert>>;
const codes = (concerns: readonly Concern[]) => concerns.map(({ code, subject }) => [code, subject]);

describe('what is wrong', () => {
  test('a replay worker that does not reach the stream of an external pipeline, by its machine', () => {
    const external = { unseen: null, astray: [{ workerId: 'wk_2', problem: 'there is no stream orders' }] };
    const workers = [
      { id: 'wk_2', role: 'replay', host: 'far', joinedMs: 0, silentMs: 0, left: false },
    ] as const;
    const [concern, ...others] = concernsOf([inputs({ external })], facts({ workers }));
    expect(others).toEqual([]);
    expect(concern).toMatchObject({ code: 'groups_unseen', subject: 'wk_2', severity: 'warning' });
    expect(concern?.detail).toMatch(/^Replay worker wk_2 on far does not .*: there is no stream orders\.$/);
  });

  test('nothing, when all is well', () => {
    expect(concernsOf([inputs({}, { signals: [signal({})] })], facts())).toEqual([]);
  });

  test('a budget from 80 % on, told apart from one that holds its backfill, and a pause that runs out', () => {
    const budgets = [
      { backfillId: 'bf_1', spent: false, detail: '8.10 of 10.00 USD spent' },
      { backfillId: 'bf_2', spent: true, detail: '9.90 of 10.00 USD spent' },
    ];
    const pauses = [
      {
        stream: 'replay',
        severity: 'critical' as const,
        detail: 'Entries that are not applied are lost in 9 min.',
        past: 'Entries that were not applied were 9 min from being lost.',
      },
    ];
    const concerns = concernsOf([inputs({ budgets, pauses })], facts());
    expect(
      concerns.map(({ code, backfillId, subject, severity }) => [code, backfillId, subject, severity]),
    ).toEqual([
      ['budget_near', 'bf_1', null, 'warning'],
      ['budget_near', 'bf_2', null, 'warning'],
      ['pause_runs_out', null, 'replay', 'critical'],
    ]);
    expect(concerns.map(({ detail }) => detail)).toEqual([
      'The budget of bf_1 is nearly spent: 8.10 of 10.00 USD spent.',
      'The budget of bf_2 is spent: 9.90 of 10.00 USD spent. It is held until the budget is raised.',
      'Entries that are not applied are lost in 9 min.',
    ]);
  });

  test('a storm names the backfills responsible, the fastest first, and leaves out the idle', () => {
    const rates: Record<string, number> = { bf_slow: 500, bf_fast: 8_000, bf_idle: 0 };
    const [storm] = concernsOf(
      [inputs({ runningBackfills: ['bf_slow', 'bf_idle', 'bf_fast'] }, { storm: true })],
      facts({ publishedEventsPerSecond: (id) => rates[id] ?? null }),
    );
    expect(storm).toMatchObject({ code: 'storm', subject: null, backfillId: null });
    expect(storm?.detail).toBe(
      'Replay storm: live has been falling behind while bf_fast publishes 8,000 events/s and bf_slow publishes 500 events/s; replay is held to the floor until live has caught up.',
    );
  });

  test.each([
    [['bf_a'], null, 'while bf_a ran;'],
    [['bf_a'], 0, 'while bf_a ran;'],
    [[], null, 'while replay runs;'],
  ])('a storm of %j of which no rate tells anything (%s)', (runningBackfills, rate, said) => {
    const [storm] = concernsOf(
      [inputs({ runningBackfills }, { storm: true })],
      facts({ publishedEventsPerSecond: () => rate }),
    );
    expect(storm?.detail).toContain(said);
  });

  test.each([
    [null, []],
    [0, []],
    [999, []],
    [1_000, [['store_stalled', null]]],
  ])('a store silent for %s ms', (storeSilentMs, expected) => {
    expect(codes(concernsOf([inputs({ storeSilentMs })], facts()))).toEqual(expected);
  });

  test('an applier that is not heard is no store that does not answer, and its signals say nothing of live', () => {
    const late = signal({ name: 'storeCommitMsP99', kind: 'measured', verdict: 'breached', value: 3_200 });
    const unknown = signal({
      name: 'liveFreshnessMsP99',
      kind: 'measured',
      verdict: 'unknown',
      failMode: 'bad',
    });
    const probe = signal({ name: 'pb_1', kind: 'probe', verdict: 'breached' });
    const seen = inputs({ storeSilentMs: 3_200, applierSilent: true }, { signals: [late, unknown, probe] });
    expect(codes(concernsOf([seen], facts()))).toEqual([['live_at_risk', 'pb_1']]);
  });

  const stop = (of: Partial<StoppedLane>): StoppedLane => ({
    lane: 'live',
    stream: 'flights.live',
    code: 'gap',
    detail: 'flights.live begins at 7, 3 was to come',
    forMs: 4_000,
    ...of,
  });

  test('an applier that has stopped: of which stream, by which code, and what to do', () => {
    const stoppedLanes = [
      stop({}),
      stop({ lane: 'replay', stream: 'flights.replay', code: 'apply_failed', detail: '' }),
    ];
    expect(concernsOf([inputs({ stoppedLanes })], facts())).toMatchObject([
      {
        pipelineId: 'flights',
        code: 'applier_stopped',
        subject: 'flights.live',
        backfillId: null,
        severity: 'critical',
        detail:
          'The applier of flights.live has stopped with gap, so live is not applied: flights.live begins at 7, 3 was to come. Nothing is skipped: do what the operations guide says under "A stream that has lost its end".',
      },
      {
        pipelineId: 'flights',
        code: 'applier_stopped',
        subject: 'flights.replay',
        backfillId: null,
        severity: 'warning',
        detail:
          'The applier of flights.replay has stopped with apply_failed, so replay is not applied. It tries again by itself; its log says more.',
      },
    ]);
  });

  test('an applier of both lanes that stands by one cause is one alert, which names both', () => {
    const both = [stop({ lane: 'replay', stream: 'flights.replay' }), stop({})];
    expect(concernsOf([inputs({ stoppedLanes: both })], facts())).toMatchObject([
      {
        pipelineId: 'flights',
        code: 'applier_stopped',
        subject: 'flights.live',
        backfillId: null,
        severity: 'critical',
        detail:
          'The applier of flights.live and flights.replay has stopped with gap, so neither live nor replay is applied: flights.live begins at 7, 3 was to come. Nothing is skipped: do what the operations guide says under "A stream that has lost its end".',
      },
    ]);
  });

  test.each([
    ['a store that owes an answer says it all', 'store_unavailable', 3_000, [['store_stalled', null]]],
    ['one that refuses at once does not', 'store_unavailable', 0, [['applier_stopped', 'flights.live']]],
    [
      'a gap is no matter of the store',
      'gap',
      3_000,
      [
        ['store_stalled', null],
        ['applier_stopped', 'flights.live'],
      ],
    ],
  ])('%s', (_what, code, storeSilentMs, expected) => {
    const stoppedLanes = [stop({ code })];
    expect(codes(concernsOf([inputs({ stoppedLanes, storeSilentMs })], facts()))).toEqual(expected);
  });

  test('what a fire drill brings about says first that it is one', () => {
    const breached = signal({ verdict: 'breached', value: 3_200 });
    const seen = inputs({ storeSilentMs: 3_200, replayStreamFull: true }, { signals: [breached] });
    const beginnings = (drillBy: string | null) =>
      concernsOf([{ ...seen, drillBy }], facts()).map(({ code, detail }) => [
        code,
        detail.split(' ', 3).join(' '),
      ]);
    expect(beginnings('mira')).toEqual([
      ['store_stalled', 'Fire drill by'],
      ['stream_full', 'Fire drill by'],
      ['live_at_risk', 'Fire drill by'],
    ]);
    expect(beginnings(null)[0]).toEqual(['store_stalled', 'The store has']);
    const probes = [
      signal({ name: 'pr_1', title: 'Queue', kind: 'probe', verdict: 'breached' }),
      signal({ name: 'pr_2', title: 'Disk', kind: 'probe', verdict: 'unknown' }),
    ];
    const probed = concernsOf([inputs({ drillBy: 'mira' }, { signals: probes })], facts());
    expect(probed.map(({ detail }) => detail.split(' ', 1)[0])).toEqual(['Queue', 'Disk']);
    const budgets = [{ backfillId: 'bf_1', spent: false, detail: '8.10 of 10.00 USD spent' }];
    expect(concernsOf([inputs({ budgets, drillBy: 'mira' })], facts())[0]?.detail).toMatch(/^The budget/);
  });

  test.each<[Partial<Signal>, [string, string][]]>([
    [{ verdict: 'breached', value: 31 }, [['live_at_risk', 'liveFreshnessMsP99']]],
    [{ verdict: 'near' }, []],
    [{ verdict: 'ungoverned', target: null }, []],
    [{ verdict: 'unknown', value: null }, [['signal_unknown', 'liveFreshnessMsP99']]],
    [{ verdict: 'unknown', value: null, failMode: 'ignore' }, []],
    [{ verdict: 'breached', kind: 'probe', name: 'pr_1' }, [['live_at_risk', 'pr_1']]],
  ])('signal %j', (of, expected) => {
    expect(codes(concernsOf([inputs({}, { signals: [signal(of)] })], facts()))).toEqual(expected);
  });

  test('a breach says what is and what should be; an unknown says why', () => {
    const told = concernsOf(
      [
        inputs(
          {},
          {
            signals: [
              signal({ verdict: 'breached', value: 31.4 }),
              signal({
                name: 'cacheHitRatio',
                title: 'Cache hits',
                verdict: 'breached',
                worseWhen: 'below',
                value: 0.5,
                target: 0.9,
              }),
              signal({
                name: 'storeCommitMsP99',
                title: 'Store commit latency, p99',
                verdict: 'breached',
                value: null,
                target: 50,
              }),
              signal({
                name: 'pr_1',
                title: 'Queue',
                kind: 'probe',
                verdict: 'unknown',
                value: null,
                detail: 'the host refused the connection',
              }),
            ],
          },
        ),
      ],
      facts(),
    ).map(({ detail }) => detail);
    expect(told).toEqual([
      'Live freshness, p99 is 31 ms, above its target of 25 ms: replay is cut back until it has recovered.',
      'Cache hits is 0.5, below its target of 0.9: replay is cut back until it has recovered.',
      'Store commit latency, p99 is above its target of 50 ms: replay is cut back until it has recovered.',
      'Queue cannot be read and counts as bad, so replay is held to its floor: the host refused the connection.',
    ]);
  });

  const worker = (id: string, role: 'apply' | 'replay' | 'feed', silentMs: number) => ({
    ...{ id, role, silentMs },
    ...{ host: 'here', joinedMs: 100_000_000, left: false },
  });
  test.each([
    ['silent for less than ten seconds', 9_999, []],
    [
      'silent for ten',
      10_000,
      ['No apply worker answers: a on here was last heard 10 s ago. Until one joins, nothing is applied.'],
    ],
  ])('workers: %s', (_, silentMs, expected) => {
    const concerns = concernsOf([inputs()], facts({ workers: [worker('a', 'apply', silentMs)] }));
    expect(concerns.map(({ detail }) => detail)).toEqual(expected);
    expect(codes(concerns)).toEqual(expected.map(() => ['worker_lost', 'a']));
  });

  test('a lost worker is named with whoever left after it', () => {
    const workers = [worker('a', 'apply', 60_000), { ...worker('b', 'apply', 20_000), left: true }];
    expect(concernsOf([inputs()], facts({ workers })).map(({ detail }) => detail)).toEqual([
      'No apply worker answers: a on here was last heard 60 s ago, and b on here has left since. Until one joins, nothing is applied.',
    ]);
  });

  test('a lost feed concerns only pipelines that have one', () => {
    const workers = [worker('f', 'feed', 20_000)];
    const concerns = concernsOf([inputs(), inputs({ pipelineId: 'other' })], facts({ workers }));
    expect(concerns.map(({ pipelineId }) => pipelineId)).toEqual(['flights']);
  });

  test('a lost applier is one alert, not one for every signal it measured', () => {
    const signals = [
      signal({ verdict: 'unknown' }),
      signal({ name: 'pr_1', kind: 'probe', verdict: 'unknown' }),
    ];
    const concerns = concernsOf(
      [inputs({ storeSilentMs: null }, { signals })],
      facts({ workers: [worker('a', 'apply', 20_000)] }),
    );
    expect(codes(concerns)).toEqual([
      ['signal_unknown', 'pr_1'],
      ['worker_lost', 'a'],
    ]);
  });

  test('nor is one that will be lost, while another whose reports lack them answers', () => {
    const signals = [signal({ verdict: 'unknown' })];
    const codesOf = (...silentMs: number[]) =>
      codes(
        concernsOf(
          [inputs({ storeSilentMs: null }, { signals, hardStop: 'no apply worker has reported' })],
          facts({ workers: silentMs.map((ms, index) => worker(`a${index}`, 'apply', ms)) }),
        ),
      );
    expect(codesOf(4_000)).toEqual([]);
    expect(codesOf(4_000, 200)).toEqual([['signal_unknown', 'liveFreshnessMsP99']]);
  });

  test('a signal that cannot be read says what comes of it', () => {
    const detailOf = (hardStop: string | null) =>
      concernsOf([inputs({}, { signals: [signal({ verdict: 'unknown' })], hardStop })], facts())[0]?.detail;
    expect(detailOf(null)).toMatch(/counts as bad, so replay is held to its floor/);
    expect(detailOf('the store has not answered for 2 s')).toMatch(/counts as bad, so nothing is replayed/);
  });

  test('nobody is missed, and no signal of theirs, before they could have been heard', () => {
    const of = { storeSilentMs: null };
    const signals = [
      signal({ verdict: 'unknown' }),
      signal({ name: 'pr_1', kind: 'probe', verdict: 'unknown' }),
    ];
    const workers = [worker('a', 'apply', 86_000_000)];
    const codesAt = (listeningMs: number, present = workers) =>
      concernsOf([inputs(of, { signals })], facts({ workers: present, listeningMs })).map(({ code }) => code);
    expect(codesAt(9_999)).toEqual(['signal_unknown']);
    expect(codesAt(10_000)).toEqual(['signal_unknown', 'worker_lost']);
    // Nobody ever joined: then the signals have to say it.
    expect(codesAt(29_999, [])).toEqual(['signal_unknown']);
    expect(codesAt(30_000, [])).toEqual(['signal_unknown', 'signal_unknown']);
  });

  test('a failed backfill says what to do', () => {
    const failedBackfills = [{ id: 'bf_1', pipelineId: 'flights', detail: 'no such file' }];
    expect(concernsOf([], facts({ failedBackfills }))).toEqual([
      {
        pipelineId: 'flights',
        code: 'backfill_failed',
        subject: null,
        backfillId: 'bf_1',
        severity: 'warning',
        detail: 'bf_1 failed: no such file. What it did is kept: retry or cancel it.',
        past: 'bf_1 failed: no such file.',
      },
    ]);
  });

  test('of each the same is said in the past, for when it is over', () => {
    const workers = [worker('r', 'replay', 20_000), worker('a', 'apply', 0)];
    const stops = (['live', 'replay'] as const).map(
      (lane): StoppedLane => ({
        lane,
        stream: lane,
        code: 'store_failed',
        detail: `no ${lane} table`,
        forMs: 0,
      }),
    );
    const pauses = [
      { stream: 'replay', ...(pauseAlert(540_000, { ms: null, entries: null, bytes: null }) as Pause) },
    ];
    const budgets = [true, false].map((spent) => ({
      backfillId: `bf_${spent}`,
      spent,
      detail: '9 of 10 USD',
    }));
    const signals = [
      signal({ verdict: 'breached', value: 40 }),
      signal({ name: 'p', title: 'A probe', kind: 'probe', verdict: 'unknown', detail: 'timeout' }),
    ];
    const wrong = [
      inputs(
        {
          storeSilentMs: 7_500,
          drillBy: 'mira',
          replayStreamFull: true,
          stoppedLanes: stops,
          runningBackfills: ['bf_1'],
          external: { unseen: null, astray: [{ workerId: 'r', problem: 'no stream' }] },
          pauses,
          budgets,
        },
        { storm: true, signals },
      ),
      inputs({ pipelineId: 'other', external: { unseen: 'no group', astray: [] } }),
    ];
    const failed = [{ id: 'x', pipelineId: 'flights', detail: 'no such file' }];
    const concerns = [
      ...concernsOf(wrong, facts({ workers, failedSources: failed, failedBackfills: failed })),
      // While nobody replays, that is what is wrong with the groups.
      ...concernsOf(wrong.slice(1), facts()),
    ];
    expect(new Set(concerns.map(({ code }) => code))).toEqual(new Set(Object.keys(alertRules)));
    for (const { code, past } of concerns) {
      expect(past, code).not.toMatch(
        /\b(is|are|has|have|does|cannot|counts|waits|answers|publishes|runs|sends|until it does)\b/,
      );
      expect(past, code).toMatch(/\.$/);
    }
    expect(concerns.find(({ code }) => code === 'store_stalled')?.past).toBe(
      'Fire drill by mira. The store did not answer for at least 7.5 s: nothing was replayed until it did and live had caught up.',
    );
  });

  test('a pipeline the governor has not looked at is neither well nor ill', () => {
    const storm: AlertPlace = { pipelineId: 'flights', code: 'storm', subject: null, backfillId: null };
    expect(isJudged(storm, [])).toBe(false);
    expect(isJudged(storm, [inputs()])).toBe(true);
    expect(isJudged({ ...storm, code: 'backfill_failed' }, [])).toBe(true);
  });
});

/** A database that is never late: what is raised stands until it is cleared. */
class World {
  nowMs = 1_000_000;
  raised: Concern[] = [];
  memory: AlertMemory = nothingSeen;
  readonly told: [string, number][] = [];
  readonly said: [string, number][] = [];

  /** Looks once a second for so long. */
  forward(seconds: number, concerns: readonly Concern[]): void {
    for (let second = 0; second < seconds; second++) {
      const settled = settleAlerts(this.nowMs, concerns, this.raised, this.memory);
      this.memory = settled.memory;
      for (const alert of settled.raise) this.told.push([`+${alert.code}`, this.nowMs]);
      for (const alert of settled.clear) this.told.push([`-${alert.code}`, this.nowMs]);
      for (const { alert, said, severity } of settled.say) {
        const now = { ...alert, ...said, severity };
        this.said.push([now.detail, this.nowMs]);
        this.raised = this.raised.map((each) => (each === alert ? now : each));
      }
      this.raised = [...this.raised.filter((alert) => !settled.clear.includes(alert)), ...settled.raise];
      this.nowMs += 1_000;
    }
  }
}
const concern = (code: Concern['code'], subject: string | null = null): Concern => ({
  pipelineId: 'flights',
  code,
  subject,
  backfillId: null,
  severity: alertRules[code].severity,
  detail: '',
  past: '',
});

describe('when it is told', () => {
  test.each(['storm', 'store_stalled'] as const)('%s at once', (code) => {
    const world = new World();
    world.forward(1, [concern(code)]);
    expect(world.told).toEqual([[`+${code}`, 1_000_000]]);
  });

  test('the rest after two seconds, once, and over after five of calm', () => {
    const world = new World();
    world.forward(10, [concern('live_at_risk', 'x')]);
    world.forward(10, []);
    expect(world.told).toEqual([
      ['+live_at_risk', 1_002_000],
      ['-live_at_risk', 1_015_000],
    ]);
  });

  test('one that comes and goes every other second is never told', () => {
    const world = new World();
    for (let i = 0; i < 20; i++) world.forward(1, i % 2 === 0 ? [concern('live_at_risk', 'x')] : []);
    expect(world.told).toEqual([]);
  });

  test('one that goes for less than five seconds stays raised', () => {
    const world = new World();
    world.forward(3, [concern('stream_full')]);
    for (let i = 0; i < 5; i++) {
      world.forward(4, []);
      world.forward(1, [concern('stream_full')]);
    }
    expect(world.told).toEqual([['+stream_full', 1_002_000]]);
  });

  test('after a restart what is raised stays, is not raised again, and is cleared when calm', () => {
    const world = new World();
    world.forward(3, [concern('stream_full')]);
    world.memory = nothingSeen;
    world.forward(3, [concern('stream_full')]);
    world.memory = nothingSeen;
    world.forward(8, []);
    expect(world.told.map(([what]) => what)).toEqual(['+stream_full', '-stream_full']);
  });

  test('one that gets worse, or better, says so at once', () => {
    const pause = (severity: Concern['severity'], minutes: number) => [
      { ...concern('pause_runs_out', 'replay'), severity, detail: `in ${minutes} min` },
    ];
    const world = new World();
    world.forward(4, pause('warning', 16));
    world.forward(1, pause('critical', 15));
    expect(world.raised).toMatchObject([{ severity: 'critical', detail: 'in 15 min' }]);
    world.forward(1, pause('warning', 59));
    expect(world.raised).toMatchObject([{ severity: 'warning', detail: 'in 59 min' }]);
    world.forward(10, []);
    expect(world.told).toEqual([
      ['+pause_runs_out', 1_002_000],
      ['-pause_runs_out', 1_011_000],
    ]);
  });

  test('what stands is told as it is now, every few seconds, and only when its sentence has changed', () => {
    const stalled = (detail: string) => [{ ...concern('store_stalled'), detail }];
    const world = new World();
    for (let second = 0; second < 12; second++) world.forward(1, stalled(`for ${second} s`));
    world.forward(20, stalled('for 11 s'));
    world.forward(10, []);
    expect(world.said).toEqual([
      ['for 5 s', 1_005_000],
      ['for 10 s', 1_010_000],
      ['for 11 s', 1_015_000],
    ]);
    expect(world.told.map(([what]) => what)).toEqual(['+store_stalled', '-store_stalled']);
  });

  test('what stood before a fire drill keeps its sentence until the drill is over; what the drill raised follows its own', () => {
    const risk = (subject: string, detail: string) => ({ ...concern('live_at_risk', subject), detail });
    const drill = (detail: string) => `Fire drill by mira. ${detail}`;
    const world = new World();
    world.forward(10, [risk('a', '31 ms')]);
    world.forward(6, [risk('a', drill('40 ms')), risk('b', drill('40 ms'))]);
    world.forward(6, [risk('a', drill('50 ms')), risk('b', drill('50 ms'))]);
    expect(world.raised.map(({ detail }) => detail)).toEqual(['31 ms', drill('50 ms')]);
    world.forward(6, [risk('a', '60 ms'), risk('b', '60 ms')]);
    expect(world.raised.map(({ detail }) => detail)).toEqual(['60 ms', '60 ms']);
  });

  test('a storm keeps naming what made it, which it has taken away since', () => {
    const world = new World();
    for (const rate of [8_000, 400])
      world.forward(10, [{ ...concern('storm'), detail: `bf_1 replays ${rate} events/s` }]);
    expect(world.said).toEqual([]);
  });

  test('two subjects of one code are two alerts', () => {
    const world = new World();
    world.forward(3, [concern('signal_unknown', 'a'), concern('signal_unknown', 'b')]);
    expect(world.raised.map(({ subject }) => subject)).toEqual(['a', 'b']);
  });

  test('every code has a rule; none is raised later than two seconds or cleared sooner than five', () => {
    for (const rule of Object.values(alertRules)) {
      expect(rule.raiseAfterMs).toBeLessThanOrEqual(2_000);
      expect(rule.clearAfterMs).toBeGreaterThanOrEqual(5_000);
    }
  });

  test('whatever comes and goes: raised and cleared alternate, and neither sooner than its rule says', () => {
    const concerns = fc.array(fc.boolean(), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(concerns, fc.constantFrom('storm' as const, 'live_at_risk' as const), (held, code) => {
        const world = new World();
        let heldFor = 0;
        let calmFor = 0;
        for (const holds of held) {
          world.forward(1, holds ? [concern(code)] : []);
          const told = world.told.filter(([, at]) => at === world.nowMs - 1_000);
          if (told.some(([what]) => what.startsWith('+')))
            expect(heldFor * 1_000).toBeGreaterThanOrEqual(alertRules[code].raiseAfterMs);
          if (told.some(([what]) => what.startsWith('-')))
            expect(calmFor * 1_000).toBeGreaterThanOrEqual(alertRules[code].clearAfterMs);
          heldFor = holds ? heldFor + 1 : 0;
          calmFor = holds ? 0 : calmFor + 1;
        }
        for (const [i, [what]] of world.told.entries()) expect(what[0]).toBe(i % 2 === 0 ? '+' : '-');
      }),
    );
  });
});
