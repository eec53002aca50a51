import type { Alert, Drill, Signal } from '@spillway/shared/api/governor';
import { CreateProbe } from '@spillway/shared/api/governor';
import { PatchPipeline, type Pipeline, type Source } from '@spillway/shared/api/pipeline';
import { QueryClient } from '@tanstack/react-query';
import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { alertKeys } from '../../src/features/alerts/api/list-alerts.ts';
import { AlertInbox } from '../../src/features/alerts/model/alert-inbox.ts';
import { sinceWords } from '../../src/features/alerts/model/alert-words.ts';
import { drillNote, outcomeOf } from '../../src/features/drills/model/drill-words.ts';
import { timelineOf } from '../../src/features/drills/model/timeline.ts';
import {
  bindingOf,
  ceilingsAsTheyAct,
  floorMeaning,
  phaseMeaning,
  phaseWords,
} from '../../src/features/governor/model/governor-words.ts';
import { plainWords } from '../../src/features/governor/model/plain-words.ts';
import {
  formatSignal,
  governingFirst,
  inSentence,
  signalValue,
  verdictTone,
} from '../../src/features/governor/model/signal-words.ts';
import { standingOf } from '../../src/features/governor/model/standing.ts';
import { namedPipeline } from '../../src/features/pipeline/model/named-pipeline.ts';
import {
  describeSettingsChange,
  settingsOf,
  settingsPatch,
  settingsProblems,
  settingText,
} from '../../src/features/pipeline/model/settings.ts';
import { emptyProbe, probeBody, probeProblems } from '../../src/features/probes/model/probe-draft.ts';
import { gapMs, outageNote } from '../../src/features/sources/model/gap.ts';

const pipeline = {
  capacity: {
    eventsPerSecond: 38_000,
    origin: 'calibrated',
    measuredAt: null,
    measuredEventsPerSecond: 38_000,
  },
  replayShare: 0.5,
  replayFloor: 0.05,
  headroom: 0.1,
  maxSourcesReplaying: 4,
  highWaterMark: 20_000,
  reconnectStaggerMs: 5_000,
  demo: { liveEventsPerSecond: 100 },
  route: { kind: 'separate', decision: 'live first', consequence: '' },
} as Pipeline;

describe('settings of a pipeline', () => {
  it('patch only what was changed, in the units of the API', () => {
    const before = settingsOf(pipeline);
    expect(settingsPatch(before, before)).toEqual({});
    const after = {
      ...before,
      replayFloorPercent: 7.5,
      reconnectStaggerSeconds: 0.25,
      routeKind: 'shared' as const,
      demoEventsPerSecond: 0,
    };
    const patch = settingsPatch(before, after);
    expect(patch).toEqual({
      replayFloor: 0.075,
      reconnectStaggerMs: 250,
      route: { kind: 'shared', decision: 'live first' },
      demo: { liveEventsPerSecond: 0 },
    });
    expect(Value.Check(PatchPipeline, patch)).toBe(true);
    expect(describeSettingsChange(before, after, pipeline)).toEqual([
      'Floor: 5 % of capacity → 7.5 % of capacity',
      'Reconnect stagger: up to 5 s → up to 250 ms',
      'Live rate of the demo: 100 events/s → 0 events/s',
      'Route: separate → shared',
    ]);
  });

  it('capacity: empty is measured, and measured is not sent as a number', () => {
    const before = settingsOf(pipeline);
    expect(settingText('capacityEventsPerSecond', before, { kind: 'built_in' })).toBe('measured');
    expect(settingText('capacityEventsPerSecond', before, { kind: 'external' })).toBe('unknown');
    expect(before.capacityEventsPerSecond).toBeNull();
    expect(settingsPatch(before, { ...before, capacityEventsPerSecond: 9_000 })).toEqual({
      capacityEventsPerSecond: 9_000,
    });
    const byHand = settingsOf({
      ...pipeline,
      capacity: { ...pipeline.capacity, eventsPerSecond: 9_000, origin: 'set_by_hand' },
    });
    expect(settingsPatch(byHand, before)).toEqual({ capacityEventsPerSecond: null });
  });

  it.each([
    [{ replaySharePercent: 101 }, 'replaySharePercent'],
    [{ replaySharePercent: null }, 'replaySharePercent'],
    [{ replayFloorPercent: 51 }, 'replayFloorPercent'],
    [{ headroomPercent: -1 }, 'headroomPercent'],
    [{ maxSourcesReplaying: 0 }, 'maxSourcesReplaying'],
    [{ highWaterMark: 999 }, 'highWaterMark'],
    [{ reconnectStaggerSeconds: 3_601 }, 'reconnectStaggerSeconds'],
    [{ demoEventsPerSecond: 5_001 }, 'demoEventsPerSecond'],
    [{ capacityEventsPerSecond: 0 }, 'capacityEventsPerSecond'],
    [{ routeDecision: ' ' }, 'routeDecision'],
  ] as const)('%o stands at %s', (change, field) => {
    const settings = settingsOf(pipeline);
    expect(settingsProblems(settings)).toEqual({});
    expect(Object.keys(settingsProblems({ ...settings, ...change }))).toEqual([field]);
  });
});

