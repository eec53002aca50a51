/** Metrics on disk: seconds for an hour, ten seconds for a day, minutes for thirty days. */
import { rollUp } from '@spillway/shared/telemetry/roll-up';
import { type Snapshot, worstSnapshot } from '@spillway/shared/telemetry/snapshot';
import { and, asc, eq, gte, lt, sql } from 'drizzle-orm';
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
/** After a pause only this many steps are made up for: what lies further back was rolled up before it, or never recorded. */
const MOST_MADE_UP = 12;

export function createHistory(ctx: Pick<ControlContext, 'database'>) {
  let sweptMs = Number.NEGATIVE_INFINITY;
  /** By pipeline and step: the begin of the last step that was rolled up. */
  const rolled = new Map<string, number>();

  return {
    /** `at`: epoch ms of a whole second. Rolls up every step that has ended by then, also when its last second was not recorded. */
    async append(
      pipelineId: string,
      at: number,
      values: Record<string, number | null>,
      snapshot: Snapshot | null = null,
    ): Promise<void> {
      await put(pipelineId, 1, at, values, snapshot);
      for (const { stepSeconds, madeOf } of resolutions)
        if (madeOf !== null) await rollUpTo(pipelineId, at, stepSeconds, madeOf);
      // The wall clock may have been set back.
      if (Math.abs(at - sweptMs) >= SWEEP_EVERY_MS) {
        await sweep(at);
        sweptMs = at;
      }
    },
  };

  async function rollUpTo(
    pipelineId: string,
    at: number,
    stepSeconds: number,
    madeOf: number,
  ): Promise<void> {
    const stepMs = stepSeconds * 1000;
    const name = `${pipelineId} ${stepSeconds}`;
    const last = Math.floor(at / stepMs) * stepMs - stepMs;
    const known = rolled.get(name);
    if (known === last) return;
    // Nothing is known after a start: the step that ended before it may have been missed.
    const first =
      known === undefined || known > last
        ? last
        : Math.max(known + stepMs, last - (MOST_MADE_UP - 1) * stepMs);
    for (let from = first; from <= last; from += stepMs)
      await rollUpOne(pipelineId, from, stepSeconds, madeOf);
    rolled.set(name, last);
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
