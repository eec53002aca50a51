/** Where the reader's time went, from measured time: also of what is still under way when it is asked. */
import { expect, test } from 'vitest';
import { type StageActivity, StageClock } from '../../src/data-plane/replay/stage-clock.ts';

function world() {
  const clock = { mono: 0, now: () => 0, monotonic: () => clock.mono };
  const stage = new StageClock(clock);
  return {
    /** Ends it. */
    begin(activity: StageActivity): () => Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      const ended = stage.during(activity, () => promise);
      return () => {
        resolve();
        return ended;
      };
    },
    stage,
    pass: (ms: number) => void (clock.mono += ms),
    drain: () => {
      const { busyRatio, blockedRatio, idleRatio } = stage.drain();
      return [busyRatio, blockedRatio, idleRatio];
    },
  };
}

test('a read that outlasts several questions is busy in each, and in none twice', async () => {
  const { begin, pass, drain } = world();
  const read = begin('busy');
  pass(250);
  expect(drain()).toEqual([1, 0, 0]);
  pass(250);
  expect(drain()).toEqual([1, 0, 0]);
  pass(50);
  await read();
  const wait = begin('idle');
  pass(150);
  expect(drain()).toEqual([0.25, 0, 0.75]);
  await wait();
});

test('two leases share the sum', async () => {
  const { begin, pass, drain } = world();
  const [blocked, busy] = [begin('blocked'), begin('busy')];
  pass(100);
  await busy();
  pass(200);
  await blocked();
  expect(drain()).toEqual([0.25, 0.75, 0]);
});

test('what the stream takes for appends is told beside, as part of what is busy', async () => {
  const { begin, pass, drain, stage } = world();
  const [read, append] = [begin('busy'), begin('append')];
  pass(100);
  await read();
  pass(200);
  await append();
  const wait = begin('idle');
  pass(100);
  await wait();
  expect(stage.drain()).toEqual({ busyRatio: 0.8, blockedRatio: 0, idleRatio: 0.2, appendRatio: 0.6 });
  expect(drain()).toEqual([0, 0, 1]);
});

test('a stage that nobody used was idle', () => {
  const { pass, drain } = world();
  pass(250);
  expect(drain()).toEqual([0, 0, 1]);
});
