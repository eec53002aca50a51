/** A source gets another title, another history, or is removed. What was applied of it stays in the store. */
import type { Source } from '@spillway/shared/api/pipeline';
import type { PatchSource } from '@spillway/shared/api/source';
import { eq } from 'drizzle-orm';
import { redactText } from '../access/redaction.ts';
import { appendAudit } from '../audit/append.ts';
import type { Actor, ControlContext } from '../context.ts';
import type { Transaction, UnitOfWork } from '../database/database.ts';
import { sources } from '../database/schema.ts';
import { pushSettings } from '../pipelines/push-settings.ts';
import { ProblemError } from '../problem-error.ts';
import { configOf, type KeysBySource, refuseUnusable, shownHistory } from './definition.ts';
import { afterHistoryChange, refuseInUse } from './history-change.ts';
import { type SourceRow, sourceResource, unknownSource } from './resource.ts';

/** Of the history that was there before: nothing of it is known of the next. */
const NOT_COUNTED = {
  state: 'connected',
  failure: null,
  rangeFrom: null,
  rangeTo: null,
  wholeFrom: null,
  fingerprint: null,
  countedAt: null,
  countFrom: null,
  countStepMs: null,
  counts: null,
  countsEstimated: false,
  rowsQuarantined: null,
  lapSpanMs: null,
  laps: null,
} as const;

/**
 * With another history it is counted anew, by the keys it had.
 * Errors: `unknown_source`, `stale_revision` with the source as it is now, `invalid_source`, `source_in_use`, `source_built_in`.
 */
export async function changeSource(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  id: string,
  { title, history }: PatchSource,
  { ifMatchRevision, folders }: { readonly ifMatchRevision: number; readonly folders: readonly string[] },
): Promise<Source> {
  const before = await lockSource(work.tx, id);
  if (before.revision !== ifMatchRevision)
    throw new ProblemError(
      'stale_revision',
      `Source ${id} is at revision ${before.revision}, not ${ifMatchRevision}.`,
      { pointer: 'if-match', current: sourceResource(ctx, before, actor) },
    );
  if (history !== undefined) {
    refuseBuiltIn(before, 'its history cannot be changed', '/history');
    refuseUnusable(history, folders);
    await refuseInUse(work.tx, id, 'The history stays');
  }
  const { sources: keys } = before.config as { sources: KeysBySource };
  const [after] = await work.tx
    .update(sources)
    .set({
      revision: before.revision + 1,
      ...(title === undefined ? {} : { title: redactText(title) }),
      ...(history === undefined ? {} : { ...configOf(history, keys), ...NOT_COUNTED }),
    })
    .where(eq(sources.id, id))
    .returning();
  if (after === undefined) throw unknownSource(id);
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'source.change',
    target: id,
    before: definitionOf(before),
    after: definitionOf(after),
  });
  if (history === undefined) return sourceResource(ctx, after, actor);
  work.afterCommit(() => ctx.statistics.forget(id));
  afterHistoryChange(ctx, work, after);
  // As it will be once it is forgotten.
  return { ...sourceResource(ctx, after, actor), events: null };
}

/** Errors: `unknown_source`, `source_in_use`, `source_built_in`. */
export async function removeSource(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  id: string,
): Promise<void> {
  const row = await lockSource(work.tx, id);
  refuseBuiltIn(row, 'it cannot be removed');
  await refuseInUse(work.tx, id, 'It stays');
  await work.tx.delete(sources).where(eq(sources.id, id));
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'source.remove',
    target: id,
    before: { pipelineId: row.pipelineId, ...definitionOf(row) },
    after: null,
  });
  work.afterCommit(async () => {
    ctx.statistics.forget(id);
    await pushSettings(ctx, row.pipelineId);
  });
}

async function lockSource(tx: Transaction, id: string): Promise<SourceRow> {
  const [row] = await tx.select().from(sources).where(eq(sources.id, id)).for('update');
  if (row === undefined) throw unknownSource(id);
  return row;
}

/** Of a source with a feed, live and the watermark know it by its id. */
function refuseBuiltIn(row: SourceRow, what: string, pointer?: string): void {
  if (!row.live && shownHistory(row) !== null) return;
  throw new ProblemError(
    'source_built_in',
    `Source ${row.id} is part of the installation: ${what}.`,
    pointer === undefined ? {} : { pointer },
  );
}

export function definitionOf(row: SourceRow) {
  return { title: row.title, history: shownHistory(row), revision: row.revision };
}
