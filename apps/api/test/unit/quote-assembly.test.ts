import type { PriceBook } from '@spillway/shared/api/cost';
import { PRESETS_DATED, pricePresets } from '@spillway/shared/cost/presets';
import type { LaneEvents } from '@spillway/shared/quote/event-range';
import { quoteOf } from '@spillway/shared/quote/quote';
import type { Goal } from '@spillway/shared/quote/solve';
import { describe, expect, test } from 'vitest';
import { applierBounds } from '../../src/control-plane/cost/pipeline-model.ts';
import type { PipelineRow } from '../../src/control-plane/pipelines/rows.ts';
import { basisOf, quoteInputsOf } from '../../src/control-plane/quotes/assemble.ts';
import type { QuoteFacts } from '../../src/control-plane/quotes/facts.ts';
import type { PipelineObservation } from '../../src/control-plane/telemetry/observation.ts';
import { REPLAY_ROWS_MAX, REPLAY_ROWS_MIN } from '../../src/data-plane/apply/batch-size.ts';
import { firstBudgetMs } from '../../src/data-plane/apply/commit-budget.ts';
import { emptyApply, emptyStream } from '../fixtures/ticks.ts';

const HOUR_MS = 3_600_000;
const book: PriceBook = {
  ...pricePresets['example-own-machines'],
  version: 1,
  exampleOf: PRESETS_DATED,
  changedBy: 'ada',
  changedAt: '2026-11-01T00:00:00Z',
};

const pipeline = {
  id: 'flights',
  capacityEventsPerSecond: 10_000,
  measuredEventsPerSecond: 10_000,
  replayShare: 0.5,
  replayFloor: 0.05,
  headroom: 0.1,
  signals: {},
  external: null,
  highWaterMark: 20_000,
  route: 'separate',
  liveStream: 'live',
  replayStream: 'replay',
  liveEventsPerSecond: null,
} as unknown as PipelineRow;

const silent: PipelineObservation = {
  replay: [],
  apply: emptyApply,
  applyAgeMs: 0,
  route: 'separate',
  liveStream: 'live',
  replayStream: 'replay',
  highWaterMark: 20_000,
  capacityEventsPerSecond: 10_000,
  grantedEventsPerSecond: null,
  replaying: [],
  livePublishedEventsPerSecond: null,
  replayPublishedEventsPerSecond: null,
  liveAppliedEventsPerSecond: null,
  replayAppliedEventsPerSecond: null,
  replayRate: { of: 'applied', eventsPerSecond: null, backfills: [] },
  rowsAttemptedPerSecond: null,
  rowsInsertedPerSecond: null,
  rowsNoopPerSecond: null,
  walBytesPerSecond: null,
};

function facts(row: Partial<PipelineRow> = {}, over: Partial<QuoteFacts> = {}): QuoteFacts {
  const window = { from: 0, to: 4 * HOUR_MS };
  const lane = { laneFrom: 0, laneTo: 4 * HOUR_MS, subwindows: 4 };
  return {
    nowMs: Date.UTC(2026, 0, 1),
    planned: {
      pipeline: { ...pipeline, ...row },
      sourcesNamed: false,
      isolated: false,
      sources: [
        {
          sourceId: 'east',
          connector: 'parquet',
          fingerprint: 'f1',
          isFar: false,
          range: window,
          wholeFrom: null,
        },
      ],
      requested: window,
      plan: {
        subwindowMs: HOUR_MS,
        window,
        lanes: [{ sourceId: 'east', ...lane }],
        subwindows: 4,
        warnings: [],
      },
    },
    limits: { eventsPerSecond: 1_000, share: null, concurrency: 2, budget: null },
    lanes: [{ sourceId: 'east', basis: 'counted', events: { low: 1e6, likely: 1e6, high: 1e6 } }],
    seen: null,
    safeRate: null,
    replayWorkers: { all: 1, isolated: 0 },
    priceBook: book,
    finishedRuns: [],
    unfinished: [],
    ...over,
  };
}

const inputs = (row?: Partial<PipelineRow>, over?: Partial<QuoteFacts>) =>
  quoteInputsOf(facts(row, over), null);

test('the applier’s bounds are the applier’s', () => {
  const { longestMs, shortestMs, targetPart, rowsMin, rowsMax } = applierBounds;
  expect([rowsMin, rowsMax]).toEqual([REPLAY_ROWS_MIN, REPLAY_ROWS_MAX]);
  for (const target of [null, 1, 10, 40, 60, 100, 1_000])
    expect(target === null ? longestMs : Math.min(longestMs, Math.max(shortestMs, target * targetPart))).toBe(
      firstBudgetMs(target),
    );
});

