import { randomUUID } from 'node:crypto';
import { openRedisStream } from '../../../src/adapters/stream-redis/stream.ts';
import type { DurableStream } from '../../../src/data-plane/ports.ts';

/** Set by the test file, which starts the server: where places are made. */
export const SERVER_URL = 'SPILLWAY_TEST_REDIS_URL';

/** A place is a server and what the keys begin with. */
export async function prepare(): Promise<string> {
  return `${process.env[SERVER_URL]} ${randomUUID()}`;
}

export function open(place: string): Promise<DurableStream> {
  const [url, prefix] = place.split(' ') as [string, string];
  return openRedisStream({ url, name: 'live', prefix });
}

/** The server is thrown away with all that is on it. */
export async function clear(): Promise<void> {}
