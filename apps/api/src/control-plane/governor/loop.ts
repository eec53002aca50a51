/**
 * The governor's beat: a pass every 250 ms, never two at once, and one at once when it is triggered (a command, a capacity).
 * A pass that fails is logged and the next one tries again: meanwhile the workers fall to their safe rates by themselves.
 */
import { eq } from 'drizzle-orm';
import { reviewAlerts } from '../alerts/review.ts';
import { announce } from '../backfill/announce.ts';
import type { ControlContext } from '../context.ts';
import { archiveMeters } from '../cost/archive.ts';
import { maintain } from '../database/maintenance.ts';
import { backfills } from '../database/schema.ts';
import { estimateLate } from '../quotes/estimate-late.ts';
import { forgetSilent } from '../workers/membership.ts';
import type { Governed } from './governed.ts';
import { Ledger } from './ledger.ts';
import { governorMemory } from './memory.ts';
import { type GovernorTelemetry, governorPass } from './pass.ts';
import { pausesOf } from './pauses.ts';

const BEAT_MS = 250;
const SECOND_MS = 1_000;
const MAINTAIN_EVERY_MS = 60_000;

export function startGovernor(ctx: ControlContext, telemetry: GovernorTelemetry): { stop(): Promise<void> } {
  const memory = governorMemory(ctx);
  const ledger = new Ledger(ctx);
  const told = new Map<string, string>();
  let failedTold = false;
  let stopped = false;
  let again = false;
  let wake: (() => void) | null = null;
  let reviewing: Promise<void> | null = null;
  let secondMs = ctx.clock.monotonic();
  let maintainedMs = secondMs;

  memory.trigger = () => {
    again = true;
    wake?.();
  };

  async function pass(): Promise<void> {
    const governed = await governorPass(ctx, telemetry);
    await ledger.resume();
    ledger.observe(governed, memory.decisions);
    const now = ctx.clock.monotonic();
    if (now - secondMs >= SECOND_MS) {
      secondMs = now;
      await ledger.write();
      await estimateLate(ctx, governed).catch((error: unknown) =>
        ctx.log.warn({ err: error }, 'a late estimate could not be made'),
      );
      await tellProgress(governed);
      await tellFailed();
      reviewing ??= review(governed).finally(() => {
        reviewing = null;
      });
      forgetSilent(ctx);
    }
    if (now - maintainedMs >= MAINTAIN_EVERY_MS) {
      maintainedMs = now;
      await maintain(ctx.database);
      await archiveMeters(ctx);
    }
  }

  /** State changes are told when they happen; progress here, once a second. A rate goes on falling after the last event. */
  async function tellProgress(governed: readonly Governed[]): Promise<void> {
    const unfinished = new Set(governed.map((backfill) => backfill.id));
    for (const id of told.keys()) if (!unfinished.has(id)) told.delete(id);
    const moved = governed.filter(({ id, progressMark }) => {
      const { publishedEventsPerSecond, appliedEventsPerSecond } = ctx.telemetry.rates(id);
      const mark = [
        progressMark,
        memory.decisions.get(id)?.eventsPerSecond,
        publishedEventsPerSecond,
        appliedEventsPerSecond,
      ].join(' ');
      const known = told.get(id);
      told.set(id, mark);
      return known !== mark;
    });
    await announce(ctx, ...moved.map(({ id }) => id));
  }

  /**
   * Once after a start: what has failed is unfinished and governed by nobody, and who keeps what was told last (past/standing.ts) would record that
   * there is none.
   */
  async function tellFailed(): Promise<void> {
    if (failedTold) return;
    const failed = await ctx.database
      .select({ id: backfills.id })
      .from(backfills)
      .where(eq(backfills.state, 'failed'));
    failedTold = true;
    await announce(ctx, ...failed.map(({ id }) => id));
  }

  /** Nobody waits for it, and one at a time: alerts must not cost a grant. */
  async function review(governed: readonly Governed[]): Promise<void> {
    const seen = [...memory.looks].map(
      ([
        pipelineId,
        { view, storeSilentMs, applierSilent, drillBy, replayStreamFull, stoppedLanes, external },
      ]) => ({
        pipelineId,
        view,
        storeSilentMs,
        applierSilent,
        drillBy,
        replayStreamFull,
        stoppedLanes,
        ...(external === undefined ? {} : { external }),
        runningBackfills: governed
          .filter((backfill) => backfill.pipelineId === pipelineId && backfill.state === 'running')
          .map(({ id }) => id),
        pauses: pausesOf(ctx.telemetry.observation(pipelineId)),
        budgets: governed
          .filter((backfill) => backfill.pipelineId === pipelineId)
          .flatMap(({ id }) => {
            const look = memory.budgets.get(id);
            return look === undefined || look.verdict.state === 'within'
              ? []
              : [{ backfillId: id, spent: look.verdict.state === 'spent', detail: look.detail }];
          }),
      }),
    );
    await reviewAlerts(ctx, seen).catch((error: unknown) =>
      ctx.log.warn({ err: error }, 'the alerts could not be reviewed'),
    );
  }

  async function run(): Promise<void> {
    while (!stopped) {
      again = false;
      const beganMs = ctx.clock.monotonic();
      await pass().catch((error: unknown) => ctx.log.error({ err: error }, 'a pass of the governor failed'));
      if (!again && !stopped) await rest(BEAT_MS - (ctx.clock.monotonic() - beganMs));
    }
    await ledger
      .write()
      .catch((error: unknown) => ctx.log.error({ err: error }, 'the ledger was not written'));
  }

  function rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, ms));
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  const ended = run();
  return {
    async stop() {
      stopped = true;
      wake?.();
      memory.trigger = () => {};
      await ended;
      await reviewing;
    },
  };
}
