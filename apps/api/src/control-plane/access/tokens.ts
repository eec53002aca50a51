import type { CreatedToken, CreateToken, Token } from '@spillway/shared/api/session';
import { and, desc, eq, isNull, lt, or } from 'drizzle-orm';
import { appendAudit } from '../audit/append.ts';
import type { Actor, ControlContext } from '../context.ts';
import type { UnitOfWork } from '../database/database.ts';
import { tokens } from '../database/schema.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { ProblemError } from '../problem-error.ts';
import { digestOf, newId, newToken } from './secrets.ts';

const defaultExpiryDays = 90;
const dayMs = 24 * 60 * 60_000;

type TokenRow = typeof tokens.$inferSelect;

/** The only moment at which the token itself exists here: it goes into the answer, its digest into the table. */
export async function createToken(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  body: CreateToken,
): Promise<CreatedToken> {
  const token = newToken();
  const createdAt = new Date(ctx.clock.now());
  const row: TokenRow = {
    id: newId('tok'),
    name: body.name,
    role: body.role,
    digest: digestOf(token),
    createdBy: actor.name,
    createdAt,
    expiresAt: new Date(createdAt.getTime() + (body.expiresInDays ?? defaultExpiryDays) * dayMs),
    lastUsedAt: null,
    revokedAt: null,
  };
  await work.tx.insert(tokens).values(row);
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'token.create',
    target: row.id,
    before: null,
    after: asResource(row),
  });
  return { ...asResource(row), token };
}

export async function revokeToken(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  id: string,
): Promise<void> {
  const [row] = await work.tx
    .update(tokens)
    .set({ revokedAt: new Date(ctx.clock.now()) })
    .where(and(eq(tokens.id, id), isNull(tokens.revokedAt)))
    .returning();
  if (row === undefined) throw new ProblemError('not_found', `There is no token ${id}`);
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'token.revoke',
    target: id,
    before: asResource(row),
    after: null,
  });
}

/** Newest first; revoked ones are not listed, expired ones are. */
export async function listTokens(
  ctx: ControlContext,
  query: { limit?: number; cursor?: string },
): Promise<{ items: Token[]; nextCursor: string | null }> {
  const limit = query.limit ?? 50;
  const after = query.cursor === undefined ? null : decodeCursor(query.cursor, ['number', 'string']);
  const afterTime = after === null ? null : new Date(after[0]);
  const rows = await ctx.database
    .select()
    .from(tokens)
    .where(
      and(
        isNull(tokens.revokedAt),
        after === null || afterTime === null
          ? undefined
          : or(
              lt(tokens.createdAt, afterTime),
              and(eq(tokens.createdAt, afterTime), lt(tokens.id, after[1])),
            ),
      ),
    )
    .orderBy(desc(tokens.createdAt), desc(tokens.id))
    .limit(limit + 1);
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(asResource),
    nextCursor:
      rows.length > limit && last !== undefined ? encodeCursor([last.createdAt.getTime(), last.id]) : null,
  };
}

function asResource(row: TokenRow): Token {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
  };
}
