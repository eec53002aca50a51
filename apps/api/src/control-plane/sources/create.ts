import type { Source } from '@spillway/shared/api/pipeline';
import type { CreateSource } from '@spillway/shared/api/source';
import { redactText } from '../access/redaction.ts';
import { appendAudit } from '../audit/append.ts';
import type { Actor, ControlContext } from '../context.ts';
import type { UnitOfWork } from '../database/database.ts';
import { sources } from '../database/schema.ts';
import { keepPipeline } from '../pipelines/rows.ts';
import { ProblemError } from '../problem-error.ts';
import { configOf, refuseUnusable, shownHistory } from './definition.ts';
import { afterHistoryChange } from './history-change.ts';
import { sourceResource } from './resource.ts';

/**
 * Its history is not looked at here: the api touches no event. A replay worker counts it at once, and says what is wrong with it.
 * Errors: `unknown_pipeline`, `invalid_source`, `source_exists`.
 */
export async function createSource(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  body: CreateSource,
  folders: readonly string[],
): Promise<Source> {
  await keepPipeline(work.tx, body.pipelineId, '/pipelineId');
  refuseUnusable(body.history, folders);
  const [row] = await work.tx
    .insert(sources)
    .values({
      id: body.id,
      title: redactText(body.title),
      pipelineId: body.pipelineId,
      ...configOf(body.history, { [body.id]: body.keys ?? null }),
      live: false,
    })
    .onConflictDoNothing()
    .returning();
  if (row === undefined)
    throw new ProblemError('source_exists', `There is a source ${body.id} already.`, { pointer: '/id' });
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'source.create',
    target: row.id,
    before: null,
    after: {
      title: row.title,
      pipelineId: row.pipelineId,
      history: shownHistory(row),
      keys: body.keys ?? null,
    },
  });
  afterHistoryChange(ctx, work, row);
  return sourceResource(ctx, row, actor);
}
