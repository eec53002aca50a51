/**
 * A pipeline is removed: nothing is measured, governed, fed, applied or told of it any more. What is configured of it goes; what is proof stays, under
 * the id it has from then on (`removedId`): finished backfills with their proofs, receipts and costs, and the audit under the id it had. Streams, consumers,
 * stores and histories are left as they are.
 */
import { removedId } from '@spillway/shared/pipeline/removed-id';
import { and, eq, inArray, or, sql } from 'drizzle-orm';
import { clearAlerts, tellAlerts } from '../alerts/clear.ts';
import { appendAudit } from '../audit/append.ts';
import type { Actor, ControlContext } from '../context.ts';
import { forgetCoefficients } from '../cost/finished-runs.ts';
import { meterBook } from '../cost/meter-book.ts';
import { currentPriceBook } from '../cost/price-books.ts';
import type { Transaction, UnitOfWork } from '../database/database.ts';
import {
  alerts,
  drills,
  gaps,
  pipelines,
  positions,
  probes,
  quotes,
  sources,
  telemetry,
} from '../database/schema.ts';
import { isUnderWay } from '../drills/under-way.ts';
import { governorMemory } from '../governor/memory.ts';
import { shownUrl } from '../outbound/shown-url.ts';
import { toProbe } from '../probes/resource.ts';
import { ProblemError } from '../problem-error.ts';
import { definitionOf } from '../sources/change.ts';
import { settingsOf } from './configure.ts';
import { pushPipelines } from './push-settings.ts';
import { type PipelineRow, unknownPipeline } from './rows.ts';
import { refuseUnfinished } from './unfinished.ts';

/** Errors: `unknown_pipeline`, `backfills_unfinished`, `drill_running`. */
export async function removePipeline(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  id: string,
): Promise<void> {
  const { tx } = work;
  // Whoever is about to refer to it holds it (`keepPipeline`); whoever comes later does not find it.
  const [row] = await tx.select().from(pipelines).where(eq(pipelines.id, id)).for('update');
  if (row === undefined) throw unknownPipeline(id);
  await refuseUnfinished(tx, id, `Pipeline ${id}`);
  await refuseDrill(tx, id);
  const priceBook = await currentPriceBook(tx, id);
  await tellAlerts(ctx, work, await clearAlerts(tx, eq(alerts.pipelineId, id)));
  const configured = await removeConfigured(tx, row);
  const revision = row.revision + 1;
  const keptAs = removedId(id, revision);
  await tx
    .update(pipelines)
    .set({ id: keptAs, revision, removedAt: sql`now()`, external: withoutCredentials(row.external) })
    .where(eq(pipelines.id, id));
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'pipeline.remove',
    target: id,
    before: {
      title: row.title,
      ...settingsOf(row),
      priceBook,
      sources: configured.sources.map((source) => ({ id: source.id, ...definitionOf(source) })),
      probes: configured.probes.map(toProbe),
    },
    after: { keptAs },
  });
  // Before it is said to be gone: of a second that was being recorded meanwhile nothing comes after that.
  work.afterCommit(() => ctx.telemetry.forget(id));
  work.afterCommit(async () => {
    for (const source of configured.sources) ctx.statistics.forget(source.id);
    meterBook(ctx).forget(id);
    forgetCoefficients(ctx, id);
    const memory = governorMemory(ctx);
    memory.looks = new Map([...memory.looks].filter(([pipelineId]) => pipelineId !== id));
    ctx.changes.publish({ event: 'pipeline_removed', data: { pipelineId: id } });
    memory.trigger();
    await pushPipelines(ctx);
    await ctx.probes.reload();
  });
}

/** What lets somebody in at its server is of no use any more. */
function withoutCredentials(external: PipelineRow['external']): PipelineRow['external'] {
  return external === null ? null : { ...external, url: shownUrl(external.url) };
}

async function refuseDrill(tx: Transaction, pipelineId: string): Promise<void> {
  const [drill] = await tx
    .select({ id: drills.id })
    .from(drills)
    .where(and(eq(drills.pipelineId, pipelineId), isUnderWay));
  if (drill !== undefined)
    throw new ProblemError(
      'drill_running',
      `Pipeline ${pipelineId} stays while its drill ${drill.id} is under way: it ends by itself.`,
    );
}

/** Quotes can no longer be started; what was recorded of a name would be the past of whoever has it next. */
async function removeConfigured(tx: Transaction, { id, liveStream, replayStream }: PipelineRow) {
  // Locked: an outage that is being told of has its gap by then, and one that comes later finds no source.
  const own = await tx
    .select({ id: sources.id })
    .from(sources)
    .where(eq(sources.pipelineId, id))
    .for('update');
  await tx.delete(gaps).where(
    inArray(
      gaps.sourceId,
      own.map((source) => source.id),
    ),
  );
  const removed = {
    sources: await tx.delete(sources).where(eq(sources.pipelineId, id)).returning(),
    probes: await tx.delete(probes).where(eq(probes.pipelineId, id)).returning(),
  };
  await tx.delete(quotes).where(eq(quotes.pipelineId, id));
  await tx.delete(telemetry).where(eq(telemetry.pipelineId, id));
  await tx.delete(positions).where(or(eq(positions.stream, liveStream), eq(positions.stream, replayStream)));
  return removed;
}
