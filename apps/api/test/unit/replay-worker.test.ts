import type { JoinWorker, Tick } from '@spillway/shared/api/worker-protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ControlError } from '../../src/data-plane/control/control-client.ts';
import { SourceError } from '../../src/data-plane/ports.ts';
import { type ReplayWorkerOptions, runReplayWorker } from '../../src/data-plane/replay/replay-worker.ts';
import {
  ENTRY_BYTES,
  events,
  noExternal,
  pipeline,
  silentLog,
  virtual,
  virtualClock,
  WorldApi,
  WorldHistory,
  WorldStream,
} from '../fixtures/worker-world.ts';

interface World {
  readonly api: WorldApi;
  readonly stream: WorldStream;
  readonly history: WorldHistory;
  readonly stop: AbortController;
  readonly worker: Promise<void>;
}

let world: World | null = null;

beforeEach(() => void vi.useFakeTimers({ ...virtual, toFake: [...virtual.toFake] }));
afterEach(async () => {
  if (world !== null) {
    world.api.down = false;
    world.api.beforeAnswer = () => {};
    world.stop.abort();
    await vi.advanceTimersByTimeAsync(10_000);
    await world.worker;
  }
  world = null;
  vi.useRealTimers();
});

function start(
  history = new WorldHistory(events(100_000)),
  prepare: (api: WorldApi, stream: WorldStream) => void = () => {},
  options: Partial<ReplayWorkerOptions> = {},
): World {
  const api = new WorldApi();
  const stream = new WorldStream();
  const stop = new AbortController();
  prepare(api, stream);
  const worker = runReplayWorker({
    control: api,
    clock: virtualClock,
    signal: stop.signal,
    log: silentLog,
    host: 'here',
    version: '0',
    historyOf: () => history,
    openExternal: noExternal,
    openStream: async (name) => stream.open(name),
    store: { proof: async () => ({ events: [], buckets: [] }), networkBytes: () => 0 },
    ...options,
  });
  world = { api, stream, history, stop, worker };
  return world;
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const whole = { from: 0, to: 1_000_000 };

describe('an attempt', () => {
  test('publishes every event once at its rate, ends with a marker, and reports what it did', async () => {
    const { api, stream } = start(new WorldHistory(events(3_000)), (made) => made.addRun('ls_1', whole));
    await pass(1_000);
    expect(stream.eventsBetween(0, Number.POSITIVE_INFINITY)).toBeGreaterThan(900);
    expect(stream.eventsBetween(0, Number.POSITIVE_INFINITY)).toBeLessThan(1_050);
    await pass(3_000);
    expect(stream.events.map(({ id }) => id)).toEqual(events(3_000).map(({ id }) => id));
    expect(stream.published.at(-1)?.entry).toMatchObject({ type: 'marker', leaseId: 'ls_1', count: 3_000 });
    expect(api.completed).toMatchObject([
      { leaseId: 'ls_1', body: { read: 3_000, published: 3_000, markers: [{ offset: expect.any(String) }] } },
    ]);
    expect(api.of('tick').at(-1)?.body).toMatchObject({ leases: [], replay: { eventsPublished: 3_000 } });
  });

  test('tells what it published, as the stream stores it, and that none of it crossed a network', async () => {
    const { api } = start(new WorldHistory(events(300)), (made) => made.addRun('ls_1', whole));
    await pass(3_000);
    const told = api.of('tick').at(-1)?.body as Pick<Tick, 'usage'>;
    expect(told.usage?.[0]?.own).toMatchObject([
      {
        use: {
          events: '300',
          streamOperations: '301',
          publishedBytes: String(301 * ENTRY_BYTES),
          egressBytes: '0',
        },
      },
    ]);
  });

  test('on a stream that is elsewhere does not know what is delivered from there', async () => {
    const { api } = start(new WorldHistory(events(300)), (made, stream) => {
      stream.reach = 'network';
      made.addRun('ls_1', whole);
    });
    await pass(3_000);
    const told = api.of('tick').at(-1)?.body as Pick<Tick, 'usage'>;
    expect(told.usage?.[0]?.own[0]?.use).toMatchObject({ events: '300' });
    expect(told.usage?.[0]?.own[0]?.use).not.toHaveProperty('egressBytes');
  });

  test('whose source cannot be read tells its address, and is not repeated in a hot loop', async () => {
    const history = new WorldHistory(events(10));
    history.beforeBatch = () => {
      throw new SourceError('source_unavailable', 'the disk is gone', 'byte 17');
    };
    const { api } = start(history, (made) => made.addRun('ls_1', whole));
    await pass(60_000);
    expect(api.failures).toHaveLength(5);
    expect(api.failures[0]).toMatchObject({
      failure: { code: 'source_unavailable', address: 'byte 17' },
      retriable: true,
    });
    expect(api.of('claim').length).toBeLessThan(4 * 60 + 20);
  });

  test('whose failure nobody takes is left to expire: one attempt in ten seconds', async () => {
    const history = new WorldHistory(events(10));
    let attempts = 0;
    history.beforeBatch = () => {
      attempts += 1;
      throw new Error('broken');
    };
    const { api } = start(history, (made) => made.addRun('ls_1', whole));
    api.beforeAnswer = (call) => {
      if (call === 'fail') throw new ControlError('refused', 'too long');
    };
    vi.spyOn(api, 'fail').mockRejectedValue(new ControlError('refused', 'too long'));
    await pass(30_000);
    expect(attempts).toBeGreaterThan(1);
    expect(attempts).toBeLessThanOrEqual(4);
  });

  test('asks again when the answer to its completion was lost, and is completed once', async () => {
    const { api } = start(new WorldHistory(events(100)), (made) => made.addRun('ls_1', whole));
    let lost = 0;
    api.beforeAnswer = (call) => {
      if (call === 'complete' && ++lost <= 3) throw new ControlError('unreachable', 'the answer was lost');
    };
    vi.spyOn(api, 'tick').mockImplementation(() => new Promise(() => {}));
    await pass(2_000);
    expect(api.of('complete')).toHaveLength(4);
    expect(api.completed).toHaveLength(1);
    expect(api.failures).toEqual([]);
  });

  test('whose completion was heard though the answer was lost ends with the next tick', async () => {
    const { api } = start(new WorldHistory(events(100)), (made) => made.addRun('ls_1', whole));
    api.beforeAnswer = (call) => {
      if (call === 'complete') throw new ControlError('unreachable', 'the answer was lost');
    };
    await pass(2_000);
    expect(api.completed).toHaveLength(1);
    expect(api.failures).toEqual([]);
    expect(api.of('tick').at(-1)?.body).toMatchObject({ leases: [] });
  });

  test('that is stopped while nobody answers its completion is given back at once', async () => {
    const { api } = start(new WorldHistory(events(100)), (made) => made.addRun('ls_1', whole));
    vi.spyOn(api, 'complete').mockRejectedValue(new ControlError('unreachable', 'busy'));
    await pass(1_000);
    expect(api.run('ls_1').state).toBe('leased');
    vi.spyOn(api, 'claim').mockResolvedValue({ leases: [] });
    api.push({ type: 'stop', leaseIds: ['ls_1'], why: 'pause' });
    await pass(100);
    expect(api.run('ls_1').state).toBe('pending');
    expect(api.failures).toEqual([]);
  });

  test('quarantined rows are each told once', async () => {
    const rows = Array.from(
      { length: 250 },
      (_, row) => ({ sourceId: 'east', address: `row ${row}`, code: 'unparsable', detail: 'no' }) as const,
    );
    const { api } = start(new WorldHistory(events(50), rows), (made) => made.addRun('ls_1', whole));
    await pass(5_000);
    const told = api
      .of('tick')
      .flatMap(({ body }) =>
        (body as { quarantined: { address: string }[] }).quarantined.map(({ address }) => address),
      );
    expect(told).toEqual(rows.map(({ address }) => address));
    expect(api.completed[0]?.body.quarantined).toBe(250);
  });
});

describe('a stop', () => {
  test('ends publishing with the append under way, and gives the lease back', async () => {
    const { api, stream } = start(undefined, (made) => made.addRun('ls_1', whole));
    await pass(1_000);
    vi.spyOn(api, 'claim').mockResolvedValue({ leases: [] });
    api.push({ type: 'stop', leaseIds: ['ls_1'], why: 'pause' });
    await pass(30);
    const stopped = stream.events.length;
    expect(api.run('ls_1')).toMatchObject({ state: 'pending', published: stopped });
    await pass(5_000);
    expect(stream.events.length).toBe(stopped);
  });

  test('that overtakes the answer of the claim stops the lease before it publishes', async () => {
    const answer = Promise.withResolvers<void>();
    const { api, stream } = start(undefined, (made) => {
      made.addRun('ls_1', whole);
      made.beforeAnswer = (call) => (call === 'claim' ? answer.promise : undefined);
    });
    await pass(300);
    expect(api.run('ls_1').state).toBe('leased');
    api.push({ type: 'stop', leaseIds: ['ls_1'], why: 'pause' });
    await pass(10);
    vi.spyOn(api, 'claim').mockResolvedValue({ leases: [] });
    answer.resolve();
    await pass(300);
    expect(stream.events).toEqual([]);
    expect(api.run('ls_1').state).toBe('pending');
  });

  test('by an answer that leaves no time (the push was missed) gives the lease back', async () => {
    const { api, stream } = start(undefined, (made) => made.addRun('ls_1', whole));
    await pass(1_000);
    vi.spyOn(api, 'claim').mockResolvedValue({ leases: [] });
    const tick = api.tick.bind(api);
    vi.spyOn(api, 'tick').mockImplementation(async (workerId, body) => {
      const answer = await tick(workerId, body);
      return { ...answer, leases: answer.leases.map((lease) => ({ ...lease, deadlineMs: 0 })) };
    });
    await pass(600);
    const stopped = stream.events.length;
    expect(api.run('ls_1').state).toBe('pending');
    await pass(3_000);
    expect(stream.events.length).toBe(stopped);
  });

  test('of the worker gives everything back before it returns, also what a claim was about to bring', async () => {
    const answer = Promise.withResolvers<void>();
    const { api, stop, worker } = start(undefined, (made) => made.addRun('ls_1', whole));
    await pass(500);
    api.addRun('ls_2', whole);
    api.beforeAnswer = (call) => (call === 'claim' ? answer.promise : undefined);
    await pass(600);
    expect(api.run('ls_2').state).toBe('leased');
    stop.abort();
    await pass(100);
    answer.resolve();
    await pass(200);
    await worker;
    expect(api.run('ls_1').state).toBe('pending');
    expect(api.run('ls_2').state).toBe('pending');
  });

  test('of the worker takes at most two seconds when the api is gone', async () => {
    const { api, stop, worker } = start(undefined, (made) => made.addRun('ls_1', whole));
    await pass(500);
    api.down = true;
    stop.abort();
    let ended = false;
    void worker.then(() => {
      ended = true;
    });
    await pass(2_100);
    expect(ended).toBe(true);
  });

  test('of the worker before it began ends it', async () => {
    const stop = new AbortController();
    stop.abort();
    let ended = false;
    const made = start();
    made.stop.abort();
    const worker = runReplayWorker({
      control: new WorldApi(),
      clock: virtualClock,
      signal: stop.signal,
      log: silentLog,
      host: 'here',
      version: '0',
      historyOf: () => made.history,
      openExternal: noExternal,
      openStream: async (name) => made.stream.open(name),
      store: { proof: async () => ({ events: [], buckets: [] }), networkBytes: () => 0 },
    }).then(() => {
      ended = true;
    });
    await pass(100);
    expect(ended).toBe(true);
    await worker;
  });
});

describe('the rate', () => {
  test('of a cut that overtakes the answer of the claim is the one in force', async () => {
    const answer = Promise.withResolvers<void>();
    const { api, stream } = start(undefined, (made) => {
      made.addRun('ls_1', whole);
      made.beforeAnswer = (call) => (call === 'claim' ? answer.promise : undefined);
    });
    await pass(100);
    vi.spyOn(api, 'tick').mockImplementation(() => new Promise(() => {}));
    api.push({ type: 'grants', grants: [api.grant('ls_1', 100)] });
    await pass(10);
    answer.resolve();
    await pass(1_000);
    expect(stream.events.length).toBeGreaterThan(80);
    expect(stream.events.length).toBeLessThan(110);
  });

  test('an older grant that arrives later changes nothing', async () => {
    const { api, stream } = start(undefined, (made) => made.addRun('ls_1', whole));
    await pass(500);
    const old = api.grant('ls_1', 50_000);
    api.eventsPerSecond = 100;
    api.push({ type: 'grants', grants: [api.grant('ls_1', 100)] });
    api.push({ type: 'grants', grants: [old] });
    await pass(50);
    const before = stream.events.length;
    await pass(1_000);
    expect(stream.events.length - before).toBeLessThan(110);
  });

  test('of a run that ended is used by the others until its successor is there, but no longer than 100 ms', async () => {
    const { api, stream } = start(undefined, (made) => {
      made.addRun('ls_short', { from: 0, to: 1_000 });
      made.addRun('ls_long', { from: 1_000, to: 100_000 });
    });
    await pass(100);
    api.beforeAnswer = (call) => (call === 'claim' ? new Promise(() => {}) : undefined);
    while (api.completed.length === 0) await pass(10);
    const before = stream.events.length;
    await pass(80);
    // Two thousand a second still.
    expect(stream.events.length - before).toBeGreaterThan(130);
    await pass(100);
    const after = stream.events.length;
    await pass(1_000);
    expect(stream.events.length - after).toBeLessThan(1_030);
  });

  test('does not dip when one run ends and the next begins', async () => {
    const { stream } = start(undefined, (made) => {
      for (let run = 0; run < 40; run++) made.addRun(`ls_${run}`, { from: run * 500, to: (run + 1) * 500 });
      made.eventsPerSecond = 250;
    });
    await pass(500);
    // Eight leases of 250 events/s each.
    for (let second = 0; second < 2; second++) {
      const before = stream.events.length;
      await pass(1_000);
      expect(stream.events.length - before).toBeGreaterThan(1_850);
    }
  });
});

describe('what the time of a reader goes into', () => {
  const slow = new WorldHistory(events(100_000));
  slow.beforeBatch = () => new Promise((resolve) => setTimeout(resolve, 2_000));

  test.each<[string, 'busyRatio' | 'blockedRatio' | 'idleRatio', WorldHistory | undefined, number]>([
    ['it waits for its rate', 'idleRatio', undefined, Number.POSITIVE_INFINITY],
    ['the stream is full', 'blockedRatio', undefined, 300],
    ['its source takes long to read', 'busyRatio', slow, Number.POSITIVE_INFINITY],
  ])('%s: %s', async (_what, ratio, history, highWaterMark) => {
    const { api } = start(history, (made, at) => {
      made.pipelines = [{ ...pipeline, highWaterMark }];
      made.addRun('ls_1', whole);
      at.length = () => at.events.length;
    });
    await pass(1_500);
    const replay = (api.of('tick').at(-1)?.body as Tick | undefined)?.replay;
    expect(replay?.stage[ratio]).toBeGreaterThan(0.9);
    const closed = highWaterMark === 300;
    expect(replay?.gates).toMatchObject([
      { stream: 'replay', closed, ...(closed ? { peakLength: 300 } : {}) },
    ]);
  });
});

describe('the api gone for 30 s', () => {
  test('safe rate after two seconds, nothing from the deadline on, and on again when it is back', async () => {
    const { api, stream } = start(new WorldHistory(events(12_000)), (made) => made.addRun('ls_1', whole));
    await pass(2_000);
    const lastRenewalMs = api.of('tick').at(-1)?.atMs as number;
    const goneMs = performance.now();
    api.down = true;
    await pass(30_000);
    expect(stream.eventsBetween(goneMs, lastRenewalMs + 2_000)).toBeGreaterThan(1_500);
    // A tenth of the rate: 100 events/s.
    expect(stream.eventsBetween(lastRenewalMs + 2_100, lastRenewalMs + 9_100)).toBeGreaterThan(600);
    expect(stream.eventsBetween(lastRenewalMs + 2_100, lastRenewalMs + 9_100)).toBeLessThan(750);
    expect(stream.eventsBetween(lastRenewalMs + 9_500, Number.POSITIVE_INFINITY)).toBe(0);
    // It does not press an api that does not answer.
    expect(api.asked.filter(({ atMs }) => atMs >= goneMs).length).toBeLessThan(30 * 5 + 10);

    api.down = false;
    await pass(3_000);
    expect(stream.eventsBetween(performance.now() - 1_000, performance.now())).toBeGreaterThan(900);
    await pass(15_000);
    expect(new Set(stream.events.map(({ id }) => id)).size).toBe(12_000);
    expect(api.completed).toHaveLength(1);
    expect(api.failures).toEqual([]);
  });

  test('a grant that is pushed to a worker that hears no answers is not taken for a new one', async () => {
    const { api, stream } = start(undefined, (made) => made.addRun('ls_1', whole));
    await pass(2_000);
    const lastRenewalMs = api.of('tick').at(-1)?.atMs as number;
    api.beforeAnswer = () => new Promise(() => {});
    await pass(1_800);
    // As it would find it in its socket after having stood still: sent nobody knows when.
    api.push({ type: 'grants', grants: [api.grant('ls_1')] });
    const pushedMs = performance.now();
    await pass(3_000);
    expect(stream.eventsBetween(pushedMs, lastRenewalMs + 2_000)).toBeGreaterThan(0);
    expect(stream.eventsBetween(lastRenewalMs + 2_300, lastRenewalMs + 4_300)).toBeLessThan(250);
  });

  test('a tick that is answered late renews from the moment it was asked, not from the answer', async () => {
    const { api, stream } = start(undefined, (made) => made.addRun('ls_1', whole));
    await pass(1_000);
    const answer = Promise.withResolvers<void>();
    api.beforeAnswer = (call) => (call === 'tick' ? answer.promise : undefined);
    await pass(300);
    const askedMs = api.of('tick').at(-1)?.atMs as number;
    await pass(8_000);
    api.beforeAnswer = () => new Promise(() => {});
    answer.resolve();
    await pass(10_000);
    expect(stream.eventsBetween(askedMs + 9_500, Number.POSITIVE_INFINITY)).toBe(0);
    // Its grant was two seconds old and more when it came.
    expect(stream.eventsBetween(askedMs + 8_100, askedMs + 9_100)).toBeLessThan(150);
  });

  test('does not open the gate: the reader stops at the mark by itself, and goes on as what waits is worked off', async () => {
    let applied = 0;
    const { api, stream } = start(undefined, (made, at) => {
      made.pipelines = [{ ...pipeline, highWaterMark: 500 }];
      made.addRun('ls_1', whole);
      at.length = () => at.events.length - applied;
    });
    await pass(2_000);
    expect(stream.events.length).toBe(500);
    api.down = true;
    await pass(400);
    applied = 99;
    await pass(200);
    // Not below the low-water mark yet.
    expect(stream.events.length).toBe(500);
    applied = 101;
    const openedMs = performance.now();
    await pass(300);
    expect(stream.events.length).toBe(601);
    // At its rate, not all at once.
    expect(stream.eventsBetween(openedMs, openedMs + 50)).toBeLessThan(75);
  });

  test('an append under way when the deadline passes is the last', async () => {
    const appended = Promise.withResolvers<void>();
    const { api, stream } = start(undefined, (made) => made.addRun('ls_1', whole));
    await pass(1_000);
    api.down = true;
    stream.beforeAppend = () => appended.promise;
    await pass(12_000);
    stream.beforeAppend = () => {};
    const before = stream.events.length;
    appended.resolve();
    await pass(5_000);
    expect(stream.events.length - before).toBeGreaterThan(0);
    expect(stream.events.length - before).toBeLessThanOrEqual(20);
    expect(stream.published.some(({ entry }) => entry.type === 'marker')).toBe(false);
  });
});

describe('an api that does not know the worker any more', () => {
  test('names the processes it replaces, and how long they have ended, each time it joins', async () => {
    const replaces = { pids: [7, 8], endedForMs: () => virtualClock.monotonic() + 400.7 };
    const { api } = start(undefined, () => {}, { replaces });
    const beganMs = virtualClock.monotonic();
    await pass(3_000);
    api.forgetWorkers();
    await pass(1_000);
    const told = api.of('join').map(({ body }) => (body as JoinWorker).replaces);
    expect(told).toMatchObject([{ pids: [7, 8], endedForMs: Math.floor(beganMs + 400.7) }, { pids: [7, 8] }]);
    expect(told[1]?.endedForMs).toBeGreaterThanOrEqual((told[0]?.endedForMs ?? 0) + 3_000);
  });

  test('is joined again; leases of the former membership publish nothing more', async () => {
    const { api, stream } = start(new WorldHistory(events(5_000)), (made) => made.addRun('ls_1', whole));
    await pass(1_000);
    api.forgetWorkers();
    await pass(600);
    expect(api.of('join')).toHaveLength(2);
    const before = stream.events.length;
    await pass(5_000);
    expect(stream.events.length).toBe(before);
    // The old lease has expired by now and is granted anew.
    await pass(20_000);
    expect(new Set(stream.events.map(({ id }) => id)).size).toBe(5_000);
    expect(api.completed).toHaveLength(1);
  });

  test('and refuses its ticks is not flooded with memberships', async () => {
    const { api } = start(undefined, (made) => {
      made.beforeAnswer = (call) => {
        if (call === 'tick') throw new ControlError('refused', 'not like this');
      };
    });
    await pass(20_000);
    expect(api.of('join').length).toBeLessThan(20);
  });
});

test('a stream that could not be opened is opened by the next attempt', async () => {
  const api = new WorldApi();
  const stream = new WorldStream();
  const stop = new AbortController();
  api.addRun('ls_1', whole);
  let opened = 0;
  const worker = runReplayWorker({
    control: api,
    clock: virtualClock,
    signal: stop.signal,
    log: silentLog,
    host: 'here',
    version: '0',
    historyOf: () => new WorldHistory(events(100)),
    openExternal: noExternal,
    openStream: async (name) => {
      if (++opened === 1) throw new Error('locked');
      return stream.open(name);
    },
    store: { proof: async () => ({ events: [], buckets: [] }), networkBytes: () => 0 },
  });
  await pass(5_000);
  expect(api.completed).toHaveLength(1);
  stop.abort();
  await pass(2_000);
  await worker;
});

describe('counting the sources', () => {
  test('is told until the api has heard it', async () => {
    const uncounted = {
      ...pipeline,
      sources: pipeline.sources.map((source) => ({ ...source, fingerprint: null })),
    };
    const { api } = start(undefined, (made) => {
      made.pipelines = [uncounted];
      let lost = 0;
      made.beforeAnswer = (call) => {
        if (call === 'statistics' && ++lost <= 2) throw new ControlError('unreachable', 'restarting');
      };
    });
    await pass(5_000);
    expect(api.of('statistics')).toHaveLength(3);
    expect(api.statistics.at(-1)).toMatchObject({ sourceId: 'east', fingerprint: 'same', failure: null });
  });

  describe('of which one is replaced while the worker is joined', () => {
    const versioned = (version: WorldHistory['version']) =>
      Object.assign(new WorldHistory(events(10)), { version });
    const told = ({ api }: World) => api.statistics.map(({ fingerprint }) => fingerprint);

    test('is done once more for each change, also for one back to what was there', async () => {
      let content = 'same';
      const history = versioned(async () => content);
      const begun = start(history);
      await pass(60_000);
      expect(told(begun)).toEqual([]);
      for (content of ['other', 'same']) {
        history.fingerprint = content;
        await pass(60_000);
      }
      expect(told(begun)).toEqual(['other', 'same']);
    });

    test('is done within eleven seconds, without another claim to membership', async () => {
      let version = 1;
      const begun = start(versioned(async () => String(version)));
      await pass(5_000);
      version = 2;
      await pass(11_000);
      expect(told(begun)).toHaveLength(1);
      expect(begun.api.of('join')).toHaveLength(1);
    });

    test('is never done while nothing changes, or of a history without a version', async () => {
      const unversioned = new WorldHistory(events(10));
      const begun = start(unversioned);
      await pass(1_000);
      unversioned.fingerprint = 'other';
      await pass(120_000);
      expect(told(begun)).toEqual([]);
    });

    test('waits for a version that cannot be read, and asks again', async () => {
      let asked = 0;
      let gone = true;
      const history = versioned(async () => {
        asked += 1;
        if (gone) throw new SourceError('source_missing', 'it is being replaced');
        return 'there';
      });
      const begun = start(history);
      await pass(60_000);
      expect(asked).toBeGreaterThan(4);
      expect(told(begun)).toEqual([]);
      gone = false;
      await pass(60_000);
      expect(told(begun)).toEqual(['same']);
    });

    /** A worker of a table whose counting takes eight seconds, and then comes to `outcome`. */
    function countsOfTable(version: () => string, outcome: WorldHistory['count']) {
      const history = versioned(async () => version());
      const counts = vi.spyOn(history, 'count').mockImplementation(async (stepMs) => {
        await new Promise((resolve) => setTimeout(resolve, 8_000));
        return outcome.call(history, stepMs);
      });
      const sources = pipeline.sources.map((one) => ({ ...one, connector: 'postgres' }));
      start(history, (made) => {
        made.pipelines = [{ ...pipeline, sources }];
      });
      return counts;
    }

    test('takes a fiftieth of the time at most where it is written to all the time, and is done again after that', async () => {
      let looks = 0;
      const counts = countsOfTable(() => String(++looks), WorldHistory.prototype.count);
      await pass(60_000);
      expect(counts).toHaveBeenCalledTimes(1);
      // Eight seconds are a fiftieth of 400.
      await pass(350_000);
      expect(counts).toHaveBeenCalledTimes(1);
      await pass(60_000);
      expect(counts).toHaveBeenCalledTimes(2);
    });

    test('that failed is tried again after a minute, however long it took', async () => {
      let looks = 0;
      const counts = countsOfTable(
        () => (looks++ === 0 ? 'as it was' : 'as it is'),
        async () => {
          throw new SourceError('source_unavailable', 'it does not answer');
        },
      );
      await pass(60_000);
      expect(counts).toHaveBeenCalledTimes(1);
      await pass(30_000);
      expect(counts).toHaveBeenCalledTimes(2);
    });

    test('is not begun a second time while it is under way, but again after it', async () => {
      let version = 1;
      const history = versioned(async () => String(version));
      const begun = start(history);
      await pass(1_000);
      const counted = Promise.withResolvers<void>();
      const count = history.count.bind(history);
      const counting = vi.spyOn(history, 'count').mockImplementation(async (stepMs) => {
        await counted.promise;
        return count(stepMs);
      });
      version = 2;
      await pass(11_000);
      version = 3;
      await pass(60_000);
      expect(counting).toHaveBeenCalledTimes(1);
      counted.resolve();
      await pass(60_000);
      expect(told(begun)).toHaveLength(2);
    });
  });
});
