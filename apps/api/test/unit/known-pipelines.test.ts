/** What stops the reader of a pipeline: its mark, and where live shares the stream how long live may be kept waiting. */
import type { WorkerPipeline } from '@spillway/shared/api/worker-protocol';
import { expect, test } from 'vitest';
import type { DurableStream, ExternalStream } from '../../src/data-plane/ports.ts';
import { knownPipelines } from '../../src/data-plane/replay/known-pipelines.ts';
import { noExternal, pipeline } from '../fixtures/worker-world.ts';

const MARK = 1_000;

/** The room that the gate of the pipeline leaves, on streams whose oldest entry has waited so long. */
async function roomOf(change: Partial<WorkerPipeline>, oldestMs: number) {
  const opened: string[] = [];
  const known = knownPipelines(
    {
      stream: async (name) => {
        opened.push(name);
        return {
          name,
          producer: { length: async () => 400 },
          stats: async () => ({ group: { lagEntries: 400, lagMs: oldestMs } }),
        } as unknown as DurableStream;
      },
      external: noExternal,
    },
    { now: () => 0 },
  );
  const learn = (more: Partial<WorkerPipeline> = {}) =>
    known.learn({ ...pipeline, highWaterMark: MARK, ...change, ...more });
  learn();
  const { gate } = await known.open(pipeline.pipelineId);
  const room = () => gate.pass(async (left) => left);
  return { opened, learn, room };
}

test.each<[string, Partial<WorkerPipeline>, number, string, number]>([
  ['a stream of its own: live does not stand behind it', { freshnessTargetMs: 40 }, 9_000, 'replay', 600],
  ['live’s, with a quarter of its target left', { route: 'shared', freshnessTargetMs: 40 }, 10, 'live', 600],
  ['live’s, beyond it', { route: 'shared', freshnessTargetMs: 40 }, 11, 'live', 0],
  [
    'live’s, without a target: the mark alone',
    { route: 'shared', freshnessTargetMs: null },
    9_000,
    'live',
    600,
  ],
])('%s', async (_what, change, oldestMs, stream, expected) => {
  const { opened, room } = await roomOf(change, oldestMs);
  expect(opened).toEqual([stream]);
  expect(await room()).toBe(expected);
});

test('settings that change hold from the next append on', async () => {
  const { learn, room } = await roomOf({ route: 'shared', freshnessTargetMs: 40 }, 50);
  expect(await room()).toBe(0);
  learn({ freshnessTargetMs: 400 });
  expect(await room()).toBe(600);
  learn({ freshnessTargetMs: 400, highWaterMark: 400 });
  expect(await room()).toBe(0);
});

test('one that has been removed is let go with its stream, and the others stay', async () => {
  const closed: string[] = [];
  const external = (name: string) =>
    ({ name, close: async () => void closed.push(name) }) as unknown as ExternalStream;
  const known = knownPipelines(
    { stream: () => Promise.reject(new Error('not ours')), external },
    { now: () => 0 },
  );
  const definition = { url: 'redis://shop', stream: 'orders', groups: ['counts'] };
  for (const pipelineId of ['orders', 'clicks'])
    known.learn({ ...pipeline, pipelineId, replayStream: `external.${pipelineId}.1`, external: definition });
  for (const { pipelineId } of known.external()) await known.open(pipelineId);
  known.keepOnly(['clicks', 'not-yet-known']);
  expect(closed).toEqual(['external.orders.1']);
  expect(known.all().map(({ pipelineId }) => pipelineId)).toEqual(['clicks']);
  expect(known.external()).toMatchObject([{ pipelineId: 'clicks' }]);
  expect(known.gates()).toHaveLength(1);
  await expect(known.open('orders')).rejects.toThrow('orders');
});
