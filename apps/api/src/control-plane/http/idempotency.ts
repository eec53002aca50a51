/**
 * POSTs that create or command: the same `Idempotency-Key` with the same body gets the first answer, with another body 422.
 *
 * The key's row is inserted first, in the transaction of the mutation: of two requests at the same time the second waits for the
 * first's commit and then finds its answer. A request that fails leaves no row, so it can be tried again with the same key.
 */
import { and, eq, lt } from 'drizzle-orm';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Seal } from '../access/seal.ts';
import { digestOf } from '../access/secrets.ts';
import { canonicalJson } from '../audit/canonical-json.ts';
import type { ControlContext } from '../context.ts';
import { type Database, type UnitOfWork, unitOfWork } from '../database/database.ts';
import { idempotencyKeys } from '../database/schema.ts';
import { ProblemError } from '../problem-error.ts';
import { principalOf } from './plugins/rights.ts';

const keptForMs = 24 * 60 * 60_000;

/**
 * Runs a mutation in a unit of work and answers with `status`. `prepare` runs before it, outside of the transaction, unless the key has been
 * used already: for what takes its time and need not be done for an answer that is there.
 * Errors: `idempotency_key_reused`, `invalid_request` (a key that is no printable text of 1 to 200 characters), and what `run` throws.
 */
export async function mutateOnce<T>(
  options: {
    readonly ctx: ControlContext;
    readonly request: FastifyRequest;
    readonly reply: FastifyReply;
    readonly status: number;
    readonly seal?: Seal;
    readonly prepare?: () => Promise<void>;
  },
  run: (work: UnitOfWork) => Promise<T>,
): Promise<T> {
  const { ctx, request, reply, status } = options;
  const key = keyOf(request);
  reply.code(status);
  if (key === null) {
    await options.prepare?.();
    return unitOfWork(ctx.database, run);
  }

  const place = {
    actor: principalOf(request).key,
    route: `${request.method} ${request.url.split('?', 1)[0]}`,
    key,
  };
  const at = and(
    eq(idempotencyKeys.actor, place.actor),
    eq(idempotencyKeys.route, place.route),
    eq(idempotencyKeys.key, place.key),
  );
  if (options.prepare !== undefined) {
    const used = await ctx.database.select({ key: idempotencyKeys.key }).from(idempotencyKeys).where(at);
    if (used.length === 0) await options.prepare();
  }
  const bodyDigest = digestOf(canonicalJson(request.body ?? {}));
  const seal = options.seal ?? plain;
  return unitOfWork(ctx.database, async (work) => {
    const taken = await work.tx
      .insert(idempotencyKeys)
      .values({ ...place, bodyDigest, status, answer: {}, createdAt: new Date(ctx.clock.now()) })
      .onConflictDoNothing()
      .returning({ key: idempotencyKeys.key });
    if (taken.length === 1) {
      const answer = await run(work);
      await work.tx
        .update(idempotencyKeys)
        .set({ answer: seal.close(answer) })
        .where(at);
      return answer;
    }
    const [first] = await work.tx.select().from(idempotencyKeys).where(at);
    const answer = first?.bodyDigest === bodyDigest ? seal.open(first.answer) : undefined;
    if (first === undefined || answer === undefined)
      throw new ProblemError('idempotency_key_reused', 'The key was used with another body', {
        pointer: 'idempotency-key',
      });
    reply.code(first.status).header('idempotency-replayed', 'true');
    return answer as T;
  });
}

const plain: Seal = { close: (answer) => answer ?? {}, open: (stored) => stored };

function keyOf(request: FastifyRequest): string | null {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(key)) {
    throw new ProblemError(
      'invalid_request',
      'Idempotency-Key takes 1 to 200 printable characters without spaces',
      { pointer: 'idempotency-key' },
    );
  }
  return key;
}

export async function removeOldIdempotencyKeys(
  ctx: Pick<ControlContext, 'clock'> & { database: Database },
): Promise<void> {
  await ctx.database
    .delete(idempotencyKeys)
    .where(lt(idempotencyKeys.createdAt, new Date(ctx.clock.now() - keptForMs)));
}
