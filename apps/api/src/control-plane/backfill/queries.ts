import {
  type Backfill,
  type BackfillPage,
  type BackfillQuery,
  ceilingReasons,
} from '@spillway/shared/api/backfill';
import { type BackfillState, backfillStates } from '@spillway/shared/backfill/state-machine';
import { and, desc, eq, inArray, lt, type SQL, sql } from 'drizzle-orm';
import type { Static } from 'typebox';
import type { Actor, ControlContext } from '../context.ts';
import { loadMeters } from '../cost/meter-book.ts';
import type { Database, Transaction } from '../database/database.ts';
import { backfills, lanes, ledger } from '../database/schema.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { ProblemError } from '../problem-error.ts';
import { mayOperate, selectRecords, toResource } from './resource.ts';

export { readReceipt } from './receipts.ts';

const DEFAULT_LIMIT = 50;

export async function readBackfill(
  ctx: ControlContext,
  actor: Actor,
  id: string,
  database: Database | Transaction = ctx.database,
): Promise<Backfill> {
  const [record] = await selectRecords(database).where(eq(backfills.id, id));
  if (record === undefined) throw unknownBackfill(id);
  await loadMeters(ctx, [record], database === ctx.database ? null : (database as Transaction));
  return toResource(ctx, record, mayOperate(actor));
}

/** The newest first. */
export async function listBackfills(
  ctx: ControlContext,
  actor: Actor,
  query: Static<typeof BackfillQuery>,
): Promise<Static<typeof BackfillPage>> {
  const limit = query.limit ?? DEFAULT_LIMIT;
  const before = query.cursor === undefined ? null : decodeCursor(query.cursor, ['number'])[0];
  const asked = and(
    query.state === undefined ? undefined : inArray(backfills.state, statesOf(query.state)),
    query.pipelineId === undefined ? undefined : eq(backfills.pipelineId, query.pipelineId),
    query.createdBy === undefined ? undefined : eq(backfills.createdBy, query.createdBy),
    query.source === undefined ? undefined : hasSource(ctx, query.source),
    query.text === undefined ? undefined : mentions(query.text),
  );
  const records = await selectRecords(ctx.database)
    .where(and(asked, before === null ? undefined : lt(backfills.ordinal, before)))
    .orderBy(desc(backfills.ordinal))
    .limit(limit + 1);
  const page = records.slice(0, limit);
  const last = page.at(-1);
  await loadMeters(ctx, page);
  return {
    items: page.map((record) => toResource(ctx, record, mayOperate(actor))),
    nextCursor: records.length > limit && last !== undefined ? encodeCursor([last.row.ordinal]) : null,
    // The first page of a short list holds all of it: nothing needs counting.
    total:
      before === null && records.length <= limit
        ? records.length
        : await ctx.database.$count(backfills, asked),
  };
}

export async function readLedger(
  ctx: ControlContext,
  id: string,
): Promise<{ items: { reason: (typeof ceilingReasons)[number]; seconds: number }[]; nextCursor: null }> {
  await assertBackfill(ctx, id);
  const rows = await ctx.database
    .select()
    .from(ledger)
    .where(eq(ledger.backfillId, id))
    .orderBy(desc(ledger.seconds));
  const items = rows.flatMap(({ reason, seconds }) => {
    const known = ceilingReasons.find((ceiling) => ceiling === reason);
    return known === undefined ? [] : [{ reason: known, seconds }];
  });
  return { items, nextCursor: null };
}

/** Errors: `unknown_backfill`. */
export async function assertBackfill(ctx: ControlContext, id: string): Promise<void> {
  const [row] = await ctx.database.select({ id: backfills.id }).from(backfills).where(eq(backfills.id, id));
  if (row === undefined) throw unknownBackfill(id);
}

export function unknownBackfill(id: string): ProblemError {
  return new ProblemError('unknown_backfill', `There is no backfill ${id}.`);
}

function hasSource(ctx: ControlContext, sourceId: string): SQL {
  return inArray(
    backfills.id,
    ctx.database.select({ id: lanes.backfillId }).from(lanes).where(eq(lanes.sourceId, sourceId)),
  );
}

/** No pattern: what somebody types may hold any character. */
function mentions(text: string): SQL {
  return sql`strpos(lower(${backfills.id} || ' ' || coalesce(${backfills.reason}, '')), lower(${text})) > 0`;
}

function statesOf(list: string): BackfillState[] {
  return list.split(',').map((name) => {
    const state = backfillStates.find((known) => known === name.trim());
    if (state === undefined)
      throw new ProblemError('invalid_request', `${name} is not a state of a backfill.`, {
        pointer: 'state',
      });
    return state;
  });
}
