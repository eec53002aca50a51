/** The stream adapter that the settings name. For the entry points alone: only they choose. */
import { join } from 'node:path';
import type { Identity } from '@spillway/shared/api/worker-protocol';
import { embeddedIdentity } from './adapters/stream-embedded/identity.ts';
import { openEmbeddedStream } from './adapters/stream-embedded/stream.ts';
import type { KafkaDanger } from './adapters/stream-kafka/topic.ts';
import { redisIdentity } from './adapters/stream-redis/identity.ts';
import type { RedisDanger } from './adapters/stream-redis/server-check.ts';
import { checkRedisServer, openRedisStream } from './adapters/stream-redis/stream.ts';
import { type Settings, SettingsError } from './config.ts';
import { type DurableStream, StreamError } from './data-plane/ports.ts';

type StreamSettings = Pick<Settings, 'dataDir' | 'streamUrl' | 'streamAccepts'>;

/** Asked once, at a start: whoever started it waits. */
const CHECK_PATIENCE_MS = 1_000;

export function streamOpener(settings: StreamSettings): (name: string) => Promise<DurableStream> {
  const { dataDir, streamUrl: url, streamAccepts } = settings;
  switch (backboneOf(url)) {
    case 'embedded':
      return (name) => openEmbeddedStream({ directory: join(dataDir, 'streams'), name });
    case 'redis':
      return (name) => openRedisStream({ url, accepted: streamAccepts.filter(isOfRedis), name });
    case 'kafka':
      return async (name) => {
        const { openKafkaStream } = await kafka();
        return openKafkaStream({ url, accepted: streamAccepts.filter(isOfKafka), name });
      };
  }
}

/**
 * Before anything is started: what will not pass by itself ends the start. Resolves with what may pass, in a sentence, or null.
 *
 * @throws SettingsError for a URL that is none, a wrong password, and a server that must not be trusted with a stream
 */
export async function checkStreams({
  streamUrl: url,
  streamAccepts,
}: StreamSettings): Promise<string | null> {
  const patienceMs = CHECK_PATIENCE_MS;
  try {
    const backbone = backboneOf(url);
    if (backbone === 'redis')
      await checkRedisServer({ url, accepted: streamAccepts.filter(isOfRedis), patienceMs });
    if (backbone === 'kafka')
      await (await kafka()).checkKafkaCluster({
        url,
        accepted: streamAccepts.filter(isOfKafka),
        patienceMs,
      });
    return null;
  } catch (error) {
    if (error instanceof RangeError) throw new SettingsError([`SPILLWAY_STREAM_URL ${error.message}`]);
    if (!(error instanceof StreamError)) throw error;
    if (error.code === 'stream_unavailable') return `${error.code}: ${error.message}`;
    throw new SettingsError([`SPILLWAY_STREAM_URL: ${error.message} (${error.code})`]);
  }
}

/**
 * Undefined: there is none that lasts. A server that may evict keys, or forgets them with its process, forgets this one, too, and would have those who are
 * right refused.
 *
 * Errors: {@link StreamError}; those of the file system.
 */
export async function streamIdentity({
  dataDir,
  streamUrl: url,
  streamAccepts,
}: StreamSettings): Promise<Identity | undefined> {
  const patienceMs = CHECK_PATIENCE_MS;
  switch (backboneOf(url)) {
    case 'embedded':
      return embeddedIdentity(dataDir);
    case 'redis': {
      const accepted = streamAccepts.filter(isOfRedis);
      return accepted.length > 0 ? undefined : redisIdentity({ url, patienceMs });
    }
    case 'kafka':
      return (
        (await (await import('./adapters/stream-kafka/identity.ts')).kafkaIdentity({ url, patienceMs })) ??
        undefined
      );
  }
}

/** Its client is hundreds of modules, which no process loads that has no use for it. */
function kafka() {
  return import('./adapters/stream-kafka/stream.ts');
}

/** By the schemes that config.ts lets through. */
function backboneOf(url: string): 'embedded' | 'redis' | 'kafka' {
  if (url === 'embedded:') return 'embedded';
  return /^kafkas?:/.test(url) ? 'kafka' : 'redis';
}

type Danger = Settings['streamAccepts'][number];

function isOfRedis(danger: Danger): danger is RedisDanger {
  return danger === 'eviction' || danger === 'persistence';
}

function isOfKafka(danger: Danger): danger is KafkaDanger {
  return danger === 'retention' || danger === 'untrimmed';
}
