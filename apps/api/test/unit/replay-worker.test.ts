import type { Tick } from '@spillway/shared/api/worker-protocol';
import { describe, expect, test, vi } from 'vitest';
import { ControlError } from '../../src/data-plane/control/control-client.ts';
import { SourceError, StoreError, StreamError } from '../../src/data-plane/ports.ts';
import { pass, replayWorlds, whole } from '../fixtures/replay-worker-world.ts';
import { ENTRY_BYTES, events, pipeline, WorldHistory } from '../fixtures/worker-world.ts';

const start = replayWorlds();

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

  test('is counted by stream for as long as that is a pipeline’s', async () => {
    const { api } = start(new WorldHistory(events(300)), (made) => made.addRun('ls_1', whole));
    await pass(3_000);
    const told = () => (api.of('tick').at(-1)?.body as Pick<Tick, 'replay'> | undefined)?.replay;
    expect(told()?.published).toEqual([{ stream: 'replay', events: 300 }]);
    // It may come back there.
    api.push({ type: 'settings', pipeline: { ...pipeline, route: 'shared' } });
    await pass(1_000);
    expect(told()?.published).toEqual([{ stream: 'replay', events: 300 }]);
    api.push({ type: 'settings', pipeline: { ...pipeline, replayStream: 'replay.2' } });
    await pass(1_000);
    expect(told()).toMatchObject({ eventsPublished: 300, published: [] });
  });

  test('is told of no more once its pipeline has been removed', async () => {
    const kept: unknown[] = [];
    const { api } = start(new WorldHistory(events(300)), (made) => made.addRun('ls_1', whole), {
      keepHistories: (sources) => void kept.push(sources),
    });
    await pass(3_000);
    const told = () => api.of('tick').at(-1)?.body as Pick<Tick, 'replay' | 'usage'> | undefined;
    expect(told()).toMatchObject({ replay: { published: [{ stream: 'replay' }] }, usage: [{}] });
    api.push({ type: 'pipelines', pipelineIds: ['another'] });
    await pass(5_000);
    expect(told()).toMatchObject({ replay: { published: [], external: [] }, usage: [] });
    expect(kept.at(-1)).toEqual([]);
  });

  test('publishes in appends of what it earns in four milliseconds, not of what it earned during the last one', async () => {
    const appendMs = 1;
    let appends = 0;
    const { api, stream } = start(new WorldHistory(events(100_000)), (made, appending) => {
      made.eventsPerSecond = 20_000;
      made.addRun('ls_1', whole);
      appending.beforeAppend = () => {
        appends += 1;
        return new Promise((resolve) => setTimeout(resolve, appendMs));
      };
    });
    await pass(2_000);
    expect(api.run('ls_1').state).toBe('leased');
    expect(stream.events.length).toBeGreaterThan(36_000);
    expect(stream.events.length / appends).toBeGreaterThan(0.004 * 20_000 - 1);
  });

  test('is not starved by another that takes less at a time from the bucket they share', async () => {
    const few = events(20_000).map((event, index) => ({ ...event, at: index < 10_000 ? 100 : 600_000 }));
    const { api, stream } = start(new WorldHistory(few), (made, appending) => {
      made.eventsPerSecond = 0;
      // Begun at rate zero it reads, and appends, sixteen at a time for as long as it lasts.
      made.addRun('ls_1', { from: 0, to: 500_000 });
      appending.beforeAppend = () => new Promise((resolve) => setTimeout(resolve, 1));
    });
    await pass(1_000);
    api.eventsPerSecond = 3_000;
    api.addRun('ls_2', { from: 500_000, to: 1_000_000 });
    await pass(1_000);
    const late = stream.published.filter(({ entry }) => entry.type === 'event' && entry.event.at === 600_000);
    expect(late.length).toBeGreaterThan(500);
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

  test.each([
    ['stream_unavailable', new StreamError('stream_unavailable', 'away')],
    ['stream_denied', new StreamError('stream_denied', 'no')],
    ['group_missing', new StreamError('group_missing', 'gone')],
    ['store_failed', new StoreError('store_failed', 'no')],
    ['attempt_failed', new Error('a surprise')],
  ])('that ends with %s says so by its code', async (code, error) => {
    const { api } = start(new WorldHistory(events(10)), (made) => made.addRun('ls_1', whole), {
      openStream: async () => {
        throw error;
      },
    });
    await pass(1_000);
    expect(api.failures[0]).toMatchObject({ failure: { code, detail: error.message }, retriable: true });
  });

  test('that fails tells first how far it has got: what of that is published again is told as such', async () => {
    const failing = new Set([620, 990]);
    const { api, stream } = start(new WorldHistory(events(1_000)), (made, appending) => {
      made.addRun('ls_1', whole);
      appending.beforeAppend = () => {
        const [next = Number.POSITIVE_INFINITY] = failing;
        if (stream.events.length < next) return;
        failing.delete(next);
        throw new StreamError('stream_unavailable', 'away');
      };
    });
    await pass(20_000);
    expect(api.failures).toHaveLength(2);
    expect(stream.events.length).toBeGreaterThan(1_050);
    const published = stream.events.length;
    expect(api.completed).toMatchObject([{ body: { published, again: published - 1_000 } }]);
  });

  test('that fails while no tick arrives says so before its lease is over', async () => {
    const history = new WorldHistory(events(10));
    history.beforeBatch = () => {
      throw new SourceError('source_unavailable', 'the disk is gone', null);
    };
    const { api } = start(history, (made) => made.addRun('ls_1', whole));
    const tick = vi.spyOn(api, 'tick').mockRejectedValue(new ControlError('unreachable', 'busy'));
    await pass(3_000);
    expect(api.failures).toHaveLength(1);
    tick.mockRestore();
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

  test('what is published again afterwards is told, however often it is stopped before its next checkpoint', async () => {
    const { api, stream } = start(new WorldHistory(events(3_000)), (made) => made.addRun('ls_1', whole));
    // A checkpoint every 250 events; nothing is claimed while it is stopped.
    for (const [ms, ahead, again] of [
      [620, 100, 0],
      [160, 150, 100],
      [100, 150, 190],
    ] as const) {
      await pass(ms);
      const claim = vi.spyOn(api, 'claim').mockResolvedValue({ leases: [] });
      api.push({ type: 'stop', leaseIds: ['ls_1'], why: 'pause' });
      await pass(20);
      const run = api.run('ls_1');
      expect(run).toMatchObject({ state: 'pending', cursor: expect.any(String) });
      expect(Math.abs(run.ahead - ahead), `${run.ahead} ahead`).toBeLessThan(40);
      expect(Math.abs(run.again - again), `${run.again} again`).toBeLessThan(60);
      claim.mockRestore();
      api.push({ type: 'wake' });
    }
    await pass(5_000);
    const { body } = api.completed[0] as (typeof api.completed)[number];
    expect(new Set(stream.events.map(({ id }) => id)).size).toBe(3_000);
    expect(body.published).toBe(stream.events.length);
    expect(body.again).toBe(stream.events.length - 3_000);
    expect(body.again).toBeGreaterThan(150);
  });

  test('what is published again is told by events, not by batches: the next attempt may read fewer at a time', async () => {
    const { api, stream } = start(new WorldHistory(events(1_000)), (made) => made.addRun('ls_1', whole));
    await pass(230);
    const claim = vi.spyOn(api, 'claim').mockResolvedValue({ leases: [] });
    api.push({ type: 'stop', leaseIds: ['ls_1'], why: 'pause' });
    await pass(50);
    claim.mockRestore();
    api.eventsPerSecond = 100;
    await pass(1_000);
    api.eventsPerSecond = 1_000;
    await pass(3_000);
    expect(stream.events.length - 1_000).toBeGreaterThan(150);
    expect(api.completed).toMatchObject([
      { body: { published: stream.events.length, again: stream.events.length - 1_000 } },
    ]);
  });

  test('of a lease that is asked back comes with its next checkpoint: nothing is published twice', async () => {
    const { api, stream } = start(new WorldHistory(events(3_000)), (made) => made.addRun('ls_1', whole));
    await pass(620);
    const claim = vi.spyOn(api, 'claim').mockResolvedValue({ leases: [] });
    for (let told = 0; told < 3; told++) api.push({ type: 'stop', leaseIds: ['ls_1'], why: 'called_back' });
    await pass(50);
    expect(api.run('ls_1').state).toBe('leased');
    await pass(150);
    expect(api.run('ls_1')).toMatchObject({ state: 'pending', published: 750, ahead: 0 });
    claim.mockRestore();
    api.push({ type: 'wake' });
    await pass(5_000);
    expect(stream.events.map(({ id }) => id)).toEqual(events(3_000).map(({ id }) => id));
    expect(api.completed).toMatchObject([{ body: { read: 3_000, published: 3_000, again: 0 } }]);
  });

  test('of a lease that is asked back comes after five seconds where its next checkpoint is further away', async () => {
    const { api, stream } = start(new WorldHistory(events(3_000)), (made) => made.addRun('ls_1', whole));
    await pass(620);
    api.eventsPerSecond = 2;
    await pass(1_000);
    const claim = vi.spyOn(api, 'claim').mockResolvedValue({ leases: [] });
    api.push({ type: 'stop', leaseIds: ['ls_1'], why: 'called_back' });
    await pass(4_800);
    expect(api.run('ls_1').state).toBe('leased');
    await pass(400);
    expect(api.run('ls_1').state).toBe('pending');
    expect(api.run('ls_1').ahead).toBe(stream.events.length - 500);
    claim.mockRestore();
  });

  test('of a lease that is asked back at every turn lets each get further, however slow it is', async () => {
    const { api, stream } = start(new WorldHistory(events(100)), (made) => {
      made.eventsPerSecond = 1;
      made.addRun('ls_1', whole);
    });
    for (let turn = 0; turn < 3; turn++) {
      await pass(5_500);
      const claim = vi.spyOn(api, 'claim').mockResolvedValue({ leases: [] });
      api.push({ type: 'stop', leaseIds: ['ls_1'], why: 'called_back' });
      await pass(5_500);
      expect(api.run('ls_1')).toMatchObject({ state: 'pending', ahead: 0, again: 0 });
      claim.mockRestore();
      api.push({ type: 'wake' });
    }
    expect(stream.events.length).toBeGreaterThanOrEqual(15);
    expect(Number(api.run('ls_1').cursor)).toBe(stream.events.length);
  });

  test('of a lease that is asked back comes at once where nothing of its batch is published', async () => {
    const { api } = start(new WorldHistory(events(3_000)), (made) => {
      made.eventsPerSecond = 0;
      made.addRun('ls_1', whole);
    });
    await pass(600);
    const claim = vi.spyOn(api, 'claim').mockResolvedValue({ leases: [] });
    api.push({ type: 'stop', leaseIds: ['ls_1'], why: 'called_back' });
    await pass(150);
    expect(api.run('ls_1').state).toBe('pending');
    claim.mockRestore();
  });

  test('of a lease that is asked back while its source is slow comes as soon as that lets go, and completes nothing', async () => {
    const history = new WorldHistory(events(3_000));
    const read = Promise.withResolvers<void>();
    history.beforeBatch = () => read.promise;
    const { api } = start(history, (made) => made.addRun('ls_1', whole));
    await pass(600);
    const claim = vi.spyOn(api, 'claim').mockResolvedValue({ leases: [] });
    api.push({ type: 'stop', leaseIds: ['ls_1'], why: 'called_back' });
    await pass(150);
    read.resolve();
    await pass(50);
    expect(api.run('ls_1').state).toBe('pending');
    expect(api.completed).toEqual([]);
    expect(api.failures).toEqual([]);
    claim.mockRestore();
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

  test('of the worker tells what was used for each of many pipelines', async () => {
    const many = Array.from({ length: 40 }, (_, number) => ({ ...pipeline, pipelineId: `p${number}` }));
    const prepare = (made: Parameters<NonNullable<Parameters<typeof start>[1]>>[0]) => {
      made.pipelines = many;
      for (const one of many) made.addRun(`ls_${one.pipelineId}`, whole, 'replay', one);
    };
    const { api, stop, worker } = start(undefined, prepare, { leasesMax: many.length });
    await pass(2_000);
    const before = api.of('tick').length;
    stop.abort();
    await pass(2_100);
    await worker;
    // The last that are told before the end, when nothing is used any more.
    const last = api.of('tick').slice(before).slice(-3);
    const told = last.flatMap(({ body }) => (body as Pick<Tick, 'usage'>).usage ?? []);
    expect(new Set(told.map(({ pipelineId }) => pipelineId)).size).toBe(many.length);
    expect(
      last.every(({ body }) => (body as Pick<Tick, 'leases'>).leases.every(({ stopped }) => stopped)),
    ).toBe(true);
  });

  test('of the worker takes its leave as the last thing, when its streams are closed', async () => {
    const did: string[] = [];
    const { api, stop, worker } = start(undefined, (made, at) => {
      made.addRun('ls_1', whole);
      const open = at.open.bind(at);
      vi.spyOn(at, 'open').mockImplementation((name) => ({
        ...open(name),
        close: async () => void did.push('closed'),
      }));
    });
    await pass(500);
    api.beforeAnswer = (call) => void did.push(call);
    did.length = 0;
    stop.abort();
    await pass(500);
    await worker;
    expect(did.slice(-3)).toEqual(['tick', 'closed', 'leave']);
    expect(api.of('leave')).toMatchObject([{ body: 'wk_replay_1' }]);
  });

  test('of the worker does not wait longer than a second for an answer to its leave', async () => {
    const { api, stop, worker } = start(undefined, (made) => made.addRun('ls_1', whole));
    await pass(500);
    api.beforeAnswer = (call) => (call === 'leave' ? new Promise(() => {}) : undefined);
    stop.abort();
    let ended = false;
    void worker.then(() => {
      ended = true;
    });
    await pass(900);
    expect([api.of('leave').length, ended]).toEqual([1, false]);
    await pass(500);
    expect(ended).toBe(true);
  });

  test('of the worker that the api lets in only then takes its leave at once', async () => {
    const stopped = Promise.withResolvers<void>();
    const { api, stop, worker } = start(undefined, (made) => {
      made.beforeAnswer = (call) => (call === 'join' ? stopped.promise : undefined);
    });
    await pass(100);
    stop.abort();
    await pass(100);
    stopped.resolve();
    await pass(100);
    await worker;
    expect(api.asked.map(({ call }) => call)).toEqual(['join', 'leave']);
  });

  test('of the worker before it began ends it', async () => {
    let ended = false;
    void start(undefined, undefined, { signal: AbortSignal.abort() }).worker.then(() => {
      ended = true;
    });
    await pass(100);
    expect(ended).toBe(true);
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

test('a stream that could not be opened is opened by the next attempt', async () => {
  let opened = 0;
  const { api, stream } = start(new WorldHistory(events(100)), (made) => made.addRun('ls_1', whole), {
    openStream: async (name) => {
      if (++opened === 1) throw new Error('locked');
      return stream.open(name);
    },
  });
  await pass(5_000);
  expect(api.completed).toHaveLength(1);
});
