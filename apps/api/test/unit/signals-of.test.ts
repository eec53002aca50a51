/** What is told of a signal was measured: a figure that nobody read has no age either. */
import { expect, test } from 'vitest';
import { lookAt } from '../../src/control-plane/drills/look.ts';
import { signalsOf, toSignal } from '../../src/control-plane/governor/signals-of.ts';
import { liveNeed, type PipelineObservation } from '../../src/control-plane/telemetry/observation.ts';
import { streamsOf } from '../../src/control-plane/telemetry/stages.ts';
import { restingPipeline } from '../fixtures/resting-pipeline.ts';
import { emptyApply } from '../fixtures/ticks.ts';

const seen: PipelineObservation = {
  ...restingPipeline,
  apply: { ...emptyApply, ...restingPipeline.apply, freshnessMsP99: 120 },
};
const targets = { cacheHitRatio: { target: 0.9, failMode: 'bad' as const } };
const shown = (observation: PipelineObservation | null, name: string) =>
  signalsOf(targets, observation, [])
    .map(toSignal)
    .find((signal) => signal.name === name);

test('a measured one is as old as the report it came with', () => {
  expect(shown(seen, 'liveFreshnessMsP99')).toMatchObject({ value: 120, ageMs: 100 });
});

test('one that the report does not have has no age, and is unknown', () => {
  expect(shown(seen, 'cacheHitRatio')).toMatchObject({ value: null, ageMs: null, verdict: 'unknown' });
  expect(shown(seen, 'walBytesPerSecond')).toMatchObject({ value: null, ageMs: null });
  expect(shown(null, 'cacheHitRatio')).toMatchObject({ value: null, ageMs: null, verdict: 'unknown' });
});

test('one that governs although nothing was measured is shown without an age, too', () => {
  const observation = { ...seen, apply: { ...emptyApply, ...seen.apply, freshnessMsP99: null } };
  const governed = { liveFreshnessMsP99: { target: 1_000, failMode: 'bad' as const } };
  const signal = signalsOf(governed, observation, []).find(
    ({ reading }) => reading.name === 'liveFreshnessMsP99',
  );
  expect(signal?.reading).toMatchObject({ value: 0, ageMs: 100 });
  expect(signal && toSignal(signal)).toMatchObject({ value: null, ageMs: null, verdict: 'ok' });
});

test('one that is older than three seconds governs as unknown', () => {
  const governed = { liveFreshnessMsP99: { target: 1_000, failMode: 'bad' as const } };
  const verdictAt = (applyAgeMs: number) =>
    signalsOf(governed, { ...seen, applyAgeMs }, []).map(toSignal)[0]?.verdict;
  expect([verdictAt(3_000), verdictAt(3_001)]).toEqual(['ok', 'unknown']);
});

test('replay is held to nine tenths of the target of live’s freshness, p99, and to the whole of every other', () => {
  const held = signalsOf({}, seen, []).filter(({ reading }) => reading.heldPart !== 1);
  expect(held.map(({ reading }) => [reading.name, reading.heldPart])).toEqual([['liveFreshnessMsP99', 0.9]]);
});

test.each([
  ['more is coming than was applied', 900, 400, 900],
  ['what had waited is worked off', 400, 900, 900],
  ['nobody says what is published', null, 400, 400],
  ['nothing has been applied yet', 900, null, 900],
  ['neither is known', null, null, null],
])('what live needs: %s', (_what, livePublishedEventsPerSecond, liveAppliedEventsPerSecond, need) => {
  expect(liveNeed({ ...seen, livePublishedEventsPerSecond, liveAppliedEventsPerSecond })).toBe(need);
});

test('with a publisher’s clock ahead live is not fresh but unknown, and it says why', () => {
  const governed = {
    liveFreshnessMsP99: { target: 1_000, failMode: 'bad' as const },
    liveFreshnessMsP50: { target: 1_000, failMode: 'bad' as const },
    liveLagMs: { target: 1_000, failMode: 'bad' as const },
    streamLength: { target: 1_000, failMode: 'bad' as const },
  };
  const ahead = { ...emptyApply, ...seen.apply, freshnessMsP99: null, clockAheadMs: 320.4 };
  const signals = signalsOf(governed, { ...seen, apply: ahead }, []).map(toSignal);
  for (const name of ['liveFreshnessMsP99', 'liveFreshnessMsP50', 'liveLagMs'])
    expect(signals.find((signal) => signal.name === name)).toMatchObject({
      value: null,
      ageMs: null,
      verdict: 'unknown',
      detail:
        "the clock of a publisher of live is at least 320 ms ahead of the applier's: how old live events are cannot be told",
    });
  expect(signals.find((signal) => signal.name === 'streamLength')).toMatchObject({ verdict: 'ok' });
});

test('nor does the stream tell an age of live then, or a drill that live is well again', () => {
  for (const [clockAheadMs, ageMs] of [
    [null, 0],
    [320, null],
  ] as const) {
    const observation = { ...seen, apply: { ...emptyApply, ...seen.apply, clockAheadMs } };
    expect(streamsOf(observation)).toMatchObject([
      { name: 'live', consumerLagMs: ageMs, oldestPendingMs: ageMs },
      { name: 'replay', consumerLagMs: 0, oldestPendingMs: 0 },
    ]);
    expect(lookAt(observation, { atMs: 1_000, told: null, replayRuns: true }).applier?.liveLagMs).toBe(ageMs);
  }
});

test.each([
  ['nobody is heard', {}, 'no apply worker has reported in the last seconds'],
  [
    'somebody is heard who can read no stream',
    { readsNoStream: true as const },
    'an apply worker is heard of, but cannot reach its streams',
  ],
  [
    'somebody is heard who has stopped',
    {
      readsNoStream: true as const,
      stoppedLanes: [
        { lane: 'live', stream: 'live', code: 'stream_unavailable', detail: 'no answer', forMs: 9 } as const,
      ],
    },
    'the applier of live has stopped (stream_unavailable): no answer',
  ],
])('why live is unknown: %s', (_what, told, detail) => {
  expect(shown({ ...seen, apply: null, applyAgeMs: null, ...told }, 'liveFreshnessMsP99')?.detail).toBe(
    detail,
  );
});