describe('what is read over a network', () => {
  const [file] = facts().planned.sources;
  const bucket = { ...(file as NonNullable<typeof file>), sourceId: 'west', connector: 's3', isFar: true };
  const lane = (sourceId: string, likely: number): LaneEvents => ({
    sourceId,
    basis: 'counted',
    events: { low: likely, likely, high: likely },
  });
  const egressOf = (lanes: readonly LaneEvents[]) => {
    const { planned } = facts();
    const sources = [...planned.sources, bucket];
    return inputs({}, { planned: { ...planned, sources }, lanes }).coefficients.counters.egressBytes;
  };

  test.each<[string, readonly LaneEvents[], number]>([
    ['nothing, where all is in files here', [lane('east', 1e6)], 0],
    ['all, where all is elsewhere', [lane('west', 1e6)], 16],
    ['their part, where some is', [lane('east', 3e6), lane('west', 1e6)], 4],
    [
      'all, where nobody knows how much',
      [lane('east', 0), { sourceId: 'west', basis: 'unknown', events: null }],
      16,
    ],
  ])('is egress: %s', (_what, lanes, use) => {
    expect(egressOf(lanes)).toMatchObject({ use });
  });
});

describe('live', () => {
  test.each<[string, Partial<PipelineObservation> | null, number | null, number | null]>([
    ['nothing is reported', null, null, null],
    ['the demo’s is set', null, 100, 100],
    ['it is only published', { livePublishedEventsPerSecond: 300 }, 100, 300],
    ['it is applied faster', { livePublishedEventsPerSecond: 300, liveAppliedEventsPerSecond: 500 }, 1, 500],
    ['it has stopped', { livePublishedEventsPerSecond: 0 }, 100, 0],
  ])('when %s', (_when, seen, set, rate) => {
    const observed = seen && { ...silent, ...seen };
    const made = inputs({ liveEventsPerSecond: set }, { seen: observed });
    expect(made.liveEventsPerSecond).toBe(rate);
    expect(made.ceilingEventsPerSecond).toBe(9_000 - (rate ?? 0));
  });

  test('it takes of what is provisioned at what an event has been learned to use', () => {
    const streams = [emptyStream('live', { length: 10, lengthBytes: 1_234 })];
    const seen = { ...silent, liveAppliedEventsPerSecond: 200, apply: { ...emptyApply, streams } };
    const run = {
      events: 10_000,
      usage: { cpuMs: 500n, rowsAttempted: 10_000n, storeReads: 5_000n },
      seconds: 10,
      modelled: { seconds: 10, streamByteMs: 1 },
      longestPauseMs: null,
    };
    const { liveUse } = inputs({}, { seen, finishedRuns: [run] });
    expect(liveUse.cores).toBeCloseTo(0.01);
    // A row each; what the run read of the store was its proof, and live has none.
    expect(liveUse.storeOperationsPerSecond).toBeCloseTo(200);
    expect(liveUse.streamBytes).toBe(1_234);
  });
});

describe('the ceiling', () => {
  test('is never under the floor, and unknown with the capacity', () => {
    expect(inputs({ liveEventsPerSecond: 20_000 }).ceilingEventsPerSecond).toBe(500);
    const blind = inputs({ capacityEventsPerSecond: null });
    expect(blind).toMatchObject({ ceilingEventsPerSecond: null, model: null });
    expect(blind.safeRate.eventsPerSecond).toBeNull();
  });

  test('has a floor of what was measured, whatever is set by hand', () => {
    expect(inputs({ capacityEventsPerSecond: 10_000_000 }).model?.floorEventsPerSecond).toBe(500);
  });

  test('stands in for the governor’s safe rate until it has looked', () => {
    expect(inputs().safeRate.eventsPerSecond).toBe(5_000);
    expect(inputs({ liveEventsPerSecond: 6_000 }).safeRate.eventsPerSecond).toBe(3_000);
    const safeRate = { eventsPerSecond: 7, why: 'it says so' };
    expect(inputs({}, { safeRate }).safeRate).toEqual(safeRate);
  });
});

