/** The user's own stream, on a real server: what is published, when it counts as finished, and that nothing else is done to it. */
import type { Redis } from 'iovalkey';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkExternalStream, openExternalStream } from '../../../src/adapters/stream-external/stream.ts';
import { complaintAboutExternal } from '../../../src/choose-external.ts';
import type { ExternalStream, StreamEntry } from '../../../src/data-plane/ports.ts';
import { type RedisServer, startRedis } from '../../fixtures/redis-server.ts';

const STREAM = 'orders';
const GROUP = 'counts';

let server: RedisServer;
let raw: Redis;
let stream: ExternalStream;

const definition = () => ({ url: server.url, stream: STREAM, groups: [GROUP] });
const open = (change: object = {}) =>
  openExternalStream({
    name: 'external.orders',
    definition: { ...definition(), ...change },
    patienceMs: 500,
  });

beforeAll(async () => {
  server = await startRedis();
  raw = server.client();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  await raw.flushall();
  await raw.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
  stream = open();
});
afterEach(() => stream.close());

const events = (count: number, from = 0): StreamEntry[] =>
  Array.from({ length: count }, (_, index) => ({
    type: 'event',
    event: { id: `e${from + index}`, sourceId: 'us', key: 'JFK', at: index, value: index },
    publisher: { kind: 'backfill', backfillId: 'bf_1' },
    publishedAt: 0,
  }));
const marker: StreamEntry = {
  type: 'marker',
  backfillId: 'bf_1',
  leaseId: 'ls_1',
  fencingToken: 1,
  count: 1,
  publishedAt: 0,
};
const place = async () => (await stream.producer.append([marker])).lastOffset;
const read = async (count: number, group = GROUP): Promise<string[]> => {
  const answer = await raw.xreadgroup('GROUP', group, 'one', 'COUNT', count, 'STREAMS', STREAM, '>');
  return ((answer?.[0] as [string, [string, string[]][]] | undefined)?.[1] ?? []).map(([id]) => id);
};

const lagOfServer = async () => ((await raw.xinfo('GROUPS', STREAM)) as unknown[][])[0]?.at(-1);
const callsOf = async (command: string) =>
  Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await raw.info('commandstats'))?.[1] ?? 0);

describe('publishing', () => {
  test('puts an entry there for each event, in order, and nothing for a marker', async () => {
    const { firstOffset, lastOffset, bytes } = await stream.producer.append(events(1_000));
    const found = await raw.xrange(STREAM, '-', '+');
    expect(found.map(([, [, text]]) => JSON.parse(text as string).id)).toEqual(
      Array.from({ length: 1_000 }, (_, index) => `e${index}`),
    );
    expect(bytes).toBe(found.reduce((sum, [, [, text]]) => sum + Buffer.byteLength(text as string), 0));
    expect(firstOffset < lastOffset).toBe(true);
    expect(await place()).toBe(lastOffset);
    expect(await raw.xlen(STREAM)).toBe(1_000);
  });

  test('of one that goes on from another worker’s checkpoint, the place lies behind what that one published', async () => {
    const other = open();
    const { lastOffset } = await other.producer.append(events(5));
    await other.close();
    expect((await place()) >= lastOffset).toBe(true);
  });

  test('makes no stream where there is none', async () => {
    await raw.del(STREAM);
    await expect(stream.producer.append(events(1))).rejects.toMatchObject({ code: 'stream_missing' });
    expect(await raw.exists(STREAM)).toBe(0);
  });
});

