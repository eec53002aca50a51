import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { measureCapacity } from '../../src/data-plane/apply/calibration.ts';
import type { PipelineEvent } from '../../src/data-plane/event.ts';
import { type FeedParts, runFeed } from '../../src/data-plane/feed/feed.ts';
import { type FeedWorkerOptions, runFeedWorker } from '../../src/data-plane/feed/feed-worker.ts';
import { pause } from '../../src/data-plane/pause.ts';
import {
  type HistoryBatch,
  SourceError,
  type StreamEntry,
  type StreamProducer,
} from '../../src/data-plane/ports.ts';
import {
  ENTRY_BYTES,
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

/** Keeps the place with the events, as the stream does. */
class Producer implements StreamProducer {
  readonly entries: StreamEntry[] = [];
  state: string | null = null;
  longer = 0;
  async append(entries: readonly StreamEntry[], state?: string) {
    this.entries.push(...entries);
    this.state = state ?? this.state;
    return { firstOffset: '', lastOffset: '', bytes: entries.length * ENTRY_BYTES };
  }
  async producerState() {
    return this.state;
  }
  async keepState(state: string) {
    this.state = state;
  }
  async length() {
    return this.entries.length + this.longer;
  }
  get ids(): string[] {
    return this.entries.flatMap((entry) => (entry.type === 'event' ? [entry.event.id] : []));
  }
}

const all: readonly PipelineEvent[] = events(100_000);
async function* forward({
  after,
  maxEvents,
}: {
  after: string | null;
  maxEvents: number;
}): AsyncGenerator<HistoryBatch> {
  for (let next = Number(after ?? 0); next < all.length; next += maxEvents)
    yield { events: all.slice(next, next + maxEvents), quarantined: [], cursor: String(next + maxEvents) };
}

/** A stream that is read, at 100 events/s. */
function play(producer: Producer, parts: Partial<Pick<FeedParts, 'eventsPerSecond' | 'isRead'>> = {}) {
  const stop = new AbortController();
  const ended = runFeed({
    events: forward,
    producer,
    isRead: async () => true,
    clock: virtualClock,
    signal: stop.signal,
    eventsPerSecond: () => 100,
    liveFrom: 0,
    outages: () => [],
    played: () => {},
    ...parts,
  });
  return {
    async stop() {
      stop.abort();
      await pass(100);
      await ended;
    },
  };
}

test('the rate is held, a change of it takes effect at once, and no event is lost or repeated by it', async () => {
  const producer = new Producer();
  let rate = 100;
  const feed = play(producer, { eventsPerSecond: () => rate });
  await pass(5_000);
  expect(Math.abs(producer.ids.length - 500)).toBeLessThanOrEqual(3);
  rate = 1;
  await pass(10_300);
  const before = producer.ids.length;
  // Its next event is due in up to a second.
  rate = 1_000;
  await pass(1_000);
  expect(producer.ids.length - before).toBeGreaterThan(900);
  rate = 0;
  await pass(1_000);
  const stopped = producer.ids.length;
  await pass(5_000);
  expect(producer.ids.length).toBe(stopped);
  await feed.stop();
  expect(producer.ids).toEqual(all.slice(0, stopped).map(({ id }) => id));
});

test('live begins when somebody reads the stream, and once begun it stops for nobody', async () => {
  const producer = new Producer();
  let readers = 0;
  const feed = play(producer, { isRead: async () => readers > 0 });
  await pass(5_000);
  expect(producer.ids).toEqual([]);
  readers = 1;
  await pass(1_000);
  // Without what would have come before.
  expect(Math.abs(producer.ids.length - 100)).toBeLessThanOrEqual(10);
  readers = 0;
  producer.longer = 1_000_000;
  await pass(1_000);
  producer.longer = 0;
  const stood = producer.ids.length;
  await pass(1_000);
  expect(producer.ids.length).toBeGreaterThan(stood + 80);
  await feed.stop();
});

test('a stream that nobody takes from is not filled for ever', async () => {
  const producer = new Producer();
  producer.longer = 1_000_000;
  const feed = play(producer);
  await pass(1_000);
  expect(producer.ids).toEqual([]);
  producer.longer = 0;
  await pass(1_000);
  expect(producer.ids.length).toBeGreaterThan(80);
  await feed.stop();
});

test('a feed whose stream fails goes on by itself from where it was, and says once of a failure that stays', async () => {
  const api = new WorldApi();
  api.pipelines = [{ ...pipeline, liveEventsPerSecond: 100 }];
  const producer = new Producer();
  const warned: string[] = [];
  const stop = new AbortController();
  let opened = 0;
  const worker = runFeedWorker({
    control: api,
    clock: virtualClock,
    signal: stop.signal,
    log: { ...silentLog, warn: (fields) => void warned.push((fields as { err: Error }).err.message) },
    host: 'here',
    version: '0',
    pipelineId: 'flights',
    liveFrom: 0,
    events: forward as FeedWorkerOptions['events'],
    openStream: async (name) => {
      opened += 1;
      if (opened <= 2) throw new Error('locked');
      const stream = new WorldStream().open(name);
      const group = { acknowledged: null, lagEntries: 0, lagMs: 0 };
      const failing = {
        ...stream,
        producer,
        stats: async (name: string) => ({ ...(await stream.stats(name)), group }),
      };
      if (opened === 3)
        setTimeout(() => vi.spyOn(producer, 'append').mockRejectedValueOnce(new Error('disk')), 1_000);
      return failing;
    },
  });
  await pass(6_000);
  expect(opened).toBe(4);
  expect(warned).toEqual(['locked', 'disk']);
  expect(producer.ids.length).toBeGreaterThan(300);
  expect(producer.ids).toEqual(all.slice(0, producer.ids.length).map(({ id }) => id));
  stop.abort();
  await pass(1_000);
  await worker;
});

test('capacity is measured with what can be read; a source that cannot be is left out', async () => {
  const sources = ['east', 'west'].map((sourceId) => ({
    sourceId,
    connector: 'memory',
    config: {},
    fingerprint: null,
    connected: true,
  }));
  const sampled: number[] = [];
  const store = {
    calibrate: async ({ sample }: { sample: readonly PipelineEvent[] }) => {
      sampled.push(sample.length);
      return { eventsPerSecond: 1_000, commitMsP99: 5 };
    },
  };
  const broken = new WorldHistory([]);
  vi.spyOn(broken, 'describe').mockRejectedValue(new SourceError('source_missing', 'no file'));
  const good = new WorldHistory(events(10_000));
  const signal = new AbortController().signal;
  expect(
    await measureCapacity(
      { store, signal, historyOf: ({ sourceId }) => (sourceId === 'east' ? broken : good) },
      { ...pipeline, sources },
    ),
  ).toEqual({ eventsPerSecond: 1_000, commitMsP99: 5 });
  expect(sampled).toEqual([2_500]);
  expect(await measureCapacity({ store, signal, historyOf: () => broken }, { ...pipeline, sources })).toBe(
    null,
  );
});

test('a feed stands still from when its pipeline has been removed', async () => {
  const api = new WorldApi();
  api.pipelines = [{ ...pipeline, liveEventsPerSecond: 100 }];
  const producer = new Producer();
  let appendMs = 0;
  const append = producer.append.bind(producer);
  producer.append = async (...given) => {
    await pause(appendMs, new AbortController().signal);
    return append(...given);
  };
  const stop = new AbortController();
  const worker = runFeedWorker({
    ...{ control: api, clock: virtualClock, signal: stop.signal, log: silentLog, host: 'here', version: '0' },
    ...{ pipelineId: 'flights', liveFrom: 0, events: forward as FeedWorkerOptions['events'] },
    openStream: async (name) => {
      const stream = new WorldStream().open(name);
      const group = { acknowledged: null, lagEntries: 0, lagMs: 0 };
      return { ...stream, producer, stats: async (of: string) => ({ ...(await stream.stats(of)), group }) };
    },
  });
  await pass(3_000);
  api.push({ type: 'pipelines', pipelineIds: ['flights'] });
  // What is under way when it is told is published, and charged to nobody.
  appendMs = 100;
  await pass(1_000);
  const { length } = producer.ids;
  expect(length).toBeGreaterThan(200);
  api.push({ type: 'pipelines', pipelineIds: [] });
  await pass(1_000);
  const stood = producer.ids.length;
  expect(stood - length).toBeLessThan(20);
  expect(api.of('tick').at(-1)?.body).toMatchObject({ usage: [] });
  // Joining anew, to find none, changes nothing.
  api.pipelines = [];
  api.forgetWorkers();
  await pass(5_000);
  expect(producer.ids.length).toBe(stood);
  expect(api.of('tick').at(-1)?.body).toMatchObject({ usage: [] });
  stop.abort();
  await pass(1_000);
  await worker;
});
