import type { Tick } from '@spillway/shared/api/worker-protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runApplyWorker } from '../../src/data-plane/apply/apply-worker.ts';
import { pause } from '../../src/data-plane/pause.ts';
import { type DurableStream, SourceError, type Store, StreamError } from '../../src/data-plane/ports.ts';
import {
  events,
  pipeline,
  silentLog,
  virtual,
  virtualClock,
  WorldApi,
  WorldHistory,
  WorldStream,
} from '../fixtures/worker-world.ts';

beforeEach(() => void vi.useFakeTimers({ ...virtual, toFake: [...virtual.toFake] }));
afterEach(() => void vi.useRealTimers());
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** A stream on which nothing ever arrives. */
function emptyStream(name: string): DurableStream {
  return {
    ...new WorldStream().open(name),
    consumer: () => ({
      read: async ({ waitMs, signal }) => {
        await pause(waitMs, signal);
        return [];
      },
      acknowledge: async () => {},
    }),
  };
}

/** Calibrations take as long as the real one and find the numbers in `found`, one after the other. */
function start(
  found: number[],
  history = new WorldHistory(events(100)),
  open = emptyStream,
  warn: (fields: object, message: string) => void = () => undefined,
) {
  const api = new WorldApi();
  api.pipelines = [{ ...pipeline, calibrate: true }];
  const stop = new AbortController();
  const claims: string[] = [];
  const kept: unknown[] = [];
  let left = found;
  const store = {
    migrate: async () => {},
    commitsSideBySide: async () => false,
    claim: async (stream: string) => {
      claims.push(stream);
      return { fence: claims.filter((claimed) => claimed === stream).length, position: null };
    },
    vacuum: async () => {},
    networkBytes: () => 0,
    watermarks: async () => ({}),
    pulse: async () => ({ walBytes: null, deadRows: null, cacheHitRatio: null, poolWaitMsP99: null }),
    calibrate: async () => {
      await pause(1_500, stop.signal);
      const [eventsPerSecond = 0, ...rest] = left;
      left = rest;
      return { eventsPerSecond, commitMsP99: 5 };
    },
  } as unknown as Store;
  const worker = runApplyWorker({
    control: api,
    clock: virtualClock,
    signal: stop.signal,
    log: { ...silentLog, warn },
    host: 'here',
    version: '0',
    store,
    openStream: async (name) => open(name),
    historyOf: () => history,
    keepHistories: (sources) => void kept.push(sources),
  });
  return {
    api,
    claims,
    kept,
    settings: (calibrate: boolean) => api.push({ type: 'settings', pipeline: { ...pipeline, calibrate } }),
    calibrated: () =>
      (api.of('tick').at(-1)?.body as Tick | undefined)?.apply?.calibrated?.eventsPerSecond ?? null,
    async end() {
      stop.abort();
      await pass(5_000);
      await worker;
    },
  };
}

test('a capacity that is taken back is measured anew, while the applier goes on', async () => {
  const { settings, calibrated, claims, end } = start([30_000, 20_000]);
  await pass(2_000);
  expect(calibrated()).toBe(30_000);
  settings(false);
  await pass(1_000);
  expect(calibrated()).toBeNull();
  settings(true);
  await pass(2_500);
  expect(calibrated()).toBe(20_000);
  expect(claims).toEqual(['live', 'replay']);
  await end();
});

test('it takes its leave as the last thing, when its streams are closed', async () => {
  const did: string[] = [];
  const { api, end } = start([30_000], new WorldHistory(events(100)), (name) => ({
    ...emptyStream(name),
    close: async () => void did.push('closed'),
  }));
  await pass(2_000);
  api.beforeAnswer = (call) => void did.push(call);
  await end();
  expect(did.slice(-3)).toEqual(['closed', 'closed', 'leave']);
});

test('histories are kept of the sources that the pipeline has, as often as it changes', async () => {
  const { api, kept, end } = start([30_000]);
  await pass(1_000);
  api.push({ type: 'settings', pipeline: { ...pipeline, sources: [] } });
  await pass(1_000);
  expect(kept).toEqual([pipeline.sources, []]);
  await end();
});

test('one that could not be measured is tried again', async () => {
  const history = new WorldHistory(events(100));
  const describe = vi
    .spyOn(history, 'describe')
    .mockRejectedValue(new SourceError('source_missing', 'no file'));
  const { calibrated, end } = start([30_000], history);
  await pass(5_000);
  expect(calibrated()).toBeNull();
  describe.mockRestore();
  await pass(30_000);
  expect(calibrated()).toBe(30_000);
  await end();
});

test('a measurement that was under way when somebody set the capacity is not told', async () => {
  const { settings, calibrated, end } = start([30_000, 20_000]);
  await pass(2_000);
  settings(false);
  settings(true);
  await pass(1_000);
  settings(false);
  await pass(3_000);
  expect(calibrated()).toBeNull();
  await end();
});

