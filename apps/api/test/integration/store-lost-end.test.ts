/** A Redis that has lost what was applied already: nothing is applied until the recipe of docs/operations.md is followed, and then all of it once. */
import type { Redis } from 'iovalkey';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPostgresStore } from '../../src/adapters/store-postgres/open.ts';
import { openRedisStream } from '../../src/adapters/stream-redis/stream.ts';
import { APPLIER_GROUP } from '../../src/data-plane/apply/lane.ts';
import { Observations } from '../../src/data-plane/apply/observations.ts';
import { streamReportOf } from '../../src/data-plane/apply/stream-report.ts';
import { systemClock } from '../../src/data-plane/clock.ts';
import type { DurableStream, Store } from '../../src/data-plane/ports.ts';
import { runLoops } from '../fixtures/apply-loops.ts';
import { EmbeddedStoreDatabase } from '../fixtures/embedded-store-database.ts';
import { lostEndRecipe } from '../fixtures/lost-end-recipe.ts';
import { type RedisServer, startRedis } from '../fixtures/redis-server.ts';
import { until } from '../system/until.ts';

const JANUARY = Date.UTC(2001, 0);
let server: RedisServer;
let raw: Redis;
let database: EmbeddedStoreDatabase;
let store: Store;

beforeAll(async () => {
  server = await startRedis();
  raw = server.client();
  database = await EmbeddedStoreDatabase.start();
  store = await openPostgresStore({ url: database.url });
  await store.migrate();
});
afterAll(async () => {
  await store?.close();
  await database?.remove();
  await server?.stop();
});

/** Its source is named as the stream. */
const append = ({ producer, name }: DurableStream, from: number, to: number) =>
  producer.append(
    Array.from({ length: to - from }, (_, index) => ({
      type: 'event' as const,
      event: {
        id: `${name} ${from + index}`,
        sourceId: name,
        key: 'LAX',
        at: JANUARY + from + index,
        value: 2 ** (from + index),
      },
      publisher: { kind: 'live' as const },
      publishedAt: Date.now(),
    })),
  );

/** Until all that is on the streams is applied. */
async function apply(live: DurableStream, replay: DurableStream): Promise<void> {
  const stop = new AbortController();
  const observe = new Observations(systemClock);
  const end = runLoops({ store, live, replay, signal: stop.signal, observe, unfinished: () => [] });
  const applied = until('everything to be applied', async () => {
    const { lastOffset } = await live.stats(APPLIER_GROUP);
    return observe.drain().streams.find(({ stream }) => stream === live.name)?.position === lastOffset;
  });
  try {
    await Promise.race([applied, end]);
  } finally {
    stop.abort();
    applied.catch(() => undefined);
  }
  await end;
}

test.for([
  ['set back to what its replica had', 6],
  ['left with nothing', 0],
] as const)('a stream that was %s', async ([, left]) => {
  const live = await openRedisStream({ url: server.url, name: `live-${left}` });
  const replay = await openRedisStream({ url: server.url, name: `replay-${left}` });
  const keys = [`spillway:{${live.name}}:entries`, `spillway:{${live.name}}:meta`];
  if (left > 0) await append(live, 0, left);
  const replica = await Promise.all(keys.map((key) => raw.dumpBuffer(key)));
  await append(live, left, 10);
  await apply(live, replay);

  for (const [index, key] of keys.entries()) {
    const held = replica[index];
    await (held == null ? raw.del(key) : raw.restore(key, 0, held, 'REPLACE'));
  }
  // What the api is told: it looks for markers beyond that.
  const { lastOffset } = streamReportOf(await live.stats(APPLIER_GROUP), live.name, Date.now());
  expect(lastOffset === null ? 0 : Number(lastOffset?.split('-')[0])).toBe(left);
  // Whether others have appended again or not.
  await expect(apply(live, replay)).rejects.toMatchObject({ code: 'gap' });
  await append(live, 8, 20);
  await expect(apply(live, replay)).rejects.toMatchObject({ code: 'gap' });

  await database.sql(lostEndRecipe(live.name).store);
  await apply(live, replay);
  const proof = await store.proof({
    sourceId: live.name,
    range: { from: JANUARY, to: JANUARY + 3_600_000 },
  });
  for (const digests of [proof.events, proof.buckets])
    expect(digests).toMatchObject([{ count: 20, sum: String(2 ** 20 - 1) }]);
  await live.close();
  await replay.close();
});
