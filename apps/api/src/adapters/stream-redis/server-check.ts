/**
 * Whether a server may be trusted with a stream. A server that evicts keys when memory is short drops whole streams without a word; one
 * that writes nothing to its disk forgets them with its process. Both are refused unless the operator accepts them by name.
 */
import type { Redis } from 'iovalkey';
import { StreamError } from '../../data-plane/ports.ts';
import type { RedisAddress } from './address.ts';

/** What an operator may accept, by these names. */
export type RedisDanger = 'eviction' | 'persistence';

/** Null is unknown, which counts as bad. */
export interface ServerFacts {
  /** That of the protocol: Valkey says 7.2.4. */
  readonly version: string | null;
  readonly evictionPolicy: string | null;
  readonly appendOnly: boolean | null;
  readonly snapshots: boolean | null;
}

const OLDEST_MAJOR = 7;

/** What the server keeps, and may lose; any other refusal is about what it is, or about the URL. */
export class ServerSettingsError extends StreamError {}

/** How an operator accepts one, in words. */
export type Acceptance = (danger: RedisDanger) => string;
const bySetting: Acceptance = (danger) => `SPILLWAY_STREAM_ACCEPT=${danger}`;

/** Errors: `stream_refused` for a version that is too old; {@link ServerSettingsError} `stream_refused`, with a sentence for each setting that is wrong. */
export async function checkServer(
  redis: Redis,
  address: RedisAddress,
  accepted: readonly RedisDanger[],
  acceptance: Acceptance = bySetting,
): Promise<void> {
  const facts = await factsOf(redis);
  const refused = `the Redis server ${address.shown} is refused:`;
  if (facts.version !== null && Number.parseInt(facts.version, 10) < OLDEST_MAJOR)
    throw new StreamError(
      'stream_refused',
      `${refused} it is of version ${facts.version}, and streams need Redis ${OLDEST_MAJOR}.0 or Valkey.`,
    );
  const found = objections(facts, accepted, acceptance);
  if (found.length > 0) throw new ServerSettingsError('stream_refused', `${refused} ${found.join(' ')}`);
}

/** What may be accepted, and is not. */
export function objections(
  facts: Omit<ServerFacts, 'version'>,
  accepted: readonly RedisDanger[],
  acceptance: Acceptance = bySetting,
): string[] {
  const { evictionPolicy, appendOnly, snapshots } = facts;
  const found: string[] = [];
  if (evictionPolicy !== 'noeviction' && !accepted.includes('eviction'))
    found.push(
      `its maxmemory-policy is ${evictionPolicy ?? 'unknown'}, so a stream may be evicted when memory is short: set maxmemory-policy to noeviction, or accept it with ${acceptance('eviction')}.`,
    );
  if (appendOnly !== true && snapshots !== true && !accepted.includes('persistence'))
    found.push(
      `its appendonly is ${shown(appendOnly)} and its save is ${snapshots === null ? 'unknown' : 'empty'}, so all streams are lost with its process: set appendonly to yes, or accept it with ${acceptance('persistence')}.`,
    );
  return found;
}

function shown(value: boolean | null): string {
  return value === null ? 'unknown' : value ? 'yes' : 'no';
}

async function factsOf(redis: Redis): Promise<ServerFacts> {
  const info = new Map(
    (await redis.info()).split('\r\n').map((line) => line.split(':', 2) as [string, string]),
  );
  const appendOnly = info.get('aof_enabled');
  return {
    version: info.get('redis_version') ?? null,
    evictionPolicy: info.get('maxmemory_policy') ?? null,
    appendOnly: appendOnly === undefined ? null : appendOnly === '1',
    snapshots: await savesSnapshots(redis),
  };
}

/** Providers often do not let CONFIG be asked. */
async function savesSnapshots(redis: Redis): Promise<boolean | null> {
  try {
    const [, save] = (await redis.config('GET', 'save')) as string[];
    return save === undefined ? null : save !== '';
  } catch {
    return null;
  }
}
