/**
 * Once a second: what is wrong is compared with what is raised. Reads are single statements; only when something begins, ends or reads
 * differently is there a transaction, and it holds nothing but those rows.
 */
import { and, type Column, eq, inArray, isNotNull, isNull, sql } from 'drizzle-orm';
import { redactText } from '../access/redaction.ts';
import { newId } from '../access/secrets.ts';
import type { ControlContext } from '../context.ts';
import { type Database, unitOfWork } from '../database/database.ts';
import { alerts, backfills, pipelines, sources, workers } from '../database/schema.ts';
import { isPresent } from '../pipelines/rows.ts';
import { clearAlerts, tellAlerts } from './clear.ts';
import type { AlertRow } from './queries.ts';
import {
  type AlertFacts,
  type AlertInputs,
  type Concern,
  concernsOf,
  failureIsNewsForMs,
  isJudged,
} from './rules.ts';
import { type AlertMemory, nothingSeen, type Settled, settleAlerts } from './settle.ts';

export type { AlertInputs } from './rules.ts';

interface Review {
  /** Nobody can have been heard before this process listened. */
  readonly listeningSinceMs: number;
  memory: AlertMemory;
}

const reviews = new WeakMap<Database, Review>();

/** `seen`: every pipeline that the governor has looked at. One call at a time. */
export async function reviewAlerts(ctx: ControlContext, seen: readonly AlertInputs[]): Promise<void> {
  const nowMs = ctx.clock.monotonic();
  const review = reviews.get(ctx.database) ?? { listeningSinceMs: nowMs, memory: nothingSeen };
  reviews.set(ctx.database, review);

  const facts = await readFacts(ctx, nowMs - review.listeningSinceMs);
  // Redacted before they are compared with what is stored.
  const concerns = concernsOf(seen, facts).map((concern) => ({
    ...concern,
    detail: redactText(concern.detail),
    past: redactText(concern.past),
  }));
  const raised = await ctx.database.select().from(alerts).where(isNull(alerts.clearedAt));
  const judged = raised.filter((alert) => isJudged(alert, seen));
  const { memory, ...news } = settleAlerts(nowMs, concerns, judged, review.memory);
  if (news.raise.length + news.say.length + news.clear.length > 0) await write(ctx, news);
  review.memory = memory;
}

async function write(
  ctx: ControlContext,
  { raise, say, clear }: Omit<Settled<AlertRow>, 'memory'>,
): Promise<void> {
  await unitOfWork(ctx.database, async (work) => {
    const { tx } = work;
    const begun =
      raise.length === 0
        ? []
        : await tx.insert(alerts).values(raise.map(rowOf)).onConflictDoNothing().returning();
    const said: AlertRow[] = [];
    for (const { alert, said: sentence, severity } of say)
      said.push(
        ...(await tx
          .update(alerts)
          .set({ ...sentence, severity })
          .where(and(eq(alerts.id, alert.id), isNull(alerts.clearedAt)))
          .returning()),
      );
    const ended =
      clear.length === 0
        ? []
        : await clearAlerts(
            tx,
            inArray(
              alerts.id,
              clear.map(({ id }) => id),
            ),
          );
    await tellAlerts(ctx, work, [...begun, ...ended], said);
  });
}

function rowOf(concern: Concern): typeof alerts.$inferInsert {
  return { id: newId('al'), ...concern };
}

async function readFacts(ctx: ControlContext, listeningMs: number): Promise<AlertFacts> {
  const { database } = ctx;
  const agoMs = (at: Column) => sql<number>`(extract(epoch from now() - ${at}) * 1000)::float8`;
  const [members, fed, failedSources, failedBackfills] = await Promise.all([
    database
      .select({
        id: workers.id,
        role: workers.role,
        host: workers.host,
        joinedMs: agoMs(workers.joinedAt),
        silentMs: agoMs(workers.lastTickAt),
        left: sql<boolean>`${workers.leftAt} is not null`,
      })
      .from(workers),
    database
      .select({ id: pipelines.id })
      .from(pipelines)
      .where(and(isNotNull(pipelines.liveEventsPerSecond), isPresent)),
    database
      .select({ id: sources.id, pipelineId: sources.pipelineId, failure: sources.failure })
      .from(sources)
      .where(eq(sources.state, 'failed')),
    database
      .select({
        id: backfills.id,
        pipelineId: backfills.pipelineId,
        failure: backfills.failure,
      })
      .from(backfills)
      .where(
        and(
          eq(backfills.state, 'failed'),
          sql`${backfills.endedAt} > now() - make_interval(secs => ${failureIsNewsForMs / 1000})`,
        ),
      ),
  ]);
  return {
    listeningMs,
    workers: members,
    fedPipelines: new Set(fed.map(({ id }) => id)),
    failedSources: failedSources.map(({ failure, ...row }) => ({ ...row, detail: failure?.detail ?? null })),
    failedBackfills: failedBackfills.map(({ failure, ...row }) => ({
      ...row,
      detail: failure?.detail ?? null,
    })),
    publishedEventsPerSecond: (backfillId) => ctx.telemetry.rates(backfillId).publishedEventsPerSecond,
  };
}
