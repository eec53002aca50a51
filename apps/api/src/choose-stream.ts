/** The stream adapter that the settings name. For the entry points alone: only they choose. */
import { join } from 'node:path';
import { openEmbeddedStream } from './adapters/stream-embedded/stream.ts';
import { checkRedisServer, openRedisStream } from './adapters/stream-redis/stream.ts';
import { type Settings, SettingsError } from './config.ts';
import { type DurableStream, StreamError } from './data-plane/ports.ts';

type StreamSettings = Pick<Settings, 'dataDir' | 'streamUrl' | 'streamAccepts'>;

/** Asked once, at a start: whoever started it waits. */
const CHECK_PATIENCE_MS = 1_000;

/** @throws SettingsError when there is no adapter for the URL */
export function streamOpener(settings: StreamSettings): (name: string) => Promise<DurableStream> {
  const { dataDir, streamUrl: url, streamAccepts: accepted } = settings;
  switch (backboneOf(url)) {
    case 'embedded':
      return (name) => openEmbeddedStream({ directory: join(dataDir, 'streams'), name });
    case 'redis':
      return (name) => openRedisStream({ url, accepted, name });
  }
}

/**
 * Before anything is started: what will not pass by itself ends the start. Resolves with what may pass, in a sentence, or null.
 *
 * @throws SettingsError for a URL that is none, a wrong password, and a server that must not be trusted with a stream
 */
export async function checkStreams({
  streamUrl: url,
  streamAccepts: accepted,
}: StreamSettings): Promise<string | null> {
  if (backboneOf(url) === 'embedded') return null;
  try {
    await checkRedisServer({ url, accepted, patienceMs: CHECK_PATIENCE_MS });
    return null;
  } catch (error) {
    if (error instanceof RangeError) throw new SettingsError([`SPILLWAY_STREAM_URL ${error.message}`]);
    if (!(error instanceof StreamError)) throw error;
    if (error.code === 'stream_unavailable') return `${error.code}: ${error.message}`;
    throw new SettingsError([`SPILLWAY_STREAM_URL: ${error.message} (${error.code})`]);
  }
}

function backboneOf(url: string): 'embedded' | 'redis' {
  if (url === 'embedded:') return 'embedded';
  if (/^(redis|valkey)s?:/.test(url)) return 'redis';
  throw new SettingsError(['SPILLWAY_STREAM_URL: Kafka is not supported yet; use embedded: or redis://']);
}
