/** An ordinary consumer: counts events by airport, each once. It knows its stream, its group and CloudEvents, and nothing of who publishes. */
import { Redis } from 'iovalkey';

const { REDIS_URL = 'redis://127.0.0.1:6379', STREAM = 'flights', GROUP = 'counts' } = process.env;
const redis = new Redis(REDIS_URL);

// What is counted and which ids are in it change together: whoever dies in between has done nothing.
redis.defineCommand('countOnce', {
  numberOfKeys: 2,
  lua: `for i = 1, #ARGV, 3 do
      if redis.call('SADD', KEYS[1], ARGV[i]) == 1 then
        redis.call('HINCRBY', KEYS[2], ARGV[i + 1] .. ':events', 1)
        redis.call('HINCRBY', KEYS[2], ARGV[i + 1] .. ':minutes', ARGV[i + 2])
      end
    end`,
});

await redis.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM').catch((error) => {
  if (!error.message.startsWith('BUSYGROUP')) throw error;
});
console.log('ready');

// First what an earlier life was given and has not acknowledged ('0'), then what is new ('>').
for (let from = '0'; ; ) {
  const read = ['GROUP', GROUP, 'one', 'COUNT', 500, 'BLOCK', 1000, 'STREAMS', STREAM, from];
  const entries = (await redis.xreadgroup(...read))?.[0]?.[1] ?? [];
  if (entries.length === 0) {
    from = '>';
    continue;
  }
  const events = entries.map(([, [, text]]) => JSON.parse(text));
  const rows = events.flatMap(({ id, subject, data }) => [id, subject, data.value]);
  await redis.countOnce(`${GROUP}:ids`, `${GROUP}:counts`, ...rows);
  await redis.xack(STREAM, GROUP, ...entries.map(([id]) => id));
  await new Promise((resolve) => setTimeout(resolve, Number(process.env.PAUSE_MS ?? 0)));
}
