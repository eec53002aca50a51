import { expect, test } from 'vitest';
import { type ApplyReport, lanesOf, mergedReport } from '../../src/control-plane/telemetry/apply-view.ts';
import { emptyApply, emptyStream } from '../fixtures/ticks.ts';

const live: ApplyReport = {
  ...emptyApply,
  lanes: ['live'],
  stage: { busyRatio: 0.2, blockedRatio: 0, idleRatio: 0.8 },
  streams: [emptyStream('flights.live', { position: '07' })],
  freshnessMsP99: 6,
  liveEventsApplied: 100,
  store: {
    ...emptyApply.store,
    rowsAttempted: 100,
    rowsInserted: 90,
    rowsNoop: 10,
    walBytes: 5_000,
    deadRows: 3,
  },
  commitMsP99: 3,
  watermarks: { east: 12 },
};
const replay: ApplyReport = {
  ...emptyApply,
  lanes: ['replay'],
  stage: { busyRatio: 0.3, blockedRatio: 0.6, idleRatio: 0.1 },
  streams: [emptyStream('flights.replay', { position: '99' })],
  counters: [{ backfillId: 'bf_1', applied: 5, duplicate: 0, quarantined: 0 }],
  replayEventsApplied: 900,
  store: { ...emptyApply.store, rowsAttempted: 900, rowsInserted: 900, silentMs: 40, walBytes: 5_100 },
  commitMsP99: 21,
  capacityEventsPerSecond: 80_000,
};

test('two appliers are seen as one: what live sees is live’s, and what holds either up holds the pipeline up', () => {
  expect(mergedReport(live, replay)).toMatchObject({
    stage: replay.stage,
    streams: [{ stream: 'flights.live' }, { stream: 'flights.replay' }],
    counters: replay.counters,
    freshnessMsP99: 6,
    liveEventsApplied: 100,
    replayEventsApplied: 900,
    store: {
      rowsAttempted: 1_000,
      rowsInserted: 990,
      rowsNoop: 10,
      silentMs: 40,
      walBytes: 5_000,
      deadRows: 3,
    },
    commitMsP99: 21,
    watermarks: { east: 12 },
    capacityEventsPerSecond: 80_000,
  });
  expect(lanesOf(mergedReport(live, replay))).toEqual(['live', 'replay']);
});

test('of two that are held up the same, the busier; what is unknown of one is the other’s', () => {
  const busy = { ...live, stage: { busyRatio: 0.9, blockedRatio: 0, idleRatio: 0.1 } };
  const idle = { ...replay, stage: { busyRatio: 0.1, blockedRatio: 0, idleRatio: 0.9 }, commitMsP99: null };
  expect(mergedReport(busy, idle)).toMatchObject({ stage: busy.stage, commitMsP99: 3 });
});

test('one that does not say applies both', () => {
  expect(lanesOf(emptyApply)).toEqual(['live', 'replay']);
});
