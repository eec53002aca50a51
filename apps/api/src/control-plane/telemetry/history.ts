/** Metrics on disk: seconds for an hour, ten seconds for a day, minutes for thirty days. */
import { rollUp } from '@spillway/shared/telemetry/roll-up';
import { type Snapshot, worstSnapshot } from '@spillway/shared/telemetry/snapshot';
import { and, asc, desc, eq, gte, lt, lte, sql } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import { telemetry } from '../database/schema.ts';

const HOUR_MS = 3_600_000;

/** What is kept, and made of which finer step. */
export const resolutions = [
  { stepSeconds: 1, keptMs: HOUR_MS, madeOf: null },
  { stepSeconds: 10, keptMs: 24 * HOUR_MS, madeOf: 1 },
  { stepSeconds: 60, keptMs: 30 * 24 * HOUR_MS, madeOf: 10 },
] as const;

export const stepDurations = { 1: 'PT1S', 10: 'PT10S', 60: 'PT1M' } as const;

const SWEEP_EVERY_MS = 60_000;
/** Steps that are made up for with one second: after a pause the others follow with the next ones. */
const MOST_MADE_UP = 12;

export function createHistory(ctx: Pick<ControlContext, 'database'>) {
  let sweptMs = Number.NEGATIVE_INFINITY;
  /** By pipeline and step: the begin of the last step up to which all that was recorded is rolled up. */
  const rolled = new Map<string, number>();

  return {
    async forget(pipelineId: string): Promise<void> {
      for (const { stepSeconds } of resolutions) rolled.delete(nameOf(pipelineId, stepSeconds));
      await ctx.database.delete(telemetry).where(eq(telemetry.pipelineId, pipelineId));
    },

    /** `at`: epoch ms of a whole second. Rolls up every step that has ended by then, also when its last second was not recorded. */
    async append(
      pipelineId: string,
      at: number,
      values: Record<string, number | null>,
      snapshot: Snapshot | null = null,
    ): Promise<void> {
      await put(pipelineId, 1, at, values, snapshot);
      let until = at;
      for (const { stepSeconds, madeOf } of resolutions)
        if (madeOf !== null) until = await rollUpTo(pipelineId, until, stepSeconds, madeOf);
      // The wall clock may have been set back.
      if (Math.abs(at - sweptMs) >= SWEEP_EVERY_MS) {
        await sweep(at);
        sweptMs = at;
      }
    },
  };

  /** Of what is recorded before `at`. Up to when it is done: a coarser step is not made of one that is not. */
  async function rollUpTo(
    pipelineId: string,
    at: number,
    stepSeconds: number,
    madeOf: number,
  ): Promise<number> {
    const stepMs = stepSeconds * 1000;
    const name = nameOf(pipelineId, stepSeconds);
    const last = Math.floor(at / stepMs) * stepMs - stepMs;
    // After a start the table knows: the step in which an earlier process ended may lie hours back, and is what somebody will ask for.
    const known = rolled.get(name) ?? (await newestRolled(pipelineId, stepSeconds, last));
    if (known === last) {
      rolled.set(name, last);
      return last + stepMs;
    }
    const first = known === null ? 0 : known > last ? last : known + stepMs;
    const steps = await stepsRecorded(pipelineId, madeOf, stepMs, first, last + stepMs);
    for (const from of steps.slice(0, MOST_MADE_UP)) await rollUpOne(pipelineId, from, stepSeconds, madeOf);
    const done = steps.length > MOST_MADE_UP ? (steps[MOST_MADE_UP - 1] ?? last) : last;
    rolled.set(name, done);
    return done + stepMs;
  }

  /** Not after `lastMs`: the wall clock may have been set back. */
  async function newestRolled(
    pipelineId: string,
    stepSeconds: number,
    lastMs: number,
  ): Promise<number | null> {
    const [row] = await ctx.database
      .select({ at: telemetry.at })
      .from(telemetry)
      .where(
        and(
          eq(telemetry.pipelineId, pipelineId),
          eq(telemetry.stepSeconds, stepSeconds),
          lte(telemetry.at, new Date(lastMs)),
        ),
      )
      .orderBy(desc(telemetry.at))
      .limit(1);
    return row?.at.getTime() ?? null;
  }

  /** Begins of the steps of `[fromMs, toMs)` of which something finer is recorded, in order: one more than are made up for at once. */
  async function stepsRecorded(
    pipelineId: string,
    madeOf: number,
    stepMs: number,
    fromMs: number,
    toMs: number,
  ): Promise<number[]> {
    const step = sql<number>`(floor(extract(epoch from ${telemetry.at}) * 1000 / ${sql.raw(String(stepMs))}) * ${sql.raw(String(stepMs))})::float8`;
    const rows = await ctx.database
      .selectDistinct({ step })
      .from(telemetry)
      .where(
        and(
          eq(telemetry.pipelineId, pipelineId),
          eq(telemetry.stepSeconds, madeOf),
          gte(telemetry.at, new Date(fromMs)),
          lt(telemetry.at, new Date(toMs)),
        ),
      )
      .orderBy(asc(step))
      .limit(MOST_MADE_UP + 1);
    return rows.map((row) => Number(row.step));
  }

  async function rollUpOne(
    pipelineId: string,
    from: number,
    stepSeconds: number,
    madeOf: number,
  ): Promise<void> {
    const finer = await ctx.database
      .select({ values: telemetry.values, snapshot: telemetry.snapshot })
      .from(telemetry)
      .where(
        and(
          eq(telemetry.pipelineId, pipelineId),
          eq(telemetry.stepSeconds, madeOf),
          gte(telemetry.at, new Date(from)),
          lt(telemetry.at, new Date(from + stepSeconds * 1000)),
        ),
      )
      .orderBy(asc(telemetry.at));
    if (finer.length === 0) return;
    // A row is named by the begin of its step; nothing recorded makes no row.
    await put(pipelineId, stepSeconds, from, rollUp(finer.map(({ values }) => values)), worstSnapshot(finer));
  }

  async function put(
    pipelineId: string,
    stepSeconds: number,
    at: number,
    values: Record<string, number | null>,
    snapshot: Snapshot | null,
  ): Promise<void> {
    await ctx.database
      .insert(telemetry)
      .values({ pipelineId, stepSeconds, at: new Date(at), values, snapshot })
      .onConflictDoUpdate({
        target: [telemetry.pipelineId, telemetry.stepSeconds, telemetry.at],
        set: { values: sql`excluded.values`, snapshot: sql`excluded.snapshot` },
      });
  }

  async function sweep(now: number): Promise<void> {
    for (const { stepSeconds, keptMs } of resolutions) {
      await ctx.database
        .delete(telemetry)
        .where(and(eq(telemetry.stepSeconds, stepSeconds), lt(telemetry.at, new Date(now - keptMs))));
    }
  }
}

function nameOf(pipelineId: string, stepSeconds: number): string {
  return `${pipelineId} ${stepSeconds}`;
}
