import type { Backfill } from '@spillway/shared/api/backfill';
import type { Stages, Streams } from '@spillway/shared/api/pipeline';
import { describe, expect, it } from 'vitest';
import { decideVerdict, type VerdictInput } from '../../src/features/now/model/verdict.ts';

function running(
  id: string,
  publishedEventsPerSecond: number | null,
  appliedEventsPerSecond: number | null = null,
): Backfill {
  return { id, state: 'running', progress: { publishedEventsPerSecond, appliedEventsPerSecond } } as Backfill;
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

const calm: VerdictInput = {
  stale: false,
  values: { liveFreshnessMsP99: 22, liveEventsPerSecond: 100, replayEventsPerSecond: 0 },
  stages: null,
  streams: [liveStream(4)],
  backfills: [],
  replayPaused: false,
};

describe('the verdict of the Now screen', () => {
  it.each([
    ['calm without replay', {}, 'safe', 'Live path is safe: 22 ms fresh at p99; nothing is replaying.'],
    [
      'calm beside replay, the fastest named',
      { backfills: [running('bf_1', 200), running('bf_2', 8000)] },
      'safe',
      'Live path is safe: 22 ms fresh at p99; bf_2 adds 8,000 events/s, 1 more beside it.',
    ],
    [
      'what is applied stands in for an unknown published rate',
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
    const verdict = decideVerdict({ ...calm, ...change } as VerdictInput);
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
    expect(decideVerdict({ ...calm, stale: true }).level).toBe('unknown');
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

  it('offers only backfills that publish, the fastest first', () => {
    const paused = { ...running('bf_3', 100), state: 'paused' } as Backfill;
    const verdict = decideVerdict({
      ...calm,
      backfills: [running('bf_1', 10), paused, running('bf_2', 0), running('bf_4', 90)],
    });
    expect(verdict.suspects.map(({ id }) => id)).toEqual(['bf_4', 'bf_1']);
  });
});
