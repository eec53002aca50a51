import { type WorkerPipeline, type WorkerPush, workerRoles } from '@spillway/shared/api/worker-protocol';
import type { ControlContext } from '../context.ts';
import type { Database } from '../database/database.ts';
import { memberOf } from '../workers/membership.ts';
import { knownTo, workerPipelines } from './worker-view.ts';

const last = new WeakMap<Database, Promise<void>>();

/**
 * Tells every worker how a pipeline stands now. Call it after the commit of what changed. Never fails: what is done must not be
 * answered with an error because nobody could be told; a worker that missed it is told everything when it is connected again.
 *
 * One after the other, reading included: a worker never hears how it was after how it is.
 */
export function pushSettings(ctx: ControlContext, pipelineId: string): Promise<void> {
  return inTurn(ctx, async () => {
    const pipeline = (await workerPipelines(ctx)).find((known) => known.pipelineId === pipelineId);
    if (pipeline === undefined) return;
    for (const role of workerRoles)
      for (const known of knownTo(role, [pipeline]))
        ctx.workers.broadcast(role, { type: 'settings', pipeline: known });
  });
}

/** Tells every worker which pipelines there are, after one was removed. Never fails, as {@link pushSettings}. */
export function pushPipelines(ctx: ControlContext): Promise<void> {
  return inTurn(ctx, async () => {
    const all = await workerPipelines(ctx);
    for (const role of workerRoles) ctx.workers.broadcast(role, toldPipelines(knownTo(role, all)));
  });
}

/**
 * Tells one worker how all pipelines stand, once it can be told: what changed between its joining and that moment, or while its connection
 * was cut, nobody else tells it. Never fails.
 */
export function tellSettings(ctx: ControlContext, workerId: string): Promise<void> {
  return inTurn(ctx, async () => {
    // One that has to join again learns nothing that only a reader needs: it is told when it joins.
    const member = await memberOf(ctx, workerId).catch(() => null);
    const known = knownTo(member?.role ?? 'apply', await workerPipelines(ctx));
    if (member !== null) ctx.workers.push(workerId, toldPipelines(known));
    for (const pipeline of known) ctx.workers.push(workerId, { type: 'settings', pipeline });
  });
}

function toldPipelines(known: readonly WorkerPipeline[]): WorkerPush {
  return { type: 'pipelines', pipelineIds: known.map(({ pipelineId }) => pipelineId) };
}

function inTurn(ctx: ControlContext, tell: () => Promise<void>): Promise<void> {
  const told = (last.get(ctx.database) ?? Promise.resolve())
    .then(tell)
    .catch((error: unknown) => ctx.log.warn({ err: error }, 'settings could not be told to the workers'));
  last.set(ctx.database, told);
  return told;
}