describe('signals in words', () => {
  it.each([
    ['liveFreshnessMsP99', 93.2, '93 ms'],
    ['liveLagMs', 4_100, '4.1 s'],
    ['replayLagEntries', 12_000, '12,000 entries'],
    ['walBytesPerSecond', 2_097_152, '2 MiB/s'],
    ['rowsNoopPerSecond', 0, '0 rows/s'],
    ['deadRows', 321_000, '321,000 rows'],
    ['cacheHitRatio', 0.987, '99 %'],
    ['pb_83jd', 0.25, '0.25'],
    ['cacheHitRatio', null, 'unknown'],
  ] as const)('%s %s reads %s', (name, value, text) => {
    expect(formatSignal(name, value)).toBe(text);
  });

  it('count one as one', () => {
    expect(formatSignal('liveLagEntries', 1)).toBe('1 entry');
    expect(formatSignal('deadRows', 1)).toBe('1 row');
    expect(formatSignal('streamLength', 0)).toBe('0 entries');
  });

  it('lower the first word inside a sentence, but not a name', () => {
    expect(inSentence('Store commit latency, p99')).toBe('store commit latency p99');
    expect(inSentence('WAL written')).toBe('WAL written');
  });

  it('put titles and units into what the governor says, and leave alone what they do not know', () => {
    const signals = [
      { name: 'liveFreshnessMsP99', title: 'Live freshness, p99' },
      { name: 'pb_8.3', title: 'Disk queue' },
    ] as Signal[];
    expect(plainWords('slow start: liveFreshnessMsP99 is 1731, its target 100', signals)).toBe(
      'slow start: live freshness p99 is 1.7 s, its target 100 ms',
    );
    expect(plainWords('cut back: liveFreshnessMsP99 is 1731, its target 2000 (held to 1800)', signals)).toBe(
      'cut back: live freshness p99 is 1.7 s, its target 2 s (held to 1.8 s)',
    );
    expect(plainWords('frozen: pb_8.3 cannot be read and counts as bad', signals)).toBe(
      'frozen: disk queue cannot be read and counts as bad',
    );
    expect(plainWords('31 of 20000 entries; pb_8x3', signals)).toBe('31 of 20,000 entries; pb_8x3');
    expect(plainWords('8433 events/s of capacity, less 101 of live and 1843 of headroom', [])).toBe(
      '8,433 events/s of capacity, less 101 of live and 1,843 of headroom',
    );
  });

  it('stand the governing ones first, each group in its order', () => {
    const of = (name: string, verdict: Signal['verdict']) => ({ name, verdict }) as Signal;
    expect(
      governingFirst([of('a', 'ungoverned'), of('b', 'unknown'), of('c', 'ungoverned'), of('d', 'ok')]).map(
        ({ name }) => name,
      ),
    ).toEqual(['b', 'd', 'a', 'c']);
  });

  it('an unknown that is left out does not alarm', () => {
    expect(verdictTone({ verdict: 'unknown', failMode: 'bad' })).toBe('warn');
    expect(verdictTone({ verdict: 'unknown', failMode: 'ignore' })).toBe('quiet');
  });

  it('the binding ceiling is the lowest, the first of equals, and none where nothing limits', () => {
    const of = (reason: 'storm' | 'stream' | 'adaptive', eventsPerSecond: number | null) => ({
      reason,
      eventsPerSecond,
      detail: '',
    });
    expect(bindingOf([of('storm', null), of('stream', 10), of('adaptive', 10)])).toBe('stream');
    const acting = { ceilings: [of('adaptive', 46), of('stream', 10)], floorEventsPerSecond: 130.2 };
    const [adaptive, stream] = ceilingsAsTheyAct({ ...acting, hardStop: null });
    expect(adaptive).toEqual({
      reason: 'adaptive',
      eventsPerSecond: 130.2,
      detail: '; raised to the floor of 130 events/s',
    });
    expect(stream?.eventsPerSecond, 'the stream knows no floor').toBe(10);
    expect(bindingOf([of('storm', null)])).toBeNull();
    const stopped = ceilingsAsTheyAct({ ...acting, hardStop: 'the store has not answered for 2.0 s' });
    expect(bindingOf(stopped), 'the hard stop goes before the floor').toBe('hard_stop');
  });

  it('what stands without a number in target had nothing to measure; otherwise it is unknown', () => {
    const of = (verdict: Signal['verdict'], value: number | null = null) =>
      signalValue({ name: 'storeCommitMsP99', verdict, value } as Signal);
    expect(of('ok')).toBe('nothing to measure');
    for (const verdict of ['unknown', 'breached', 'ungoverned'] as const) expect(of(verdict)).toBe('unknown');
    expect(of('ok', 12)).toBe('12 ms');
  });
});

