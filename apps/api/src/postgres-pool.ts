import type pg from 'pg';

/**
 * A connection that breaks is no error of the process: the statement under way tells of it, and one that lies idle is replaced by the pool.
 * Each is listened to from its first moment on, since a server that is shut down may end a connection with the very bytes that open it.
 */
export function toleratesLostConnections(pool: pg.Pool): void {
  pool.on('error', ignored);
  pool.on('connect', (client) => client.on('error', ignored));
}

function ignored(): void {}
