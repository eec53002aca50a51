import { readFileSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'iovalkey';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { redisIdentity } from '../../../src/adapters/stream-redis/identity.ts';
import { placeOf } from '../../../src/adapters/stream-redis/place.ts';
import { checkRedisServer, openRedisStream } from '../../../src/adapters/stream-redis/stream.ts';
import type { DeliveredEntry, DurableStream } from '../../../src/data-plane/ports.ts';
import { freePort, type RedisServer, SAFE, startRedis } from '../../fixtures/redis-server.ts';
import { idOf, liveEvents } from './entries.ts';
import { open, prepare, SERVER_URL } from './redis.adapter.ts';
import { streamConformance } from './stream-conformance.ts';

const NEVER = new AbortController().signal;
const QUICK = { patienceMs: 200 };

let server: RedisServer;
let raw: Redis;

beforeAll(async () => {
  server = await startRedis();
  raw = server.client();
  process.env[SERVER_URL] = server.url;
});
afterAll(() => server?.stop());

streamConformance('redis stream', fileURLToPath(new URL('redis.adapter.ts', import.meta.url)));

describe('redis stream: its own', () => {
  let cleanups: (() => unknown)[] = [];
  let prefix: string;
  const key = (): string => `${prefix}:{live}:entries`;

  async function emptyStream(): Promise<DurableStream> {
    const place = await prepare();
    prefix = place.split(' ')[1] as string;
    const stream = await open(place);
    cleanups.push(() => stream.close());
    return stream;
  }

  afterEach(async () => {
    for (const cleanup of cleanups.toReversed()) await cleanup();
    cleanups = [];
  });

  test('a position beyond the end is a gap, and so is one of another backbone', async () => {
    const stream = await emptyStream();
    const { lastOffset } = await stream.producer.append(liveEvents('e', 3));
    const consumer = stream.consumer('reader');
    const ask = { maxEntries: 1, waitMs: 0, signal: NEVER };
    const beyond = lastOffset.replace('3-', '4-');
    await expect(consumer.read({ ...ask, after: beyond })).rejects.toMatchObject({ code: 'gap' });
    await expect(consumer.acknowledge(beyond)).rejects.toMatchObject({ code: 'gap' });
    await expect(consumer.read({ ...ask, after: '0000000000000002' })).rejects.toMatchObject({ code: 'gap' });
    expect(await consumer.read({ ...ask, after: lastOffset })).toEqual([]);
  });

  test('a database that the server does not have is refused, and no other one taken', async () => {
    const refused = checkRedisServer({ url: `${server.url}/999`, ...QUICK });
    await expect(refused).rejects.toMatchObject({
      code: 'stream_refused',
      message: expect.stringContaining('no database of the number'),
    });
    await raw.call('ACL', 'SETUSER', 'confined', 'on', '>canary', '~*', '+@all', '-select');
    const url = server.url.replace('redis://', 'redis://confined:canary@');
    await expect(checkRedisServer({ url: `${url}/1`, ...QUICK })).rejects.toMatchObject({
      code: 'stream_denied',
    });
    await expect(checkRedisServer({ url, ...QUICK })).resolves.toBeUndefined();
    const second = await openRedisStream({ url: `${server.url}/1`, prefix: 'apart', name: 'live' });
    cleanups.push(() => second.close());
    await second.producer.append(liveEvents('e', 1));
    expect(await raw.exists('apart:{live}:entries')).toBe(0);
  });

  test('the streams of a database have one identity, whoever asks first and by whatever name of the server', async () => {
    const urls = [3, 3, 4].map((database) => `${server.url}/${database}`);
    urls.push(`redis://localhost:${server.port}/3`);
    const [one, same, other, byName] = await Promise.all(urls.map((url) => redisIdentity({ url })));
    expect(one?.name).toBe(`database 3 of Redis at 127.0.0.1:${server.port}`);
    expect([same?.id, byName?.id]).toEqual([one?.id, one?.id]);
    expect(other?.id).not.toBe(one?.id);
    expect((await redisIdentity({ url: urls[0] as string }))?.id).toBe(one?.id);
  });

  test('a server without memory tells the identity it has; where it has none yet there is none, and whoever makes room is let in', async () => {
    const small = await startRedis(SAFE);
    cleanups.push(() => small.stop());
    const asked = (database: number) => redisIdentity({ url: `${small.url}/${database}`, ...QUICK });
    const made = await asked(0);
    await small.client().config('SET', 'maxmemory', '1');
    expect(await asked(0)).toEqual(made);
    expect(await asked(1)).toBeUndefined();
  });

  test('the rights that operations.md names are enough for all that a stream does', async () => {
    const operations = readFileSync(new URL('../../../../../docs/operations.md', import.meta.url), 'utf8');
    const [, name = '', rights = ''] = /^user (\w+) (on >password .+)$/m.exec(operations) ?? [];
    expect(name).toBe('spillway');
    await raw.call('ACL', 'SETUSER', name, ...rights.split(' '));
    await raw.call('ACL', 'LOG', 'RESET');
    const url = server.url.replace('redis://', `redis://${name}:password@`);
    // In a database of its own, where the keys are those of an installation.
    const stream = await openRedisStream({ url: `${url}/2`, name: 'live' });
    cleanups.push(() => stream.close());
    const entries = 'spillway:{live}:entries';
    const second = server.client();
    await second.select(2);
    const { lastOffset } = await stream.producer.append(liveEvents('e', 3), 'place');
    await stream.producer.keepState('place');
    expect([await stream.producer.producerState(), await stream.producer.length()]).toEqual(['place', 3]);
    expect(await readAll(stream, 'reader')).toHaveLength(3);
    // What somebody was given in the group's name, and a group that somebody has destroyed.
    await second.xreadgroup('GROUP', 'reader', 'one', 'COUNT', 1, 'STREAMS', entries, '>');
    expect((await stream.stats('reader')).group).toMatchObject({ lagEntries: 3 });
    await stream.consumer('reader').acknowledge(lastOffset);
    await second.xgroup('DESTROY', entries, 'reader');
    await stream.consumer('reader').acknowledge(lastOffset);
    const atEnd = { after: lastOffset, maxEntries: 1, waitMs: 1, signal: NEVER };
    expect(await stream.consumer('reader').read(atEnd)).toEqual([]);
    expect(await stream.trim()).toBe(3);
    await redisIdentity({ url: `${url}/2` });
    expect(await raw.call('ACL', 'LOG')).toEqual([]);
  });

  test('an entry that somebody has removed is a gap, and what somebody else has written is corrupt', async () => {
    const stream = await emptyStream();
    await appendOneByOne(stream, 3);
    const ids = ((await raw.xrange(key(), '-', '+')) as [string, string[]][]).map(([id]) => id);
    await raw.xdel(key(), ids[1] as string);
    const all = { after: null, maxEntries: 1_000, waitMs: 0, signal: NEVER };
    await expect(stream.consumer('reader').read(all)).rejects.toMatchObject({ code: 'gap' });

    const other = await emptyStream();
    await raw.xadd(key(), '*', 'event', '{}');
    await expect(other.consumer('reader').read(all)).rejects.toMatchObject({ code: 'stream_corrupt' });
    await raw.set(`${prefix}:{held}:entries`, 'a string');
    const held = await openRedisStream({ url: server.url, prefix, name: 'held' });
    cleanups.push(() => held.close());
    await expect(held.producer.append(liveEvents('e', 1))).rejects.toMatchObject({ code: 'stream_corrupt' });
  });

  test('a place that was lost with the end of the stream, and lies in a pack that has come since, is a gap; how it stands is told all the same', async () => {
    const stream = await emptyStream();
    const kept = await stream.producer.append(liveEvents('e', 10));
    const lost = await stream.producer.append(liveEvents('lost', 3, 10));
    // As a server that had not written the second append to its disk yet.
    const [[id, fields] = ['', []]] = (await raw.xrange(key(), '-', '+', 'COUNT', 1)) as [string, string[]][];
    await raw.del(key());
    await raw.xadd(key(), id, ...fields);
    await raw.hset(`${prefix}:{live}:meta`, 'next', 11, 'ms', placeOf(lost.lastOffset).ms + 1);
    await stream.producer.append(liveEvents('e', 5, 10));

    const consumer = stream.consumer('reader');
    const ask = { maxEntries: 1_000, waitMs: 0, signal: NEVER };
    await expect(consumer.read({ ...ask, after: lost.lastOffset })).rejects.toMatchObject({ code: 'gap' });
    expect(await consumer.read({ ...ask, after: kept.lastOffset })).toHaveLength(5);
    await consumer.acknowledge(lost.lastOffset);
    expect((await stream.stats('reader')).group).toMatchObject({ lagEntries: 5 });
    // And of what had nothing in common with it.
    await raw.xgroup('SETID', key(), 'reader', '1-99');
    expect((await stream.stats('reader')).group).toMatchObject({ lagEntries: 15, lagMs: expect.any(Number) });
  });

  test('what was written before there were packs is read on, counted and trimmed, among packs too; whoever knew no packs finds none of its entries in one', async () => {
    const stream = await emptyStream();
    const { lastOffset } = await stream.producer.append(liveEvents('e', 40));
    const { ms } = placeOf(lastOffset);
    const bytes = Number(await raw.hget(`${prefix}:{live}:meta`, 'bytes'));
    const record = JSON.stringify([0, ms, 'e#40', 'west', 'LAX', 991_353_600_000, -7, bytes]);
    await raw.xadd(key(), `${ms}-41`, 'e', record);
    await raw.hset(`${prefix}:{live}:meta`, 'next', 42);
    await stream.producer.append(liveEvents('e', 40, 41));

    const read = await readAll(stream, 'reader');
    expect(read.map(({ entry }) => idOf(entry))).toEqual(Array.from({ length: 81 }, (_, n) => `e#${n}`));
    await stream.consumer('reader').acknowledge((read[39] as DeliveredEntry).offset);
    expect(await stream.trim()).toBe(40);
    expect(await stream.stats('reader')).toMatchObject({ length: 41, group: { lagEntries: 41 } });
    await stream.consumer('reader').acknowledge((read[59] as DeliveredEntry).offset);
    expect(await stream.trim()).toBe(1);
    const left = (await raw.xrange(key(), '-', '+')) as [string, string[]][];
    expect(left.map(([, [name]]) => name)).not.toContain('e');
  });

  test('a group of any other program holds back trimming: what it was given and has not finished, and what comes after', async () => {
    const stream = await emptyStream();
    const lastOffset = await appendOneByOne(stream, 10);
    await raw.xgroup('CREATE', key(), 'theirs', '0');
    const given = (await raw.xreadgroup(
      'GROUP',
      'theirs',
      'one',
      'COUNT',
      6,
      'STREAMS',
      key(),
      '>',
    )) as unknown as [string, [string, string[]][]][];
    const ids = given[0]?.[1].map(([id]) => id) as string[];
    await raw.xack(key(), 'theirs', ids[0] as string, ids[1] as string, ids[3] as string);
    await readAll(stream, 'reader');
    await stream.consumer('reader').acknowledge(lastOffset);

    const theirs = async () => (await stream.stats('theirs')).group;
    expect(await theirs()).toMatchObject({ lagEntries: 10 - 2 });
    expect(await stream.trim()).toBe(2);
    expect(await stream.producer.length()).toBe(8);
    await raw.xack(key(), 'theirs', ...ids);
    expect(await theirs()).toMatchObject({ lagEntries: 4 });
    expect(await stream.trim()).toBe(4);
    expect(await stream.producer.length()).toBe(4);
  });

  test('lag is counted in entries, also from within a pack, where Redis counts packs or says nil', async () => {
    const stream = await emptyStream();
    const first = await stream.producer.append(liveEvents('e', 10));
    const { lastOffset } = await stream.producer.append(liveEvents('e', 5, 10));
    expect(await raw.xlen(key())).toBe(2);
    const read = await readAll(stream, 'reader');
    const lagOf = async (group: string) => {
      const groups = (await raw.xinfo('GROUPS', key())) as unknown[][];
      const fields = groups.find((one) => one[1] === group) as unknown[];
      return fields[fields.indexOf('lag') + 1];
    };
    const ours = async () => (await stream.stats('reader')).group;
    await stream.consumer('reader').acknowledge((read[6] as DeliveredEntry).offset);
    expect(await lagOf('reader')).not.toBe(8);
    expect(await ours()).toMatchObject({ acknowledged: read[6]?.offset, lagEntries: 8 });
    expect(await stream.trim()).toBe(0);
    await stream.consumer('reader').acknowledge(first.lastOffset);
    expect(await ours()).toMatchObject({ lagEntries: 5 });
    expect(await stream.trim()).toBe(10);
    expect(await stream.stats('reader')).toMatchObject({ length: 5 });
    await stream.consumer('reader').acknowledge(lastOffset);
    expect([await lagOf('reader'), await ours()]).toMatchObject([0, { lagEntries: 0, lagMs: 0 }]);
  });

  test('reading goes on from within a pack, however few entries are asked for', async () => {
    const stream = await emptyStream();
    await stream.producer.append(liveEvents('e', 100));
    await appendOneByOne(stream, 40, 100);
    await stream.producer.append(liveEvents('e', 100, 140));
    for (const maxEntries of [1, 7, 32, 33, 1_000]) {
      const read: DeliveredEntry[] = [];
      for (let more = true; more; ) {
        const after = read.at(-1)?.offset ?? null;
        const entries = await stream.consumer('reader').read({ after, maxEntries, waitMs: 0, signal: NEVER });
        expect(entries.length).toBeLessThanOrEqual(maxEntries);
        read.push(...entries);
        more = entries.length > 0;
      }
      expect(read.map(({ entry }) => idOf(entry))).toEqual(Array.from({ length: 240 }, (_, n) => `e#${n}`));
    }
  });

  test('what a dead consumer held in the name of our group is read again, and finished with the rest', async () => {
    const stream = await emptyStream();
    const { lastOffset } = await stream.producer.append(liveEvents('e', 2_500));
    await raw.xgroup('CREATE', key(), 'reader', '0');
    await raw.xreadgroup('GROUP', 'reader', 'dead', 'COUNT', 72, 'STREAMS', key(), '>');
    const read = await readAll(stream, 'reader');
    expect(read.map(({ entry }) => idOf(entry))).toEqual(read.map((_, index) => `e#${index}`));
    expect(read).toHaveLength(2_500);
    expect(await stream.trim()).toBe(0);
    await stream.consumer('reader').acknowledge((read[2_199] as DeliveredEntry).offset);
    // To the pack, which is what it held.
    expect((await stream.stats('reader')).group).toMatchObject({ lagEntries: 2_500 - 68 * 32 });
    await stream.consumer('reader').acknowledge(lastOffset);
    expect((await stream.stats('reader')).group).toEqual({
      acknowledged: lastOffset,
      lagEntries: 0,
      lagMs: 0,
    });
    expect(await stream.trim()).toBe(2_500);
  });

  test('more than one piece is trimmed, to the pack', async () => {
    const stream = await emptyStream();
    await appendOneByOne(stream, 5_000);
    await stream.producer.append(liveEvents('e', 1_000, 5_000));
    const read = await readAll(stream, 'reader');
    await stream.consumer('reader').acknowledge((read[5_549] as DeliveredEntry).offset);
    expect(await stream.trim()).toBe(5_000 + 17 * 32);
    const { length, lengthBytes } = await stream.stats('reader');
    expect(length).toBe(456);
    expect(lengthBytes).toBeLessThan(456 * 100);
    expect(lengthBytes).toBeGreaterThan(456 * 10);
  });

  test('full when the server has no memory left, with nothing of the append that was too much; applied entries still make room', async () => {
    const small = await startRedis(SAFE);
    cleanups.push(() => small.stop());
    const stream = await openRedisStream({ url: small.url, name: 'live' });
    cleanups.push(() => stream.close());
    const { lastOffset } = await stream.producer.append(liveEvents('e', 1_000), 'first');
    await readAll(stream, 'reader');
    const before = await stream.stats('reader');
    await small.client().config('SET', 'maxmemory', '1');
    await expect(stream.producer.append(liveEvents('f', 10), 'second')).rejects.toMatchObject({
      code: 'stream_full',
    });
    expect({ ...(await stream.stats('reader')), group: null }).toEqual({ ...before, group: null });
    expect(await stream.producer.producerState()).toBe('first');
    // Who takes over from an applier that has ended meanwhile, too.
    const successor = await openRedisStream({ url: small.url, name: 'live' });
    cleanups.push(() => successor.close());
    expect(await readAll(successor, 'reader')).toHaveLength(1_000);
    await successor.consumer('reader').acknowledge(lastOffset);
    expect(await successor.trim()).toBe(1_000);
  });

  test('an append whose answer was lost is there once, with the answer it had', async () => {
    const cutter = await cuttingProxy(server.port);
    cleanups.push(() => cutter.close());
    const place = await prepare();
    prefix = place.split(' ')[1] as string;
    const stream = await openRedisStream({ url: `redis://127.0.0.1:${cutter.port}`, prefix, name: 'live' });
    cleanups.push(() => stream.close());
    await stream.producer.append(liveEvents('e', 5), '5');
    cutter.cutNextAnswer();
    const { firstOffset, lastOffset } = await stream.producer.append(liveEvents('e', 5, 5), '10');
    expect(cutter.cuts()).toBe(1);
    await stream.producer.append(liveEvents('e', 5, 10), '15');
    const read = await readAll(stream, 'reader');
    expect(read.map(({ entry }) => idOf(entry))).toEqual(
      Array.from({ length: 15 }, (_, index) => `e#${index}`),
    );
    expect([read[5]?.offset, read[9]?.offset]).toEqual([firstOffset, lastOffset]);
  });

  test('a server that is killed and started again: whoever was appending and reading goes on, nothing is lost or twice', async () => {
    const mortal = await startRedis();
    cleanups.push(() => mortal.stop());
    const stream = await openRedisStream({ url: mortal.url, name: 'live' });
    cleanups.push(() => stream.close());
    const reading = readAll(stream, 'reader', 1_000);
    const appending = (async () => {
      for (let batch = 0; batch < 100; batch++) await stream.producer.append(liveEvents('e', 10, batch * 10));
    })();
    while ((await stream.producer.length()) < 200);
    await mortal.kill();
    await mortal.startAgain();
    await appending;
    const read = await reading;
    expect(read.map(({ entry }) => idOf(entry))).toEqual(read.map((_, index) => `e#${index}`));
    expect(await stream.producer.length()).toBe(1_000);
  });

  test('a cluster finds all keys of a stream in one slot', async () => {
    const node = await startRedis([...SAFE, '--cluster-enabled', 'yes']);
    cleanups.push(() => node.stop());
    await node.client().call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    const stream = await openRedisStream({ url: node.url, name: 'live' });
    cleanups.push(() => stream.close());
    const { lastOffset } = await stream.producer.append(liveEvents('e', 10), 'ten');
    expect(await readAll(stream, 'reader')).toHaveLength(10);
    await stream.consumer('reader').acknowledge(lastOffset);
    expect(await stream.trim()).toBe(10);
    expect(await stream.stats('reader')).toMatchObject({ length: 0, lengthBytes: 0 });
  });

  test('a name is not a key, and an address is checked', async () => {
    for (const name of ['', '..', 'a:b', '{live}', 'Live'])
      await expect(openRedisStream({ url: server.url, name })).rejects.toThrow(RangeError);
    await expect(openRedisStream({ url: 'redis://', name: 'live' })).rejects.toThrow(RangeError);
  });
});

describe('redis stream: a server that is not to be trusted', () => {
  test.each([
    [
      'evicts',
      ['--appendonly', 'yes', '--maxmemory-policy', 'allkeys-lru'],
      'eviction',
      /maxmemory-policy is allkeys-lru/,
    ],
    ['forgets', ['--save', ''], 'persistence', /appendonly is no and its save is empty/],
  ] as const)('that %s is refused unless that is accepted by name', async (_, settings, danger, names) => {
    const bad = await startRedis(settings);
    try {
      await expect(openRedisStream({ url: bad.url, name: 'live' })).rejects.toMatchObject({
        code: 'stream_refused',
        message: expect.stringMatching(names),
      });
      await expect(checkRedisServer({ url: bad.url })).rejects.toMatchObject({
        message: expect.stringContaining(`SPILLWAY_STREAM_ACCEPT=${danger}`),
      });
      const stream = await openRedisStream({ url: bad.url, name: 'live', accepted: [danger] });
      await stream.close();
    } finally {
      await bad.stop();
    }
  });

  test('a wrong password, none, and a user without rights are denied, and no error repeats a password', async () => {
    const guarded = await startRedis([...SAFE, '--requirepass', 'canary-right']);
    try {
      const at = (user: string) => guarded.url.replace('//', `//${user}@`);
      const client = guarded.client('canary-right');
      await client.call('ACL', 'SETUSER', 'reader', 'on', '>canary-reader', '~*', '+info', '+ping');
      const codes = [];
      for (const user of [':canary-wrong', '', 'reader:canary-reader']) {
        const error = await openRedisStream({ url: user === '' ? guarded.url : at(user), name: 'live' })
          .then((stream) => stream.producer.length().finally(() => stream.close()))
          .catch((thrown: unknown) => thrown);
        codes.push((error as { code?: string }).code);
        expect(inspected(error)).not.toContain('canary');
      }
      expect(codes).toEqual(['stream_denied', 'stream_denied', 'stream_denied']);
      const stream = await openRedisStream({ url: at(':canary-right'), name: 'live' });
      await stream.close();
    } finally {
      await guarded.stop();
    }
  });

  test('nobody there, or nobody of that name, is unavailable once patience is over', async () => {
    const url = `redis://:canary@127.0.0.1:${await freePort()}`;
    await expect(openRedisStream({ url, name: 'live', ...QUICK })).rejects.toMatchObject({
      code: 'stream_unavailable',
      message: expect.stringMatching(/127\.0\.0\.1:\d+ cannot be reached: nothing listens there/),
    });
    await expect(
      openRedisStream({ url: 'redis://no-such-host.invalid', name: 'live', ...QUICK }),
    ).rejects.toMatchObject({ code: 'stream_unavailable' });
  });

  test('where one speaks TLS and the other does not, it is said what the URL should begin with', async () => {
    const warned: string[] = [];
    const note = ({ message }: Error) => void warned.push(message);
    // As a server of TLS does with what is none.
    const ofTls = createServer((socket) => void socket.once('data', () => socket.resetAndDestroy()));
    const port = await freePort();
    await new Promise<void>((resolve) => ofTls.listen(port, '127.0.0.1', resolve));
    process.on('warning', note);
    try {
      for (const [url, says] of [
        [server.url.replace('redis:', 'rediss:'), /speaks no TLS there \(then the URL begins with redis:/],
        [`redis://127.0.0.1:${port}`, /wants TLS \(then the URL begins with rediss:/],
      ] as const)
        await expect(openRedisStream({ url, name: 'live', ...QUICK })).rejects.toMatchObject({
          code: 'stream_unavailable',
          message: expect.stringMatching(says),
        });
      // An address is not asked for as a name, which Node warns of.
      expect(warned).toEqual([]);
    } finally {
      process.off('warning', note);
      ofTls.close();
    }
  });
});

/** Each in a pack of its own. Answers where the last one is. */
async function appendOneByOne(stream: DurableStream, count: number, from = 0): Promise<string> {
  const appended = liveEvents('e', count, from).map((event) => stream.producer.append([event]));
  return (await Promise.all(appended)).at(-1)?.lastOffset as string;
}

async function readAll(stream: DurableStream, group: string, count?: number): Promise<DeliveredEntry[]> {
  const wanted = count ?? (await stream.producer.length());
  const read: DeliveredEntry[] = [];
  while (read.length < wanted)
    read.push(
      ...(await stream.consumer(group).read({
        after: read.at(-1)?.offset ?? null,
        maxEntries: 1_000,
        waitMs: 1_000,
        signal: NEVER,
      })),
    );
  return read;
}

/** Everything a log could show of an error. */
function inspected(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = Object.getOwnPropertyNames(error).map((name) => Reflect.get(error, name));
  return own.map((value) => (value instanceof Error ? inspected(value) : JSON.stringify(value))).join(' ');
}

/** Passes everything on, until it is told to let a question through and to cut the connection instead of its answer. */
async function cuttingProxy(to: number) {
  let cutting = false;
  let cuts = 0;
  const sockets = new Set<Socket>();
  const proxy: Server = createServer((client) => {
    const upstream = createConnection(to, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream);
    upstream.on('data', (answer) => {
      if (!cutting) return client.write(answer);
      cutting = false;
      cuts += 1;
      client.destroy();
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => proxy.listen(port, '127.0.0.1', resolve));
  return {
    port,
    cuts: () => cuts,
    cutNextAnswer: () => void (cutting = true),
    close: () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}