describe('finished', () => {
  test('is what every group has acknowledged, pending or not', async () => {
    await raw.xgroup('CREATE', STREAM, 'other', '0');
    const both = open({ groups: [GROUP, 'other'] });
    await both.producer.append(events(10));
    const end = await place();
    const passed = async () => (await both.look()).position >= end;
    expect(await both.look()).toMatchObject({
      length: 10,
      lagEntries: 10,
      finishedEntries: 0,
      lostEntries: 0,
    });

    const ids = await read(10);
    expect(await passed()).toBe(false);
    await raw.xack(STREAM, GROUP, ...ids.slice(1));
    expect(await both.look()).toMatchObject({ lagEntries: 10 });
    await raw.xack(STREAM, GROUP, ids[0] as string);
    expect(await passed()).toBe(false);
    await raw.xack(STREAM, 'other', ...(await read(10, 'other')));
    expect(await passed()).toBe(true);
    expect(await both.look()).toMatchObject({ length: 10, lagEntries: 0, lagMs: 0, finishedEntries: 10 });
    expect(await raw.xlen(STREAM)).toBe(10);
    await both.close();
  });

  test('is not what a consumer that died was given', async () => {
    await stream.producer.append(events(3));
    const end = await place();
    const [first, ...others] = await read(3);
    await raw.xack(STREAM, GROUP, ...others);
    expect((await stream.look()).position < end).toBe(true);
    await raw.xack(STREAM, GROUP, first as string);
    expect((await stream.look()).position >= end).toBe(true);
  });

  test('is known where the server says of its lag nil', async () => {
    await stream.producer.append(events(10));
    const ids = await read(4);
    await raw.xack(STREAM, GROUP, ...ids);
    const later = (await raw.xrange(STREAM, '-', '+')).map(([id]) => id);
    await raw.xdel(STREAM, later[6] as string);
    expect(await lagOfServer()).toBeNull();
    expect(await stream.look()).toMatchObject({ lagEntries: 5 });
    expect(await stream.producer.length()).toBe(5);
  });

  test('is reckoned where the last that was delivered is removed, as by consumers that remove what they have finished', async () => {
    await stream.producer.append(events(10));
    const ids = await read(4);
    await raw.xack(STREAM, GROUP, ...ids.slice(1));
    await raw.xdel(STREAM, ...ids.slice(1));
    expect(await lagOfServer()).toBeNull();
    const before = await callsOf('xrange');
    expect(await stream.look()).toMatchObject({ lagEntries: 7, finishedEntries: 3 });
    // The next entry alone is asked for.
    expect((await callsOf('xrange')) - before).toBe(1);
  });

  test('is counted on from look to look, where the server does not know it', async () => {
    await stream.producer.append(events(3_000));
    const ids = await read(500);
    const later = await raw.xrange(STREAM, '-', '+');
    await raw.xdel(STREAM, later[2_000]?.[0] as string);
    await raw.xack(STREAM, GROUP, ...ids);
    expect(await lagOfServer()).toBeNull();
    expect(await stream.look()).toMatchObject({ lagEntries: 2_499, finishedEntries: 501 });
    const sent = async () =>
      Number(/total_net_output_bytes:(\d+)/.exec(await raw.info('stats'))?.[1] ?? Number.NaN);
    const before = await sent();
    for (let looks = 1; looks <= 10; looks++) {
      await raw.xack(STREAM, GROUP, ...(await read(10)));
      await stream.producer.append(events(20));
      expect(await stream.look()).toMatchObject({ lagEntries: 2_499 + 10 * looks });
    }
    expect(await lagOfServer()).toBeNull();
    // An entry is of about 300 bytes: what was read and given, and what else is asked and answered; not 2,500 entries ten times.
    expect((await sent()) - before).toBeLessThan(250_000);
    await raw.xdel(STREAM, later[1_000]?.[0] as string, later[10]?.[0] as string);
    expect(await stream.look()).toMatchObject({ lagEntries: 2_598 });
    await raw.call('XGROUP', 'SETID', STREAM, GROUP, ids[499] as string);
    expect(await stream.look()).toMatchObject({ lagEntries: 2_698 });
  });

  test('is asked for a few times a second only, and never too little by what is published here', async () => {
    await stream.producer.append(events(10));
    expect(await stream.producer.length()).toBe(10);
    const before = await callsOf('xpending');
    for (let asked = 0; asked < 100; asked++) await stream.producer.length();
    await stream.producer.append(events(5));
    expect(await stream.producer.length()).toBe(15);
    expect((await callsOf('xpending')) - before).toBeLessThan(5);
    await raw.xack(STREAM, GROUP, ...(await read(15)));
    await expect.poll(() => stream.producer.length()).toBe(0);
  });

  test('is all there is when the newest entry was removed', async () => {
    await stream.producer.append(events(2));
    const end = await place();
    const ids = await read(2);
    await raw.xack(STREAM, GROUP, ...ids);
    await raw.xdel(STREAM, ids[1] as string);
    expect((await stream.look()).position >= end).toBe(true);
  });

  test('trimming what is finished loses nothing; trimming more is told', async () => {
    await stream.producer.append(events(10));
    const ids = await read(4);
    await raw.xack(STREAM, GROUP, ...ids);
    await raw.xtrim(STREAM, 'MAXLEN', 6);
    expect(await stream.look()).toMatchObject({ lostEntries: 0, lagEntries: 6 });
    await raw.xtrim(STREAM, 'MAXLEN', 4);
    expect(await stream.look()).toMatchObject({ lostEntries: 2 });
    await raw.xtrim(STREAM, 'MAXLEN', 0);
    expect(await stream.look()).toMatchObject({ lostEntries: 6 });
  });
});

describe('a stream that is not the one it was', () => {
  test('is told once: made anew under the same name', async () => {
    await stream.producer.append(events(10));
    expect(await stream.look()).toMatchObject({ replaced: false });
    await raw.del(STREAM);
    await raw.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
    await stream.producer.append(events(3));
    expect(await stream.look()).toMatchObject({ replaced: true, length: 3 });
    expect(await stream.look()).toMatchObject({ replaced: false });
  });

  test('is told when a worker saw it while it published, and not for entries that are removed', async () => {
    await stream.producer.append(events(10));
    await stream.look();
    await raw.xtrim(STREAM, 'MAXLEN', 0);
    expect(await stream.look()).toMatchObject({ replaced: false });
    await raw.del(STREAM);
    await expect(stream.look()).rejects.toMatchObject({ code: 'stream_missing' });
    await raw.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
    await place();
    expect(await stream.look()).toMatchObject({ replaced: true });
  });
});

