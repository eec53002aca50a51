/** Several workers watch one table that is written to all the time: together they count it as seldom as one of them would. */
import type { ReportStatistics, WorkerPipeline } from '@spillway/shared/api/worker-protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { pause } from '../../src/data-plane/pause.ts';
import { type HistorySource, SourceError } from '../../src/data-plane/ports.ts';
import { SourceWatch } from '../../src/data-plane/replay/source-watch.ts';

const COUNT_MS = 4_000;
const HOUR_MS = 3_600_000;
const WORKERS = 8;

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** Workers that have joined one after the other, and what of each other's counts the api tells them. */
async function workersOn(connector: string, telling: boolean) {
  const counted: { worker: number; atMs: number }[] = [];
  const nowMs = () => performance.now();
  const pipeline = {
    pipelineId: 'flights',
    sources: [{ sourceId: 'east', connector, config: {}, fingerprint: null, connected: true }],
  } as unknown as WorkerPipeline;
  const leave: AbortController[] = [];
  const watches: SourceWatch[] = [];
  const ids = Array.from({ length: WORKERS }, (_, worker) => `wk_replay_${worker}`);
  for (const [worker, id] of ids.entries()) {
    const gone = new AbortController();
    const history: Partial<HistorySource> = {
      version: async () => `as of ${nowMs()}`,
      async describe() {
        counted.push({ worker, atMs: nowMs() });
        await pause(COUNT_MS, gone.signal);
        return { fingerprint: `f${nowMs()}`, range: { from: 0, to: 1 }, rows: 1, bytes: 1 };
      },
      count: async () => ({
        from: 0,
        stepMs: 60_000,
        counts: { east: Uint32Array.of(1) },
        quarantined: { east: 0 },
        laps: null,
        estimated: false,
      }),
    };
    const watch = new SourceWatch({
      control: {
        async reportStatistics(by: string, { sourceId, tookMs }: ReportStatistics) {
          if (gone.signal.aborted || !telling) return;
          for (const [other, heard] of watches.entries())
            if (ids[other] !== by) heard.heardOf(sourceId, tookMs ?? 0);
        },
      },
      historyOf: () => history as HistorySource,
      isCurrent: () => true,
      signal: gone.signal,
      clock: { monotonic: nowMs },
    });
    watches.push(watch);
    leave.push(gone);
    void watch.count(id, pipeline);
    void watch.watch(
      (changed) => void watch.count(id, changed),
      () => [pipeline],
    );
    // No two of them look at the same moment.
    await vi.advanceTimersByTimeAsync(1_100);
  }
  return {
    counted,
    leave: (worker: number) => leave[worker]?.abort(),
    end: () => leave.forEach((one) => void one.abort()),
  };
}

const busyPart = (counts: number, ms: number) => (counts * COUNT_MS) / ms;

test('of a table that grows one worker’s counts are enough for all: together a fiftieth of the time', async () => {
  const workers = await workersOn('postgres', true);
  const joined = workers.counted.length;
  expect(joined).toBe(WORKERS);
  await vi.advanceTimersByTimeAsync(4 * HOUR_MS);
  const later = workers.counted.slice(joined);
  expect(busyPart(later.length, 4 * HOUR_MS)).toBeLessThanOrEqual(1 / 50);
  expect(busyPart(later.length, 4 * HOUR_MS)).toBeGreaterThan(1 / 60);
  // Whoever counts leaves: another takes over, within one rest, two counts and some looks.
  const counting = later.at(-1)?.worker ?? 0;
  const leftMs = performance.now();
  workers.leave(counting);
  await vi.advanceTimersByTimeAsync(HOUR_MS);
  const after = workers.counted.filter(({ atMs }) => atMs > leftMs);
  expect(after[0]?.atMs).toBeLessThan(leftMs + 54 * COUNT_MS + 40_000);
  expect(after.every(({ worker }) => worker !== counting)).toBe(true);
  // At most once all of those that are left at a time.
  expect(busyPart(after.length - WORKERS, HOUR_MS)).toBeLessThanOrEqual(1 / 50);
  workers.end();
});

test('a worker that hears of no other counts by itself', async () => {
  const workers = await workersOn('postgres', false);
  await vi.advanceTimersByTimeAsync(4 * HOUR_MS);
  expect(new Set(workers.counted.slice(WORKERS).map(({ worker }) => worker)).size).toBe(WORKERS);
  workers.end();
});

test('of files everybody looks for himself: they do not change all the time', async () => {
  const workers = await workersOn('parquet', true);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(workers.counted.length).toBeGreaterThan(3 * WORKERS);
  workers.end();
});