describe('the model', () => {
  test('takes at most the capacity that was measured', () => {
    const limits = { eventsPerSecond: 10_000_000, share: null, concurrency: 2, budget: null };
    const { peak } = quoteOf(inputs({ headroom: 0, liveEventsPerSecond: 0 }, { limits }));
    expect(peak?.eventsPerSecond).toBe(10_000);
    // A million events are applied in a hundred seconds, and proved three times as fast.
    const { durationSeconds } = quoteOf(inputs({ headroom: 0 }, { limits }));
    expect((durationSeconds?.likely ?? 0) / (100 + 100 / 3)).toBeCloseTo(1, 1);
  });

  test('of a shared stream waits for live’s target; commits are shorter for a strict one', () => {
    const strict = { liveFreshnessMsP99: { target: 40, failMode: 'bad' as const } };
    expect(inputs({ route: 'shared', signals: strict }).model).toMatchObject({
      route: 'shared',
      oldestEntryMs: 10,
      replayCommit: { budgetMs: 8 },
    });
    expect(inputs().model).toMatchObject({ oldestEntryMs: null, replayCommit: { budgetMs: 20 } });
  });

  test('forecasts either route as it would be, whichever the pipeline has now', () => {
    const signals = { liveFreshnessMsP99: { target: 400, failMode: 'bad' as const } };
    // So much live that the store cannot take what is asked for: the stream fills.
    const of = (route: string) =>
      quoteOf(
        inputs(
          { route, signals, liveEventsPerSecond: 6_000, replayFloor: 0.5 },
          { limits: { eventsPerSecond: 5_000, share: null, concurrency: 2, budget: null } },
        ),
      ).route;
    expect(of('separate')).toEqual(of('shared'));
    const { shared } = of('separate');
    // The reader waits behind an entry that is a quarter of the target old; the mark of 20,000 would be seconds.
    expect(shared?.liveFreshnessMs).toBeGreaterThan(100);
    expect(shared?.liveFreshnessMs).toBeLessThan(400);
  });

  test('weighs an entry by the stream, when the stream holds enough to tell', () => {
    const weighed = (length: number) =>
      inputs(
        {},
        {
          seen: {
            ...silent,
            apply: { ...emptyApply, streams: [emptyStream('replay', { length, lengthBytes: length * 250 })] },
          },
        },
      ).bytesPerEntry;
    expect([weighed(5_000), weighed(10)]).toEqual([250, 100]);
  });
});

test('a quote is good for a quarter of an hour, but not beyond the time it is to be done by', () => {
  const validForMs = (goal: Goal | null) => quoteInputsOf(facts(), goal).validForMs;
  expect(validForMs(null)).toBe(900_000);
  expect(validForMs({ kind: 'max_cost', spend: 1n })).toBe(900_000);
  expect(validForMs({ kind: 'finish_by', withinSeconds: 3_600 })).toBe(900_000);
  expect(validForMs({ kind: 'finish_by', withinSeconds: 90.5 })).toBe(90_500);
});

test('what a start is held to', () => {
  const unfinished = [{ backfillId: 'bf_1', sourceIds: ['east'], from: 0, to: 1 }];
  const elsewhere = [{ backfillId: 'bf_2', sourceIds: ['west'], from: 0, to: 1 }];
  expect(basisOf(facts({}, { unfinished: [...unfinished, ...elsewhere] }))).toEqual({
    sources: { east: 'f1' },
    request: '{"mode":"fill","pipelineId":"flights","subwindowMs":3600000,"window":{"from":0,"to":14400000}}',
    priceBookVersion: 1,
    route: 'separate',
    highWaterMark: 20_000,
    replayShare: 0.5,
    headroom: 0.1,
    replayFloor: 0.05,
    capacityEventsPerSecond: 10_000,
    overlaps: ['bf_1'],
  });
});

test.each<[string, string | null, LaneEvents[], string | null]>([
  ['a file, by its content', 'parquet', counted(5, 5), 'f1'],
  ['a table, by the events of the window', 'postgres', counted(5, 5), '5 events of the window'],
  ['a topic whose window cuts a minute', 'kafka', counted(3, 7), '3 to 7 events of the window'],
  ['a table with nothing in the window', 'postgres', [], 'no event of the window'],
  [
    'a topic too large to be counted, by what comes of it alone',
    'kafka',
    [{ ...lane(3, 7), basis: 'estimated' }],
    'events estimated',
  ],
  ['one that has not been counted', null, counted(5, 5), null],
])('and of %s', (_what, connector, lanes, held) => {
  const made = facts({}, { lanes });
  const source = { ...made.planned.sources[0]!, connector: connector ?? 'postgres' };
  const sources = [connector === null ? { ...source, fingerprint: null } : source];
  expect(basisOf({ ...made, planned: { ...made.planned, sources } }).sources).toEqual({ east: held });
});

function counted(low: number, high: number): LaneEvents[] {
  return [lane(low, high)];
}

function lane(low: number, high: number): LaneEvents {
  return { sourceId: 'east', basis: 'counted', events: { low, likely: low, high } };
}
