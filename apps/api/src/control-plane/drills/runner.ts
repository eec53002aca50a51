/**
 * Runs drills: takes the store's lock, looks twenty times a second at what the workers report, keeps the report as it unfolds.
 *
 * A stall ends early for two reasons, which the report keeps apart: `stopping`, the api's own end, fails the drill and ends its looking;
 * `release`, somebody's wish, ends the stall alone, and the drill goes on to tell the recovery.
 *
 * The stall and the looking are two tasks. Nothing that goes wrong with looking or keeping can hold the lock for longer: its end
 * belongs to the store (`StoreStall`), which also ends it when this process dies. Then `closeInterruptedDrills` tells so.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { and, eq, sql } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import { backfills, drills } from '../database/schema.ts';
import type { PipelineRow } from '../pipelines/rows.ts';
import type { DrillUnderWay } from '../telemetry/observation.ts';
import { lookAt, settingOf } from './look.ts';
import { calledOff, type DrillProgress, failed, notStalled, observed, released, stalled } from './report.ts';
import { columnsOf, type DrillRow } from './resource.ts';

const LOOK_EVERY_MS = 50;
const ASK_EVERY_MS = 500;
const KEEP_AGAIN_MS = 1_000;

export interface DrillRunner {
  /** Returns at once; the drill goes on by itself. */
  run(row: DrillRow, pipeline: PipelineRow): void;
  /** Gives the store back now. One that does not stall it (any more) goes on as it is. */
  release(drillId: string, by: string): void;
  /** Calls off what runs; resolves when the store is released and the reports say so. */
  stop(): Promise<void>;
}

export function createDrillRunner(ctx: ControlContext): DrillRunner {
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  const releases = new Map<string, (by: string) => void>();

  async function drill(row: DrillRow, pipeline: PipelineRow): Promise<void> {
    const { signal } = stopping;
    const early = new AbortController();
    let progress: DrillProgress = notStalled;
    releases.set(row.id, (by) => {
      progress = calledOff(progress, { by, forMs: row.forMs });
      early.abort();
    });
    // Monotonic from here on: a clock that is set meanwhile neither ends the drill nor prolongs it.
    const began = ctx.clock.now() - ctx.clock.monotonic();
    const now = () => began + ctx.clock.monotonic();
    const replay = watchReplay(pipeline.id);
    await replay.ask();
    const observe = () => ctx.telemetry.observation(pipeline.id);
    const setting = settingOf(
      observe(),
      {
        highWaterMark: pipeline.highWaterMark,
        freshnessTargetMs: pipeline.signals.liveFreshnessMsP99?.target ?? null,
      },
      replay.runs(),
    );
    const stall = ctx.store
      .stall({
        forMs: row.forMs,
        signal: AbortSignal.any([signal, early.signal]),
        stalled: () => {
          progress = stalled(progress, now());
        },
      })
      .then(() => {
        progress = signal.aborted
          ? failed(progress, now(), 'The api was stopped in the middle of the drill.')
          : released(progress, now());
      })
      .catch((error: Error) => {
        ctx.log.warn({ err: error, drillId: row.id }, 'a drill failed');
        progress = failed(progress, now(), `The drill failed: ${error.message}.`);
      });

    const report = keeper(row.id);
    let told: Parameters<typeof lookAt>[1]['told'] = null;
    while (isUnderWay(progress) && !signal.aborted) {
      await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
      const seen = observe();
      progress = observed(setting, progress, lookAt(seen, { atMs: now(), told, replayRuns: replay.runs() }));
      told = seen?.apply ?? told;
      ctx.telemetry.observeDrill(pipeline.id, underWay(row.startedBy, progress));
      report.keep(columnsOf(setting, progress));
      void replay.ask();
    }
    await stall;
    if (isUnderWay(progress))
      progress = failed(progress, now(), 'The api was stopped in the middle of the drill.');
    await report.finish(columnsOf(setting, progress));
  }

  /** Whether a backfill of the pipeline is running, as of half a second ago. */
  function watchReplay(pipelineId: string) {
    let runs = false;
    let askedMs = Number.NEGATIVE_INFINITY;
    return {
      runs: () => runs,
      async ask(): Promise<void> {
        if (ctx.clock.monotonic() - askedMs < ASK_EVERY_MS) return;
        askedMs = ctx.clock.monotonic();
        try {
          const rows = await ctx.database
            .select({ one: sql`1` })
            .from(backfills)
            .where(and(eq(backfills.pipelineId, pipelineId), eq(backfills.state, 'running')))
            .limit(1);
          runs = rows.length > 0;
        } catch (error) {
          ctx.log.warn({ err: error }, 'a drill could not ask for running backfills');
        }
      },
    };
  }

  /** One write at a time, of the newest; a control database that is slow or away delays no look. */
  function keeper(id: string) {
    let wanted = '';
    let kept = '';
    let writing: Promise<void> | null = null;
    const write = async (columns: ReturnType<typeof columnsOf>, text: string): Promise<void> => {
      try {
        await ctx.database.update(drills).set(columns).where(eq(drills.id, id));
        kept = text;
      } catch (error) {
        ctx.log.warn({ err: error, drillId: id }, 'the report of a drill could not be kept');
      }
    };
    const keep = (columns: ReturnType<typeof columnsOf>): void => {
      wanted = JSON.stringify(columns);
      if (wanted === kept || writing !== null) return;
      writing = write(columns, wanted).finally(() => {
        writing = null;
      });
    };
    return {
      keep,
      /** Until it is kept: an unfinished report would stand in the way of the next drill. */
      async finish(columns: ReturnType<typeof columnsOf>): Promise<void> {
        for (;;) {
          await writing;
          keep(columns);
          await writing;
          if (wanted === kept || stopping.signal.aborted) return;
          await delay(KEEP_AGAIN_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
        }
      },
    };
  }

  return {
    run(row, pipeline) {
      const task = drill(row, pipeline)
        .catch((error: unknown) => ctx.log.error({ err: error, drillId: row.id }, 'a drill broke off'))
        .finally(() => {
          ctx.telemetry.observeDrill(pipeline.id, null);
          releases.delete(row.id);
          running.delete(task);
        });
      running.add(task);
    },
    release(drillId, by) {
      releases.get(drillId)?.(by);
    },
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

/** Null: the store has not been stalled yet, or all is over. */
function underWay(startedBy: string, progress: DrillProgress): DrillUnderWay | null {
  return isUnderWay(progress) && progress.stalledAt !== null
    ? { startedBy, released: progress.state === 'recovering' }
    : null;
}

function isUnderWay({ state }: DrillProgress): boolean {
  return state === 'stalling' || state === 'recovering';
}
