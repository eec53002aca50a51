/** What the store says of itself: measured, or unknown where it cannot be read, and never zero for it. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Connections } from '../../src/adapters/store-postgres/connections.ts';
import { storePulse } from '../../src/adapters/store-postgres/maintenance.ts';

describe('a pulse', () => {
  const pulse = async (
    row: Partial<Record<'wal' | 'dead' | 'hit' | 'read', string | null>>,
    last: Parameters<typeof storePulse>[1] = null,
  ) => storePulse({ run: async () => [{ wal: '4096', dead: '7', hit: '190', read: '60', ...row }] }, last);
  const before = { hit: 100, asked: 150 };

  test('tells log and dead rows as they are, and of the cache what was asked since the last one', async () => {
    expect(await pulse({}, before)).toEqual({
      pulse: { walBytes: 4_096, deadRows: 7, cacheHitRatio: 0.9 },
      cache: { hit: 190, asked: 250 },
    });
  });

  test.each([
    ['there was none before it', {}, null],
    ['nothing has been asked since', { hit: '100', read: '50' }, before],
    ['the counters began anew', { hit: '9', read: '1' }, before],
    ['the database does not count', { hit: null, read: '260' }, before],
  ])('knows no cache hit ratio where %s', async (_what, row, last) => {
    expect((await pulse(row, last)).pulse.cacheHitRatio).toBeNull();
  });

  test('does not know what its user may not see', async () => {
    expect((await pulse({ wal: null, dead: null })).pulse).toMatchObject({ walBytes: null, deadRows: null });
  });
});

describe('the wait for a connection', () => {
  afterEach(() => void vi.useRealTimers());

  /** Lets everybody in, as a primary, and answers a statement when it is told to. */
  async function startServer() {
    const asked = [Promise.withResolvers<() => void>(), Promise.withResolvers<() => void>()];
    let statements = 0;
    const sockets = new Set<Socket>();
    const [welcome, no, done, ready] = [
      '520000000800000000',
      // One row of one column, `replica`: f.
      '540000002000017265706c69636100000000000000000000100001ffffffff0000440000000b00010000000166',
      '430000000d53454c454354203000',
      '5a0000000549',
    ].map((hex) => Buffer.from(hex, 'hex')) as [Buffer, Buffer, Buffer, Buffer];
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('data', () => {
        socket.write(Buffer.concat([welcome, ready]));
        socket.on('data', (message) => {
          if (message.includes('pg_is_in_recovery')) socket.write(Buffer.concat([no, done, ready]));
          else if (message[0] === 'Q'.charCodeAt(0))
            asked[statements++]?.resolve(() => socket.write(Buffer.concat([done, ready])));
        });
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
      url: `postgres://spillway@127.0.0.1:${(server.address() as AddressInfo).port}/store`,
      /** When it is asked its first or second statement: answers it. */
      asked: (statement: 0 | 1) => asked[statement]?.promise as Promise<() => void>,
      close() {
        for (const socket of sockets) socket.destroy();
        server.close();
      },
    };
  }

  test('is measured from asking for one to having it, and unknown while nobody asked', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const server = await startServer();
    const connections = new Connections({ url: server.url, connectionsMax: 1, statementLimitMs: 60_000 });
    expect(connections.waitMs.percentile(0.99)).toBeNull();
    const first = connections.run('select 1');
    const answerFirst = await server.asked(0);
    expect(connections.waitMs.percentile(0.99)).toBeLessThan(1);
    const second = connections.run('select 2');
    vi.advanceTimersByTime(400);
    answerFirst();
    (await server.asked(1))();
    await Promise.all([first, second]);
    expect(connections.waitMs.percentile(0.99)).toBeCloseTo(400, -1);
    await connections.close();
    server.close();
  });
});
