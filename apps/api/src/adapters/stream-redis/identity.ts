/** What the streams of a server's database are told by: a key beside them, made by whoever asks first and kept from then on. */
import { randomUUID } from 'node:crypto';
import type { Identity } from '@spillway/shared/api/worker-protocol';
import { StreamError } from '../../data-plane/ports.ts';
import { addressOf } from './address.ts';
import { IDENTITY_KEY } from './keys.ts';
import { linkTo, type RedisServerOptions } from './stream.ts';

/** Undefined: it has none yet, and no memory to make one; only those who apply make room there, so they are not kept out. Errors as of `openRedisStream`. */
export async function redisIdentity(options: RedisServerOptions): Promise<Identity | undefined> {
  const { shown, database } = addressOf(options.url);
  const link = linkTo(options);
  try {
    const id = await link.run(async (redis) => {
      // A server without memory refuses a SET, also one that would change nothing.
      const known = await redis.get(IDENTITY_KEY);
      if (known !== null) return known;
      await redis.set(IDENTITY_KEY, randomUUID(), 'NX');
      return redis.get(IDENTITY_KEY);
    });
    if (id === null) throw new Error(`the key ${IDENTITY_KEY} is removed as soon as it is made`);
    return { id, name: `database ${database} of Redis at ${shown}` };
  } catch (error) {
    if (error instanceof StreamError && error.code === 'stream_full') return undefined;
    throw error;
  } finally {
    link.close();
  }
}
