/** More streams than a tick takes: each has its turn, and none is unknown meanwhile. */
import { streamsATick, type Tick } from '@spillway/shared/api/worker-protocol';
import { expect, test } from 'vitest';
import { knownBy } from '../../src/control-plane/telemetry/told-in-turn.ts';
import { InTurn } from '../../src/data-plane/replay/in-turn.ts';

type Replay = NonNullable<Tick['replay']>;
const streams = (count: number, events: number) =>
  Array.from({ length: count }, (_, number) => ({ stream: `s${number}`, events }));
const replay = (published: Replay['published']) => ({ published }) as Replay;

test.each([0, 1, 256, 257, 512, 700])('of %i streams all are told in as few ticks as it takes', (count) => {
  const turn = new InTurn(streamsATick);
  let known: Replay | null = null;
  for (let tick = 1; tick <= Math.max(1, Math.ceil(count / streamsATick)); tick += 1) {
    const told = turn.of(streams(count, tick));
    expect(told.length).toBe(Math.min(count, streamsATick));
    known = knownBy(replay(told), known);
  }
  expect(new Set(known?.published?.map(({ stream }) => stream)).size).toBe(count);
  expect(known?.published).toHaveLength(count);
});

test('what is told last holds, and a worker that tells all of them says what there is no more', () => {
  const many = knownBy(replay(streams(256, 2)), replay([...streams(256, 1), { stream: 'other', events: 1 }]));
  expect(many.published?.find(({ stream }) => stream === 's0')?.events).toBe(2);
  expect(many.published?.find(({ stream }) => stream === 'other')?.events).toBe(1);
  expect(knownBy(replay(streams(1, 3)), many).published).toEqual(streams(1, 3));
  expect(knownBy({} as Replay, many).published).toBeUndefined();
});
