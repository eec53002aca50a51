/**
 * What the server is asked of a stream and its groups, without a script: users' servers need not let us run one.
 *
 * The order makes the answer safe though nothing holds still meanwhile: the newest id is read first, then what was delivered, then what is
 * pending, then what follows. Whatever happens in between can only make the groups seem further back than they are.
 */
import type { Redis } from 'iovalkey';
import { StreamError } from '../../data-plane/ports.ts';
import type { UndeliveredCounts } from './counts.ts';
import { type EntryId, entryIdOf } from './entry-id.ts';
import { type GroupFacts, type StreamFacts, undeliveredOf } from './progress.ts';

export interface Watched {
  readonly stream: string;
  readonly groups: readonly string[];
  /** `host:port`, for messages. */
  readonly server: string;
}

export interface Asking {
  /** Of groups whose lag the server does not know. Absent: they are not counted. */
  readonly counts?: UndeliveredCounts;
  /** Told of the stream as soon as the server has answered: in the order of the answers, however many ask at once. */
  readonly seen?: (stream: StreamFacts) => void;
}

/**
 * Errors: {@link StreamError} `stream_missing`, `group_missing`, `stream_corrupt` for a key that is no stream.
 */
export async function factsOf(
  redis: Redis,
  watched: Watched,
  { counts, seen = () => undefined }: Asking = {},
): Promise<{ stream: StreamFacts; groups: GroupFacts[] }> {
  const { stream: key, groups: names, server } = watched;
  const [streamAnswer, groupsAnswer] = await all(
    redis.pipeline().xinfo('STREAM', key).xinfo('GROUPS', key),
    watched,
  );
  const info = fieldsOf(streamAnswer);
  const first = info.get('first-entry') as [id: string] | null;
  const stream: StreamFacts = {
    length: Number(info.get('length')),
    newest: entryIdOf(String(info.get('last-generated-id'))),
    oldest: first === null ? null : entryIdOf(first[0]),
    added: Number(info.get('entries-added')),
    removed: idOrNull(info.get('max-deleted-entry-id')),
  };
  seen(stream);
  const known = (groupsAnswer as unknown[]).map(fieldsOf);
  const chosen = names.map((name) => {
    const group = known.find((candidate) => candidate.get('name') === name);
    if (group === undefined)
      throw new StreamError('group_missing', `the stream ${key} on ${server} has no consumer group ${name}`);
    return group;
  });
  const questions = redis.pipeline();
  for (const [index, name] of names.entries())
    questions.xpending(key, name).xrange(key, `(${chosen[index]?.get('last-delivered-id')}`, '+', 'COUNT', 1);
  const answers = await all(questions, watched);
  const groups: GroupFacts[] = [];
  for (const [index, name] of names.entries()) {
    const group = chosen[index] as ReadonlyMap<string, unknown>;
    const [pending, oldestPending] = answers[2 * index] as [number, string | null];
    const [next] = answers[2 * index + 1] as [id: string][];
    const facts: GroupFacts = {
      name,
      delivered: entryIdOf(String(group.get('last-delivered-id'))),
      read: numberOf(group.get('entries-read')),
      lag: numberOf(group.get('lag')),
      pending,
      oldestPending: oldestPending === null ? null : entryIdOf(oldestPending),
      nextUndelivered: next === undefined ? null : entryIdOf(next[0]),
      countedUndelivered: null,
    };
    const isKnown = counts === undefined || undeliveredOf(stream, facts) !== null;
    groups.push(isKnown ? facts : { ...facts, countedUndelivered: await counts.count(redis, stream, facts) });
  }
  return { stream, groups };
}

/** Every answer of a pipeline. Errors: {@link StreamError}, or the server's own for {@link translated}. */
export async function all(
  questions: ReturnType<Redis['pipeline']>,
  { stream, server }: Pick<Watched, 'stream' | 'server'>,
): Promise<unknown[]> {
  const answers = (await questions.exec()) ?? [];
  return answers.map(([error, answer]) => {
    if (error === null) return answer;
    if (error.message.startsWith('NOGROUP'))
      throw new StreamError('group_missing', `the stream ${stream} on ${server} has lost a consumer group`);
    if (/no such key/i.test(error.message)) throw missing(stream, server);
    if (error.message.startsWith('WRONGTYPE'))
      throw new StreamError('stream_corrupt', `the key ${stream} on ${server} is not a stream`);
    throw error;
  });
}

export function missing(stream: string, server: string): StreamError {
  return new StreamError('stream_missing', `there is no stream ${stream} on ${server}`);
}

function fieldsOf(answer: unknown): ReadonlyMap<string, unknown> {
  const flat = answer as unknown[];
  return new Map(
    Array.from({ length: flat.length / 2 }, (_, index) => [String(flat[2 * index]), flat[2 * index + 1]]),
  );
}

function idOrNull(value: unknown): EntryId | null {
  return value === null || value === undefined ? null : entryIdOf(String(value));
}

function numberOf(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}
