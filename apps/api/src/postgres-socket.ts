import type { Socket } from 'node:net';
import type pg from 'pg';

/** What a client speaks over: not in its types, and the only place that counts its bytes and knows how long it has been silent. */
export function socketOf(client: pg.PoolClient): Socket {
  return (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream;
}