describe('what the governor does, in one word', () => {
  const of = (verdict: Signal['verdict'], failMode: Signal['failMode'] = 'bad') =>
    ({ verdict, failMode }) as Signal;
  it.each([
    [{ hardStop: 'the store does not answer', storm: true, signals: [] }, 'hard_stop'],
    [{ hardStop: null, storm: true, signals: [of('breached')] }, 'storm'],
    [{ hardStop: null, storm: false, signals: [of('ok'), of('breached'), of('unknown')] }, 'blind'],
    [{ hardStop: null, storm: false, signals: [of('breached'), of('unknown', 'ignore')] }, 'cutting'],
    [{ hardStop: null, storm: false, signals: [of('near'), of('unknown', 'ignore')] }, 'calm'],
    [{ hardStop: null, storm: false, signals: [of('ungoverned'), of('unknown', 'ignore')] }, 'unwatched'],
  ] as const)('%o is %s', (view, standing) => {
    expect(standingOf({ ...view, signals: [...view.signals] })).toBe(standing);
  });
});

describe('a probe', () => {
  const draft = {
    ...emptyProbe,
    title: ' Queue ',
    url: 'http://127.0.0.1:9/q',
    pointer: '/depth',
    target: 10,
  };

  it('is sent as the API wants it, without the fields of another kind', () => {
    const body = probeBody(draft);
    expect(Value.Check(CreateProbe, body)).toBe(true);
    expect(body).toMatchObject({ title: 'Queue', pointer: '/depth', intervalMs: 10_000, timeoutMs: 2_000 });
    expect(body).not.toHaveProperty('query');
    expect(probeBody({ ...draft, kind: 'sql', query: 'select 1' })).not.toHaveProperty('pointer');
  });

  it.each([
    [{ title: ' ' }, 'title'],
    [{ url: 'ftp://x' }, 'url'],
    [{ kind: 'sql' as const, query: 'select 1' }, 'url'],
    [{ kind: 'promql' as const }, 'query'],
    [{ pointer: 'depth' }, 'pointer'],
    [{ target: -1 }, 'target'],
    [{ intervalSeconds: 0.5 }, 'intervalSeconds'],
    [{ timeoutSeconds: null }, 'timeoutSeconds'],
  ] as const)('%o is refused at %s', (change, field) => {
    expect(probeProblems(draft)).toEqual({});
    expect(Object.keys(probeProblems({ ...draft, ...change }))).toEqual([field]);
  });
});

