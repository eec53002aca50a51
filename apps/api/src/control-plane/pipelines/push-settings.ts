import type { ControlContext } from '../context.ts';
import type { Database } from '../database/database.ts';
import { workerPipelines } from './worker-view.ts';

const last = new WeakMap<Database, Promise<void>>();

/**
 * Tells every worker how a pipeline stands now. Call it after the commit of what changed. Never fails: what is done must not be
 * answered with an error because nobody could be told; a worker that missed it is told everything when it joins.
 *
 * One after the other, reading included: a worker never hears how it was after how it is.
 */
export function pushSettings(ctx: ControlContext, pipelineId: string): Promise<void> {
  const told = (last.get(ctx.database) ?? Promise.resolve()).then(() => push(ctx, pipelineId));
  last.set(ctx.database, told);
  return told;
}

async function push(ctx: ControlContext, pipelineId: string): Promise<void> {
  try {
    const pipeline = (await workerPipelines(ctx)).find((known) => known.pipelineId === pipelineId);
    if (pipeline === undefined) return;
    for (const role of ['replay', 'apply', 'feed'] as const)
      ctx.workers.broadcast(role, { type: 'settings', pipeline });
  } catch (error) {
    ctx.log.warn({ err: error, pipelineId }, 'settings could not be told to the workers');
  }
}
