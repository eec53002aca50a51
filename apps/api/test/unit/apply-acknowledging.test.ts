/** What is told to the stream, and when. */
import { expect, test } from 'vitest';
import { Acknowledging } from '../../src/data-plane/apply/acknowledging.ts';

function acknowledging() {
  const answers: PromiseWithResolvers<void>[] = [];
  const asked: string[] = [];
  const told: number[] = [];
  const failures: unknown[] = [];
  const own = new Acknowledging(
    {
      acknowledge: (position) => {
        asked.push(position);
        answers.push(Promise.withResolvers());
        return answers.at(-1)?.promise as Promise<void>;
      },
    },
    { acknowledged: (entries) => void told.push(entries), failed: (error) => void failures.push(error) },
  );
  let settled = false;
  return {
    own,
    asked,
    told,
    failures,
    async answer(error?: Error) {
      if (error === undefined) answers.at(-1)?.resolve();
      else answers.at(-1)?.reject(error);
      await new Promise(setImmediate);
    },
    async isSettled() {
      settled = false;
      void own.settled().then(() => void (settled = true));
      await new Promise(setImmediate);
      return settled;
    },
  };
}

test('one at a time; what is finished meanwhile goes with the next, counted as all of it', async () => {
  const world = acknowledging();
  expect(await world.isSettled()).toBe(true);
  world.own.finished(5, 'a');
  world.own.finished(7, 'b');
  world.own.finished(1, 'c');
  expect(world.asked).toEqual(['a']);
  expect(await world.isSettled()).toBe(false);
  await world.answer();
  expect([world.asked, world.told]).toEqual([['a', 'c'], [5]]);
  await world.answer();
  expect(world.told).toEqual([5, 8]);
  expect(await world.isSettled()).toBe(true);
  world.own.finished(2, 'd');
  expect(world.asked.at(-1)).toBe('d');
});

test('one that fails is told, counts nothing, and is settled', async () => {
  const world = acknowledging();
  world.own.finished(5, 'a');
  const gone = new Error('gone');
  await world.answer(gone);
  expect([world.failures, world.told]).toEqual([[gone], []]);
  expect(await world.isSettled()).toBe(true);
});