describe('the gap of an outage', () => {
  const source = (id: string, change: Partial<Source>) =>
    ({ id, state: 'connected', disconnectedAt: null, liveWatermark: null, ...change }) as Source;
  const west = source('west', { state: 'disconnected', disconnectedAt: '2001-06-01T06:00:00Z' });

  it('reaches from the cut to where the other feeds have got', () => {
    const east = source('east', { liveWatermark: '2001-06-01T09:30:00Z' });
    const lagging = source('central', { liveWatermark: '2001-06-01T07:00:00Z' });
    expect(gapMs(west, [west, lagging, east])).toBe(3.5 * 3_600_000);
    expect(gapMs(east, [west, east])).toBeNull();
  });

  it('is told beside the verdict, by the names of the feeds', () => {
    expect(outageNote([source('east', {})])).toBeNull();
    expect(outageNote([west, source('east', {})])).toBe(
      'Live events are missing, their feed is disconnected: west (since 1 Jun 2001 06:00 UTC of event time). A reconnect queues a backfill of the gap.',
    );
  });

  it('is not known when no other feed says where live is', () => {
    expect(gapMs(west, [west, source('east', { state: 'disconnected' })])).toBeNull();
  });
});

describe('the timeline of a drill', () => {
  const drill: Drill = {
    id: 'dr_1',
    pipelineId: 'flights',
    state: 'finished',
    forMs: 5_000,
    startedBy: 'mira',
    requestedAt: '2026-01-01T00:00:00Z',
    stalledAt: '2026-01-01T00:00:00.100Z',
    stages: [
      { stage: 'store', filledAt: '2026-01-01T00:00:00.300Z' },
      { stage: 'stream', filledAt: null },
    ],
    readerStoppedAt: '2026-01-01T00:00:01.100Z',
    governorStoppedAt: '2026-01-01T00:00:00.900Z',
    peakBacklog: 9_000,
    releasedAt: '2026-01-01T00:00:05.100Z',
    releasedBy: null,
    recoveredAt: '2026-01-01T00:00:08.100Z',
    detail: null,
  };

  it('counts from the stall and leaves what was not seen unseen', () => {
    expect(timelineOf(drill, Date.parse('2026-01-02T00:00:00Z'))).toEqual([
      { name: 'Store stood still', afterMs: 0, place: 0 },
      { name: 'Store filled', afterMs: 200, place: 0.025 },
      { name: 'Stream filled', afterMs: null, place: null },
      { name: 'Governor stopped replay', afterMs: 800, place: 0.1 },
      { name: 'Reader stopped at its gate', afterMs: 1_000, place: 0.125 },
      { name: 'Store released', afterMs: 5_000, place: 0.625 },
      { name: 'All normal again', afterMs: 8_000, place: 1 },
    ]);
  });

  it('knows nothing before the store stood still, and grows while it is under way', () => {
    const asked = timelineOf({ ...drill, stalledAt: null }, 0);
    expect(asked.every(({ afterMs }) => afterMs === null)).toBe(true);
    const running = timelineOf(
      { ...drill, state: 'recovering', recoveredAt: null },
      Date.parse('2026-01-01T00:00:20.100Z'),
    );
    expect(running.at(-2)?.place).toBe(0.25);
  });
});

describe('what Now says of a drill', () => {
  const drill = {
    state: 'stalling',
    forMs: 20_000,
    startedBy: 'mira',
    stalledAt: '2026-01-01T00:00:10Z',
    releasedBy: null,
  } as Drill;
  it.each([
    [{}, 'the store is stalled on purpose for 20 s, since 00:00:10 UTC, and is released by itself.'],
    [
      { releasedBy: 'dana' },
      'the store is stalled on purpose for 20 s, since 00:00:10 UTC, and is released now by dana.',
    ],
    [{ state: 'recovering' }, 'the store has been released, and what waited is worked off.'],
    [
      { state: 'recovering', releasedBy: 'dana' },
      'the store has been released by dana, and what waited is worked off.',
    ],
  ] as const)('%j', (change, said) => {
    expect(drillNote({ ...drill, ...change })).toBe(`This is a fire drill, started by mira: ${said}`);
  });
});