test('where a stream ends is told of a look that is no older than two seconds', async () => {
  let answersInMs = 0;
  const told: (string | null | undefined)[] = [];
  const { api, end } = start([30_000], new WorldHistory(events(100)), (name) => {
    const stream = emptyStream(name);
    const stats = async (group: string) => {
      const seen = await stream.stats(group);
      await pause(answersInMs, new AbortController().signal);
      return { ...seen, length: 7, lastOffset: '0007' };
    };
    return { ...stream, stats };
  });
  const tell = async (ms: number) => {
    await pass(ms);
    const [report] = (api.of('tick').at(-1)?.body as Tick | undefined)?.apply?.streams ?? [];
    expect(report?.length).toBe(7);
    told.push(report?.lastOffset);
  };
  await tell(3_000);
  // Two streams, one after the other: the look takes six seconds.
  answersInMs = 3_000;
  await tell(1_500);
  await tell(1_500);
  // It is over, and six seconds old.
  await tell(3_300);
  answersInMs = 0;
  await tell(7_000);
  expect(told).toEqual(['0007', '0007', undefined, undefined, '0007']);
  await end();
});

/** Reads of `live` fail with what `fails` says; null: they find nothing. */
function failingStream(name: string, fails: () => Error | null): DurableStream {
  const stream = emptyStream(name);
  const consumer = stream.consumer('applier');
  return {
    ...stream,
    consumer: () => ({
      ...consumer,
      read: async (request) => {
        const error = name === 'live' ? fails() : null;
        if (error !== null) throw error;
        return consumer.read(request);
      },
    }),
  };
}

test.each(['gap', 'stream_unavailable', 'stream_denied'] as const)(
  'lanes that stand with %s are told with their code until they are applied again',
  async (code) => {
    let failure: Error | null = null;
    const { api, end } = start([30_000], new WorldHistory(events(100)), (name) =>
      failingStream(name, () => failure),
    );
    const stops = () => (api.of('tick').at(-1)?.body as Tick | undefined)?.apply?.stopped;
    await pass(4_000);
    expect(stops()).toBeUndefined();
    failure = new StreamError(code, 'live does not go on');
    await pass(2_000);
    const first = stops()?.[0]?.forMs ?? Number.NaN;
    await pass(8_000);
    const stood = { code, detail: 'live does not go on', forMs: expect.any(Number) };
    // One loop serves both.
    expect(stops()).toEqual([
      { lane: 'live', stream: 'live', ...stood },
      { lane: 'replay', stream: 'replay', ...stood },
    ]);
    expect(stops()?.[0]?.forMs).toBe(first + 8_000);
    failure = null;
    await pass(5_000);
    expect(stops()).toBeUndefined();
    await end();
  },
);

test('what stops it again and again is said when it changes, and once a minute while it does not', async () => {
  let failure: Error | null = null;
  const warned = new Map<string, string[]>();
  const fail = () => {
    if (failure !== null) throw failure;
  };
  const { end } = start(
    [30_000],
    new WorldHistory(events(100)),
    (name) => {
      const stream = failingStream(name, () => failure);
      const stats: DurableStream['stats'] = async (group) => {
        fail();
        return stream.stats(group);
      };
      return { ...stream, stats };
    },
    (fields, message) => {
      const { err } = fields as { err: Error };
      warned.set(message, [...(warned.get(message) ?? []), err.message]);
    },
  );
  const saidIn = async (ms: number) => {
    warned.clear();
    await pass(ms);
    return Object.fromEntries(warned);
  };
  const bothSay = (...words: string[]) => ({ 'applying stopped': words, 'streams not readable': words });
  await pass(4_000);

  failure = new StreamError('gap', 'it ends before 7');
  expect(await saidIn(50_000)).toEqual(bothSay('it ends before 7'));
  expect(await saidIn(60_000)).toEqual(bothSay('it ends before 7'));
  failure = new StreamError('gap', 'it ends before 9');
  expect(await saidIn(50_000)).toEqual(bothSay('it ends before 9'));
  failure = null;
  expect(await saidIn(5_000)).toEqual({});
  failure = new StreamError('gap', 'it ends before 9');
  expect(await saidIn(5_000)).toEqual(bothSay('it ends before 9'));
  await end();
});

test('of a pipeline that has been removed nothing is applied, looked at or charged any more', async () => {
  let reads = 0;
  const open = (name: string): DurableStream => {
    const stream = emptyStream(name);
    return {
      ...stream,
      consumer: (...given) => {
        const consumer = stream.consumer(...given);
        return {
          ...consumer,
          read: (asked) => {
            reads += 1;
            return consumer.read(asked);
          },
        };
      },
    };
  };
  const { api, kept, end } = start([30_000], undefined, open);
  await pass(4_000);
  const last = () => api.of('tick').at(-1)?.body as Tick | undefined;
  expect(last()?.apply?.streams.map(({ stream }) => stream)).toEqual(['live', 'replay']);
  api.push({ type: 'pipelines', pipelineIds: [pipeline.pipelineId] });
  await pass(1_000);
  expect(last()?.apply?.streams).toHaveLength(2);
  api.push({ type: 'pipelines', pipelineIds: ['another'] });
  await pass(1_000);
  const before = reads;
  await pass(5_000);
  expect(reads).toBe(before);
  expect(last()).toMatchObject({ apply: { streams: [] }, usage: [] });
  expect(kept.at(-1)).toEqual([]);
  await end();
});
