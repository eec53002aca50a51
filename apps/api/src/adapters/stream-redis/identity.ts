/** What the streams of a server's database are told by: a key beside them, made by whoever asks first and kept from then on. */
import { randomUUID } from 'node:crypto';
import type { Identity } from '@spillway/shared/api/worker-protocol';
import { addressOf } from './address.ts';
import { IDENTITY_KEY } from './keys.ts';
import { linkTo, type RedisServerOptions } from './stream.ts';

/** Errors as of `openRedisStream`. */
export async function redisIdentity(options: RedisServerOptions): Promise<Identity> {
  const { shown, database } = addressOf(options.url);
  const link = linkTo(options);
  try {
    const id = await link.run(async (redis) => {
      await redis.set(IDENTITY_KEY, randomUUID(), 'NX');
      return redis.get(IDENTITY_KEY);
    });
    if (id === null) throw new Error(`the key ${IDENTITY_KEY} is removed as soon as it is made`);
    return { id, name: `database ${database} of Redis at ${shown}` };
  } finally {
    link.close();
  }
}