test('a server that does not answer holds up no source but its own, in its pipeline or another', async () => {
  const told: string[] = [];
  const gone = new AbortController();
  const never = () => new Promise<never>(() => undefined);
  let content = 'first';
  const sound = (): Partial<HistorySource> => ({
    version: async () => content,
    describe: async () => ({ fingerprint: content, range: { from: 0, to: 1 }, rows: 1, bytes: 1 }),
    count: async () => ({
      from: 0,
      stepMs: 60_000,
      counts: {},
      quarantined: null,
      laps: null,
      estimated: true,
    }),
  });
  const histories: Record<string, Partial<HistorySource>> = {
    away: { version: never, describe: never },
    silent: { version: async () => content, describe: never },
    later: { ...sound(), version: async () => (content === 'first' ? content : never()) },
    beside: sound(),
    elsewhere: sound(),
  };
  const of = (pipelineId: string, ...sourceIds: string[]) =>
    ({
      pipelineId,
      sources: sourceIds.map((sourceId) => ({ sourceId, connector: 's3', config: {}, fingerprint: null })),
    }) as unknown as WorkerPipeline;
  const pipelines = [of('one', 'away', 'silent', 'later', 'beside'), of('other', 'elsewhere')];
  const watch = new SourceWatch({
    control: {
      reportStatistics: async (_by: string, { sourceId, fingerprint }: ReportStatistics) =>
        void told.push(`${sourceId}: ${fingerprint}`),
    },
    historyOf: ({ sourceId }) => histories[sourceId] as HistorySource,
    isCurrent: () => true,
    signal: gone.signal,
    clock: { monotonic: () => performance.now() },
  });
  for (const pipeline of pipelines) void watch.count('wk', pipeline);
  void watch.watch(
    (changed) => void watch.count('wk', changed),
    () => pipelines,
  );
  await vi.advanceTimersByTimeAsync(1_000);
  expect(told.toSorted()).toEqual(['beside: first', 'elsewhere: first', 'later: first']);
  content = 'second';
  await vi.advanceTimersByTimeAsync(11_000);
  expect(told.slice(3).toSorted()).toEqual(['beside: second', 'elsewhere: second']);
  gone.abort();
});

test('a slow count of what a source held before says nothing of when its new history is looked at', async () => {
  const looks: string[] = [];
  let now: 'old' | 'new' = 'old';
  const ended = new AbortController();
  const sourceOf = (name: 'old' | 'new') => ({
    sourceId: 'east',
    connector: 'postgres',
    config: { name },
    fingerprint: null,
  });
  const pipelineOf = (name: 'old' | 'new') =>
    ({ pipelineId: 'flights', sources: [sourceOf(name)] }) as unknown as WorkerPipeline;
  const watch = new SourceWatch({
    control: { reportStatistics: async () => undefined },
    historyOf: ({ config }) => {
      const { name } = config as { name: 'old' | 'new' };
      return {
        version: async () => {
          looks.push(name);
          return `${name} as of ${performance.now()}`;
        },
        async describe() {
          await pause(name === 'old' ? 20 * COUNT_MS : 100, ended.signal);
          throw new SourceError('source_unavailable', 'the server is away');
        },
      } as Partial<HistorySource> as HistorySource;
    },
    isCurrent: ({ config }) => (config as { name: string }).name === now,
    signal: ended.signal,
    clock: { monotonic: () => performance.now() },
  });
  void watch.count('wk', pipelineOf('old'));
  await vi.advanceTimersByTimeAsync(1_000);
  now = 'new';
  void watch.count('wk', pipelineOf('new'));
  // The old one ends, too.
  await vi.advanceTimersByTimeAsync(20 * COUNT_MS);
  looks.length = 0;
  void watch.watch(
    () => undefined,
    () => [pipelineOf('new')],
  );
  await vi.advanceTimersByTimeAsync(30_000);
  expect(looks.length).toBeGreaterThan(0);
  ended.abort();
});

test('one that nobody asked to count is counted with the next look, also where it cannot be read, and that once', async () => {
  const gone = new AbortController();
  const denied = async () => Promise.reject(new SourceError('source_denied', 'wrong password'));
  const told: [atMs: number, code: string | undefined][] = [];
  const watch = new SourceWatch({
    control: {
      reportStatistics: async (_, { failure }) => void told.push([performance.now(), failure?.code]),
    },
    historyOf: () => ({ version: denied, describe: denied }) as unknown as HistorySource,
    isCurrent: () => true,
    signal: gone.signal,
    clock: { monotonic: () => performance.now() },
  });
  const pipelineOf = (password: string) =>
    ({
      pipelineId: 'flights',
      sources: [{ sourceId: 'east', connector: 'postgres', config: { password }, fingerprint: null }],
    }) as unknown as WorkerPipeline;
  let known: WorkerPipeline[] = [];
  void watch.watch(
    (found) => void watch.count('wk', found),
    () => known,
  );
  const fromMs = performance.now();
  // It joined without the source, and the question was lost on its way.
  await vi.advanceTimersByTimeAsync(15_000);
  known = [pipelineOf('one')];
  await vi.advanceTimersByTimeAsync(300_000);
  expect(told.map(([atMs, code]) => [atMs - fromMs, code])).toEqual([[20_000, 'source_denied']]);
  // Another history, of which the question was lost as well.
  known = [pipelineOf('two')];
  await vi.advanceTimersByTimeAsync(300_000);
  expect(told.length).toBe(2);
  gone.abort();
});
