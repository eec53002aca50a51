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
import type { Identities, Identity } from '@spillway/shared/api/worker-protocol';
import { isNull } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import { pipelines, streamIdentity } from '../database/schema.ts';
import { governorMemory } from '../governor/memory.ts';
import { ProblemError } from '../problem-error.ts';

export interface IdentityRefusal {
  readonly code: Extract<ProblemCode, 'store_mismatch' | 'stream_mismatch' | 'unavailable'>;
  readonly detail: string;
}

/** What the api has read in its own store. */
export function knowStore(ctx: Pick<ControlContext, 'database' | 'clock'>, store: Identity): void {
  governorMemory(ctx).store = store;
}

/** Errors: `store_mismatch`, `stream_mismatch`, which do not pass; `unavailable` while it is not known. */
export async function requireSameIdentities(ctx: ControlContext, told: Identities): Promise<void> {
  if (!(await hasBuiltIn(ctx))) return;
  const { store } = governorMemory(ctx);
  const known = { store, streams: await knownStreams(ctx) };
  const refusal = refusalOf(told, known);
  if (refusal !== null) throw new ProblemError(refusal.code, refusal.detail, { pointer: '/identities' });
  if (known.streams !== null || told.streams == null) return;
  await ctx.database
    .insert(streamIdentity)
    .values({ id: told.streams.id, name: told.streams.name })
    .onConflictDoNothing();
  // Of two that were first the other may have been.
  const late = refusalOf(told, { store, streams: await knownStreams(ctx) });
  if (late !== null) throw new ProblemError(late.code, late.detail, { pointer: '/identities' });
}

/** Null: it may join. What is wrong for good comes before what may pass. */
export function refusalOf(
  told: Identities,
  known: { readonly store: Identity | null; readonly streams: Identity | null },
): IdentityRefusal | null {
  const store = otherThan(known.store, told.store);
  if (store !== null)
    return {
      code: 'store_mismatch',
      detail: `SPILLWAY_STORE_URL: this worker's store is ${store.told}, the api's is another one, ${store.known}`,
    };
  const streams = otherThan(known.streams, told.streams);
  if (streams !== null)
    return {
      code: 'stream_mismatch',
      detail: `SPILLWAY_STREAM_URL: this worker's streams are ${streams.told}, those of the installation are others, ${streams.known}`,
    };
  if (told.store === null) return away('This worker has not reached its store yet.');
  if (told.streams === null) return away('This worker has not reached its stream server yet.');
  if (told.store !== undefined && known.store === null)
    return away('The api has not reached its own store yet, with which that of this worker is compared.');
  return null;
}

function away(detail: string): IdentityRefusal {
  return { code: 'unavailable', detail };
}

function otherThan(
  known: Identity | null,
  told: Identity | null | undefined,
): { readonly told: string; readonly known: string } | null {
  if (told == null || known === null || told.id === known.id) return null;
  return { told: told.name, known: known.name };
}

/** Streams and store of external pipelines are the users' own, and what a worker of theirs alone is told of ours is of no use to it. */
async function hasBuiltIn({ database }: ControlContext): Promise<boolean> {
  const found = await database
    .select({ id: pipelines.id })
    .from(pipelines)
    .where(isNull(pipelines.external))
    .limit(1);
  return found.length > 0;
}

async function knownStreams({ database }: ControlContext): Promise<Identity | null> {
  const [row] = await database
    .select({ id: streamIdentity.id, name: streamIdentity.name })
    .from(streamIdentity);
  return row ?? null;
}
