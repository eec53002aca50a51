import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import pg from 'pg';
import { expect, it } from 'vitest';
import { toleratesLostConnections } from '../../src/postgres-pool.ts';

it('a server that ends a connection with the bytes that open it is an error of the statement, not of the process', async () => {
  const server = createServer((socket) => {
    socket.once('data', () => socket.end(Buffer.concat([AUTHENTICATED, READY, SHUTTING_DOWN])));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const pool = new pg.Pool({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, user: 'u' });
  toleratesLostConnections(pool);
  try {
    const client = await pool.connect();
    await expect(client.query('select 1')).rejects.toThrow(/connection error/);
    client.release(true);
    await expect(pool.query('select 1')).rejects.toThrow(/administrator|connection/);
  } finally {
    await pool.end();
    server.close();
  }
});

const AUTHENTICATED = message('R', Buffer.alloc(4));
const READY = message('Z', Buffer.from('I'));
const SHUTTING_DOWN = message(
  'E',
  Buffer.from('SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0'),
);

/** Its length counts itself. */
function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
