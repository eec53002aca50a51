/** Metrics on disk: seconds for an hour, ten seconds for a day, minutes for thirty days. */
import { rollUp } from '@spillway/shared/telemetry/roll-up';
import { and, eq, gte, lt, sql } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import { telemetry } from '../database/schema.ts';

const HOUR_MS = 3_600_000;

/** What is kept, and made of which finer step. */
export const resolutions = [
  { stepSeconds: 1, keptMs: HOUR_MS, madeOf: null },
  { stepSeconds: 10, keptMs: 24 * HOUR_MS, madeOf: 1 },
  { stepSeconds: 60, keptMs: 30 * 24 * HOUR_MS, madeOf: 10 },
] as const;

const SWEEP_EVERY_MS = 60_000;

export function createHistory(ctx: Pick<ControlContext, 'database'>) {
  let sweptMs = 0;

  return {
    /** `at`: epoch ms of a whole second. Rolls up every step that ends with it. */
    async append(pipelineId: string, at: number, values: Record<string, number | null>): Promise<void> {
      await put(pipelineId, 1, at, values);
      for (const { stepSeconds, madeOf } of resolutions) {
        if (madeOf === null || at % (stepSeconds * 1000) !== 0) continue;
        const from = at - stepSeconds * 1000;
        const finer = await ctx.database
          .select({ values: telemetry.values })
          .from(telemetry)
          .where(and(eq(telemetry.pipelineId, pipelineId), eq(telemetry.stepSeconds, madeOf), gte(telemetry.at, new Date(from)), lt(telemetry.at, new Date(at))));
        // A row is named by the begin of its step.
        await put(pipelineId, stepSeconds, from, rollUp(finer.map((row) => row.values)));
      }
      if (at - sweptMs >= SWEEP_EVERY_MS) {
        sweptMs = at;
        await sweep(at);
      }
    },
  };

  async function put(pipelineId: string, stepSeconds: number, at: number, values: Record<string, number | null>): Promise<void> {
    await ctx.database
      .insert(telemetry)
      .values({ pipelineId, stepSeconds, at: new Date(at), values })
      .onConflictDoUpdate({ target: [telemetry.pipelineId, telemetry.stepSeconds, telemetry.at], set: { values: sql`excluded.values` } });
  }

  async function sweep(now: number): Promise<void> {
    for (const { stepSeconds, keptMs } of resolutions) {
      await ctx.database.delete(telemetry).where(and(eq(telemetry.stepSeconds, stepSeconds), lt(telemetry.at, new Date(now - keptMs))));
    }
  }
}
