/**
 * Whether a worker has the store and the streams that all others have. One that has not would do its part where nobody looks: publish what is never
 * applied, or apply live to a database that nobody reads, and trim it from the stream.
 *
 *     store     the api has it as well: what it reads there itself is what counts
 *     streams   the api never opens them: those of the first worker count, and are remembered with the installation, until somebody says otherwise
 *               by hand (docs/operations.md)
 *
 * What does not answer is no other: the worker asks again.
 */

import type { ProblemCode } from '@spillway/shared/api/problem';
import {
  type Identities,
  type Identity,
  type JoinWorker,
  noIdentity,
  type Unread,
} from '@spillway/shared/api/worker-protocol';
import { and, isNull } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import { pipelines, streamIdentity } from '../database/schema.ts';
import { isPresent } from '../pipelines/rows.ts';
import { ProblemError } from '../problem-error.ts';
import { within } from '../within.ts';
import { unreadBecause } from './unread.ts';

/** A worker waits for the answer, five seconds at most. */
const PATIENCE_MS = 2_000;

export interface IdentityRefusal {
  readonly code: Extract<ProblemCode, 'store_mismatch' | 'stream_mismatch' | 'unavailable'>;
  readonly detail: string;
}

export interface KnownIdentities {
  /** That of the api. */
  readonly store: Identity | Unread;
  /** Null: this worker is the first that has any. */
  readonly streams: Identity | null;
}

/** Errors: `store_mismatch`, `stream_mismatch`, which somebody has to mend; `unavailable` while it is not known. */
export async function requireSameIdentities(
  ctx: ControlContext,
  { identities: told = {}, role, host, pid }: Pick<JoinWorker, 'identities' | 'role' | 'host' | 'pid'>,
): Promise<void> {
  if (!(await hasBuiltIn(ctx))) return;
  const store = told.store === undefined ? { code: 'not_asked' } : await ownStore(ctx);
  const known = { store, streams: await knownStreams(ctx) };
  throwIfRefused(refusalOf(told, known));
  if (known.streams !== null || !isRead(told.streams)) return;
  const { id, name } = told.streams;
  const [made] = await ctx.database
    .insert(streamIdentity)
    .values({ id, name })
    .onConflictDoNothing()
    .returning();
  // If it is the wrong one that came first, this says which.
  if (made !== undefined)
    ctx.log.info(
      { streams: name, worker: { role, host, pid } },
      'the streams of this worker count from now on',
    );
  // Of two that were first the other may have been.
  throwIfRefused(refusalOf(told, { store, streams: await knownStreams(ctx) }));
}

/** Null: it may join. What somebody has to mend comes before what may pass. */
export function refusalOf(told: Identities, known: KnownIdentities): IdentityRefusal | null {
  const store = isUnmade(told.store, known.store) ? null : otherThan(known.store, told.store);
  if (store !== null)
    return {
      code: 'store_mismatch',
      detail: `SPILLWAY_STORE_URL: this worker's store is ${store.told}, the api's is another one, ${store.known}`,
    };
  const streams = otherThan(known.streams, told.streams);
  if (streams !== null)
    return {
      code: 'stream_mismatch',
      detail:
        streams.told === streams.known
          ? `SPILLWAY_STREAM_URL: at ${streams.told} are other streams than those of the installation, which were there: that server was emptied or made anew, or it is another one by the same name`
          : `SPILLWAY_STREAM_URL: this worker's streams are ${streams.told}, those of the installation are others, ${streams.known}`,
    };
  if (isUnread(told.store)) return unknown('This worker', 'its store is told by', told.store);
  if (isUnread(told.streams)) return unknown('This worker', 'its streams are told by', told.streams);
  if (told.store !== undefined && isUnread(known.store))
    return unknown('The api', "its own store is told by, with which this worker's is compared", known.store);
  // It asked a moment before the api had made the tables.
  if (isRead(told.store) && told.store.id === noIdentity)
    return unknown('This worker', 'its store is told by', NOT_MIGRATED);
  return null;
}

function unknown(who: string, what: string, { code }: Unread): IdentityRefusal {
  return { code: 'unavailable', detail: `${who} cannot read what ${what}: ${code}.` };
}

function throwIfRefused(refusal: IdentityRefusal | null): void {
  if (refusal !== null) throw new ProblemError(refusal.code, refusal.detail, { pointer: '/identities' });
}

function otherThan(
  known: KnownIdentities[keyof KnownIdentities],
  told: Identities[keyof Identities],
): { readonly told: string; readonly known: string } | null {
  if (!isRead(told) || !isRead(known) || told.id === known.id) return null;
  return { told: told.name, known: known.name };
}

type Maybe = Identity | Unread | null | undefined;

function isRead(identity: Maybe): identity is Identity {
  return identity != null && 'id' in identity;
}

function isUnread(identity: Maybe): identity is Unread {
  return identity != null && 'code' in identity;
}

function isUnmade(told: Maybe, known: Maybe): boolean {
  return isRead(told) && isRead(known) && told.id === noIdentity && told.name === known.name;
}

const NOT_MIGRATED: Unread = { code: 'not_migrated' };
/** What each store answered last: while it owes an answer, nobody is kept out who has had the same. */
const answered = new WeakMap<object, Identity>();

async function ownStore({ store }: Pick<ControlContext, 'store'>): Promise<Identity | Unread> {
  try {
    const identity = await within(store.identity(), PATIENCE_MS);
    if (identity.id === noIdentity) return NOT_MIGRATED;
    answered.set(store, identity);
    return identity;
  } catch (error) {
    return answered.get(store) ?? unreadBecause(error);
  }
}

/** Streams and store of external pipelines are the users' own, and what a worker of theirs alone is told of ours is of no use to it. */
async function hasBuiltIn({ database }: ControlContext): Promise<boolean> {
  const found = await database
    .select({ id: pipelines.id })
    .from(pipelines)
    .where(and(isPresent, isNull(pipelines.external)))
    .limit(1);
  return found.length > 0;
}

async function knownStreams({ database }: ControlContext): Promise<Identity | null> {
  const [row] = await database
    .select({ id: streamIdentity.id, name: streamIdentity.name })
    .from(streamIdentity);
  return row ?? null;
}
