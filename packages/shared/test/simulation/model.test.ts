/** The fluid model by its parts: what tests the governor, and answers quotes, has to be right itself. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Conditions, PipelineModel } from '../../src/simulation/model.ts';
import { ModelPipeline } from '../../src/simulation/model-pipeline.ts';
import { ModelReader } from '../../src/simulation/model-reader.ts';

const STEP_MS = 25;
const model: PipelineModel = {
  storeRowsPerSecond: 10_000,
  commitOverheadMs: 1,
  replayCommit: { budgetMs: 20, rowsMin: 1, rowsMax: 1_000 },
  route: 'separate',
  highWaterMark: 1_000,
  oldestEntryMs: null,
  floorEventsPerSecond: 0,
  historyEventsPerSecond: 80_000,
  longestPauseMs: 0,
};
const calm: Conditions = { liveEventsPerSecond: 0, replayAmplification: 1, storeAnswers: true };

/** So many seconds of the same; what was replayed in them, events. */
function run(
  pipeline: ModelPipeline,
  seconds: number,
  rate: number,
  conditions: Partial<Conditions> = {},
): number {
  const before = pipeline.applied;
  for (let step = 0; step < (seconds * 1_000) / STEP_MS; step++)
    pipeline.step({ ...calm, ...conditions }, rate);
  return pipeline.applied - before;
}
const pipelineOf = (change: Partial<PipelineModel> = {}) =>
  new ModelPipeline({ ...model, ...change }, { stepMs: STEP_MS, events: Number.POSITIVE_INFINITY });

describe('the reader', () => {
  const step = (reader: ModelReader, length: number, oldestMs = 0) =>
    reader.step(100, 5_000, { length, oldestMs });

  test('publishes at its rate, no faster than history, and no more than there is room and left', () => {
    expect(step(new ModelReader(model, Infinity), 0)).toBe(500);
    expect(step(new ModelReader({ ...model, historyEventsPerSecond: 2_000 }, Infinity), 0)).toBe(200);
    expect(step(new ModelReader(model, Infinity), 900)).toBe(100);
    expect(step(new ModelReader(model, 30), 0)).toBe(30);
  });

  test('stops at the mark, and goes on at four fifths of it', () => {
    const reader = new ModelReader(model, Infinity);
    expect([999, 1_000, 801, 800].map((length) => step(reader, length))).toEqual([1, 0, 0, 200]);
    expect(reader.hasClosed).toBe(true);
  });

  test('where live shares the stream, waits while the oldest entry is too old', () => {
    const shared = new ModelReader({ ...model, route: 'shared', oldestEntryMs: 25 }, Infinity);
    expect([step(shared, 0, 25), step(shared, 0, 26)]).toEqual([500, 0]);
    const separate = new ModelReader({ ...model, oldestEntryMs: 25 }, Infinity);
    expect(step(separate, 0, 9_000)).toBe(500);
  });
});

describe('the pipeline', () => {
  test('loses nothing and makes nothing up, whatever is done to it', () => {
    const condition = fc.record({
      liveEventsPerSecond: fc.double({ min: 0, max: 8_000, noNaN: true }),
      replayAmplification: fc.constantFrom(1, 10, 500),
      storeAnswers: fc.boolean(),
      rate: fc.double({ min: 0, max: 20_000, noNaN: true }),
    });
    fc.assert(
      fc.property(
        fc.array(condition, { maxLength: 20 }),
        fc.constantFrom('separate' as const, 'shared' as const),
        (all, route) => {
          const pipeline = pipelineOf({ route, floorEventsPerSecond: 200 });
          for (const { rate, ...conditions } of all) {
            run(pipeline, 0.25, rate, conditions);
            expect(pipeline.applied + pipeline.replayWaiting).toBeCloseTo(pipeline.published, 3);
            expect(pipeline.replayWaiting).toBeLessThanOrEqual(model.highWaterMark);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  test('a store that stalls applies nothing, owes an answer since then, and live gets older with the clock', () => {
    const pipeline = pipelineOf();
    run(pipeline, 5, 2_000, { liveEventsPerSecond: 500 });
    const before = pipeline.measured().liveLagMs;
    expect(run(pipeline, 3, 2_000, { liveEventsPerSecond: 500, storeAnswers: false })).toBe(0);
    const { storeSilentMs, liveLagMs, appliedEventsPerSecond } = pipeline.measured();
    expect(storeSilentMs).toBeGreaterThanOrEqual(3_000);
    expect(storeSilentMs).toBeLessThanOrEqual(3_000 + STEP_MS);
    expect(liveLagMs - before).toBeGreaterThan(2_900);
    expect(appliedEventsPerSecond).toBe(0);
  });

  test('a replayed event costs as many times the store’s work as it is amplified', () => {
    const rateAt = (replayAmplification: number) => {
      const pipeline = pipelineOf({ commitOverheadMs: 0 });
      run(pipeline, 5, 20_000, { replayAmplification });
      return run(pipeline, 20, 20_000, { replayAmplification }) / 20;
    };
    const once = rateAt(1);
    for (const times of [10, 100]) expect(once / rateAt(times) / times).toBeCloseTo(1, 1);
  });

  test('live waits for a commit of replay where it has a stream of its own, for all before it where it has not', () => {
    const worst = (route: 'separate' | 'shared') => {
      const pipeline = pipelineOf({ route });
      run(pipeline, 10, 20_000, { liveEventsPerSecond: 500 });
      return pipeline.measured().freshnessMs;
    };
    expect(worst('separate')).toBeLessThan(2 * 20 + 2 * STEP_MS);
    // A thousand entries at ten thousand a second.
    expect(worst('shared')).toBeGreaterThan(80);
  });

  test.each([
    [0, 0],
    [300, 300],
  ])(
    'beside live that takes everything, replay has its floor of %d rows/s and no more',
    (floorEventsPerSecond, expected) => {
      const pipeline = pipelineOf({ floorEventsPerSecond });
      const conditions = { liveEventsPerSecond: 11_000 };
      run(pipeline, 5, 5_000, conditions);
      const rate = run(pipeline, 20, 5_000, conditions) / 20;
      expect(rate).toBeGreaterThanOrEqual(expected * 0.9);
      expect(rate).toBeLessThanOrEqual(expected * 1.1);
    },
  );
});
