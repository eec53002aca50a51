/** What a pipeline costs now: live and its backfills, what amounts paid for already absorb, and the rest. */
import type { MeteredCost, PipelineCost } from '@spillway/shared/api/cost';
import { type Atoms, atomsOf, moneyOf } from '@spillway/shared/cost/money';
import { and, desc, eq, isNull, or, sql } from 'drizzle-orm';
import { selectRecords } from '../backfill/resource.ts';
import type { ControlContext } from '../context.ts';
import { backfills } from '../database/schema.ts';
import { requirePipeline } from '../pipelines/rows.ts';
import { ProblemError } from '../problem-error.ts';
import { backfillCost } from './backfill-cost.ts';
import { liveAccount, liveCostOf, observeLive } from './live-cost.ts';
import { meterBook } from './meter-book.ts';
import { meteredCost } from './metered-cost.ts';
import { spendHistory } from './spend-history.ts';

const ENDED_LATELY = sql.raw("interval '1 day'");
const BACKFILLS_MAX = 200;
/** Of more than are listed, two hundred that wait must not hide the one that spends. */
const AT_WORK = sql`(${backfills.endedAt} is null and ${backfills.startedAt} is not null)`;

/** Errors: `unknown_pipeline`; `not_found` while it has no price book. */
export async function readPipelineCost(ctx: ControlContext, pipelineId: string): Promise<PipelineCost> {
  await requirePipeline(ctx.database, pipelineId);
  const book = (await meterBook(ctx).load(pipelineId)).books.at(-1);
  if (book === undefined)
    throw new ProblemError('not_found', `Pipeline ${pipelineId} has no price book: nothing has a price.`);
  const records = await selectRecords(ctx.database)
    .where(
      and(
        eq(backfills.pipelineId, pipelineId),
        or(isNull(backfills.endedAt), sql`${backfills.endedAt} > now() - ${ENDED_LATELY}`),
      ),
    )
    .orderBy(desc(AT_WORK), desc(backfills.ordinal))
    .limit(BACKFILLS_MAX);
  const live = meteredLive(ctx, pipelineId);
  const newestFirst = records.toSorted((a, b) => b.row.ordinal - a.row.ordinal);
  const listed = newestFirst.map((record) => {
    const cost = backfillCost(ctx, record);
    const { low, likely, high } = cost?.estimate ?? {};
    return {
      id: record.row.id,
      state: record.row.state,
      metered: cost?.metered ?? null,
      estimate:
        low === undefined || likely === undefined || high === undefined ? null : { low, likely, high },
      spendPerHour: cost?.metered?.spendPerHour ?? null,
    };
  });
  const all = [live, ...listed.map(({ metered }) => metered)].filter((cost) => cost !== null);
  const money = (atoms: Atoms) => moneyOf(atoms, book.currency);
  return {
    pipelineId,
    priceBookVersion: book.version,
    currency: book.currency,
    live,
    backfills: listed,
    spendPerHour: live?.spendPerHour == null ? null : money(sumOf(all, (cost) => cost.spendPerHour)),
    provisioned: money(sumOf(all, (cost) => cost.provisioned)),
    overage: money(sumOf(all, (cost) => cost.overage)),
  };
}

function meteredLive(ctx: ControlContext, pipelineId: string): MeteredCost | null {
  const atMs = ctx.clock.monotonic();
  observeLive(ctx, pipelineId, atMs);
  const live = liveCostOf(ctx, pipelineId);
  const perHour = spendHistory(ctx).perHour(liveAccount(pipelineId), atMs);
  return live && meteredCost(live, live.book, { perHour, nowMs: ctx.clock.now() });
}

function sumOf(
  costs: readonly MeteredCost[],
  part: (cost: MeteredCost) => MeteredCost['total'] | null,
): Atoms {
  return costs.reduce((sum, cost) => {
    const money = part(cost);
    return money === null ? sum : sum + atomsOf(money);
  }, 0n);
}