describe('what is not there', () => {
  const check = (change: object) =>
    checkExternalStream({ name: 'check', definition: { ...definition(), ...change }, patienceMs: 300 });

  test('is named', async () => {
    await expect(check({ stream: 'gone' })).rejects.toMatchObject({
      code: 'stream_missing',
      message: expect.stringContaining('gone'),
    });
    await expect(check({ groups: ['nobody'] })).rejects.toMatchObject({ code: 'group_missing' });
    await raw.set('text', 'x');
    await expect(check({ stream: 'text' })).rejects.toMatchObject({ code: 'stream_corrupt' });
    await expect(check({})).resolves.toBeUndefined();
    await raw.xgroup('CREATE', 'spillway:{live}:entries', 'applier', '0', 'MKSTREAM');
    await expect(check({ stream: 'spillway:{live}:entries', groups: ['applier'] })).rejects.toMatchObject({
      code: 'stream_corrupt',
      message: expect.stringContaining('of Spillway'),
    });
  });

  test('a user who may not add, or a server that takes nothing, is refused before the first backfill; nothing is added', async () => {
    const reads = ['+xinfo', '+xpending', '+xrange', '+ping', '+info', '+config|get'];
    await raw.call('ACL', 'SETUSER', 'reader', 'on', '>canary', '~*', ...reads);
    const url = server.url.replace('redis://', 'redis://reader:canary@');
    await expect(check({ url })).rejects.toMatchObject({ code: 'stream_denied' });
    await raw.call('ACL', 'SETUSER', 'reader', '+xadd');
    await expect(check({ url })).resolves.toBeUndefined();
    await raw.config('SET', 'maxmemory', '1');
    try {
      await expect(check({})).rejects.toMatchObject({ code: 'stream_full' });
    } finally {
      await raw.config('SET', 'maxmemory', '0');
    }
    expect(await raw.xlen(STREAM)).toBe(0);
  });

  test('a group that is removed is missed, and found again', async () => {
    await raw.xgroup('DESTROY', STREAM, GROUP);
    await expect(stream.look()).rejects.toMatchObject({ code: 'group_missing' });
    await expect(stream.producer.length()).rejects.toMatchObject({ code: 'group_missing' });
    await raw.xgroup('CREATE', STREAM, GROUP, '0');
    expect(await stream.look()).toMatchObject({ lagEntries: 0 });
  });

  test('a database that the server has not is wrong in the url; what it may lose can be accepted', async () => {
    const complaint = (url: string) => complaintAboutExternal({ ...definition(), url });
    expect(await complaint(`${server.url}/99`)).toEqual({
      code: 'unfit',
      detail: expect.stringContaining('no database of the number that the URL names'),
    });
    await raw.config('SET', 'maxmemory-policy', 'allkeys-lru');
    try {
      expect(await complaint(server.url)).toMatchObject({ code: 'stream_refused' });
    } finally {
      await raw.config('SET', 'maxmemory-policy', 'noeviction');
    }
    expect(await complaint(server.url)).toBeNull();
  });

  test('wrong credentials are denied each time, also where nobody needs any', async () => {
    await raw.call('ACL', 'SETUSER', 'reader', 'on', '>canary', '~*', '+@all');
    const codes = await Promise.all(
      Array.from({ length: 20 }, () =>
        check({ url: server.url.replace('redis://', 'redis://reader:wrong@') }).then(
          () => null,
          ({ code }) => code,
        ),
      ),
    );
    expect([...new Set(codes)]).toEqual(['stream_denied']);
  });

  test('a user who is refused for a while is let in again without anybody’s doing', async () => {
    const letIn = () => raw.call('ACL', 'SETUSER', 'reader', 'on', '>canary', '~*', '+@all');
    await letIn();
    const theirs = open({ url: server.url.replace('redis://', 'redis://reader:canary@') });
    await theirs.look();
    await raw.call('ACL', 'DELUSER', 'reader');
    const lagOrComplaint = () =>
      theirs.look().then(
        ({ lagEntries }) => lagEntries,
        ({ code }) => code,
      );
    // First of all the connection is lost; and one that is being made meanwhile may still be refused.
    await expect.poll(lagOrComplaint, { timeout: 5_000 }).toBe('stream_denied');
    await letIn();
    await expect.poll(lagOrComplaint, { timeout: 5_000 }).toBe(0);
    await theirs.close();
  });

  test('a server that evicts is refused, unless that is accepted by name', async () => {
    await raw.config('SET', 'maxmemory-policy', 'allkeys-lru');
    try {
      await expect(check({})).rejects.toMatchObject({
        code: 'stream_refused',
        message: expect.stringContaining('"eviction" in /external/accepts'),
      });
      await expect(check({ accepts: ['eviction'] })).resolves.toBeUndefined();
    } finally {
      await raw.config('SET', 'maxmemory-policy', 'noeviction');
    }
  });
});