describe('what became of a drill', () => {
  it('is not well where it ended before all was normal', () => {
    expect(outcomeOf({ state: 'finished', recoveredAt: '2026-01-01T00:00:08Z' })).toBe('finished');
    expect(outcomeOf({ state: 'finished', recoveredAt: null })).toBe('not_recovered');
    expect(outcomeOf({ state: 'recovering', recoveredAt: null })).toBe('recovering');
  });
});

describe('since when an alert stands', () => {
  const alert = { raisedAt: '2026-01-01T00:00:10Z', clearedAt: null };

  it('is counted on the clock that raised it, not on the browser’s', () => {
    expect(sinceWords(alert, Date.parse('2026-01-01T00:02:13Z'))).toBe('since 00:00:10 UTC, 2 min 3 s');
    expect(sinceWords(alert, null), 'its age is not known before the first second').toBe(
      'since 00:00:10 UTC',
    );
  });

  it('is from when to when once it is over', () => {
    expect(sinceWords({ ...alert, clearedAt: '2026-01-01T00:01:00Z' }, 0)).toBe('00:00:10 – 00:01:00 UTC');
  });
});

describe('why the adaptive ceiling does what it does', () => {
  const ceiling = (detail: string) => [{ reason: 'adaptive' as const, eventsPerSecond: null, detail }];

  it.each(['no signal has a target', 'the capacity is not known'])('off: %s', (detail) => {
    expect(phaseMeaning({ adaptivePhase: 'off', ceilings: ceiling(detail) })).toBe(detail);
  });

  it('in words of its phase where it acts', () => {
    expect(phaseMeaning({ adaptivePhase: 'slow_start', ceilings: ceiling('slow start: x') })).toBe(
      'doubles while every signal is well',
    );
  });

  it('names how it moves, not where to: beside a breached signal it is cut', () => {
    expect(Object.values(phaseWords).join(' ')).not.toMatch(/up|rais|ris|grow|cut/i);
  });
});

describe('what the floor is a part of', () => {
  it.each([
    ['capacity that is not known', { eventsPerSecond: null }],
    ['a part of the 38,000 events/s measured, less than what is set', { eventsPerSecond: 10_000_000 }],
    [/^kept whatever live needs/, { eventsPerSecond: 9_000 }],
    [/^kept whatever live needs/, { measuredEventsPerSecond: null }],
  ])('%s', (words, change) => {
    expect(floorMeaning({ ...pipeline.capacity, ...change })).toMatch(words);
  });
});

describe('alerts from the event stream', () => {
  const alert = (id: string, clearedAt: string | null = null) =>
    ({ id, pipelineId: 'flights', code: 'storm', clearedAt }) as Alert;

  it('are raised on top and leave when cleared; what was stays among those of lately', () => {
    const queryClient = new QueryClient();
    queryClient.setQueryData(alertKeys.raised('flights'), [alert('al_1')]);
    queryClient.setQueryData(alertKeys.lately('flights'), [alert('al_1')]);
    const ids = (key: readonly unknown[]) => queryClient.getQueryData<Alert[]>(key)?.map(({ id }) => id);
    const inbox = new AlertInbox(queryClient);
    inbox.receive(alert('al_2'));
    expect(ids(alertKeys.raised('flights')), 'nothing moves before the flush').toEqual(['al_1']);
    inbox.flush();
    expect(ids(alertKeys.raised('flights'))).toEqual(['al_2', 'al_1']);
    inbox.receive(alert('al_1', '2026-01-01T00:00:00Z'));
    inbox.flush();
    expect(ids(alertKeys.raised('flights'))).toEqual(['al_2']);
    expect(ids(alertKeys.lately('flights'))).toEqual(['al_2', 'al_1']);
    expect(ids(alertKeys.raised('another')), 'a list nobody asked for is not made up').toBeUndefined();
  });
});

describe('the pipeline that an address names', () => {
  it.each([
    [{ pipeline: 'flights' }, { pipeline: 'flights' }],
    [{ pipeline: 2001 }, { pipeline: '2001' }],
    [{ pipeline: '' }, {}],
    [{ pipeline: null }, {}],
    [{ at: 5 }, {}],
  ])('%j: %j', (search, named) => {
    expect(namedPipeline(search)).toEqual(named);
  });
});
