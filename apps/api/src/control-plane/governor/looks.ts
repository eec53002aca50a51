/** What the governor saw at its last pass, by pipeline: for the screens, the alerts and the metrics. In memory, and dispensable. */
import type { GovernorView } from '@spillway/shared/api/governor';
import type { StoppedLane } from '@spillway/shared/api/worker-protocol';
import type { Guard, GuardMemory } from '@spillway/shared/governor/guard';
import type { ControlContext } from '../context.ts';
import { requirePipeline } from '../pipelines/rows.ts';
import { ProblemError } from '../problem-error.ts';
import type { Astray } from '../workers/stream-sightings.ts';
import { governorMemory } from './memory.ts';

export interface PipelineLook {
  readonly guard: Guard;
  readonly memory: GuardMemory;
  readonly view: GovernorView;
  readonly storeSilentMs: number | null;
  readonly applierSilent: boolean;
  /** Who has stalled the store on purpose; null: nobody. */
  readonly drillBy: string | null;
  readonly replayStreamFull: boolean;
  readonly stoppedLanes: readonly StoppedLane[];
  /** Absent: it is built in. */
  readonly external?: { readonly unseen: string | null; readonly astray: readonly Astray[] };
  /** Monotonic, ms. */
  readonly atMs: number;
  /** When a backfill of it last ran. */
  readonly ranMs: number;
}

/** What is shown as the present is at most this old. */
const PRESENT_MS = 5_000;

export function currentLook(
  ctx: Pick<ControlContext, 'database' | 'clock'>,
  pipelineId: string,
): PipelineLook | null {
  const look = governorMemory(ctx).looks.get(pipelineId);
  return look !== undefined && ctx.clock.monotonic() - look.atMs <= PRESENT_MS ? look : null;
}

/** Errors: `unknown_pipeline`, `unavailable` until the governor has looked at it. */
export async function readGovernor(ctx: ControlContext, pipelineId: string): Promise<GovernorView> {
  await requirePipeline(ctx.database, pipelineId);
  const look = currentLook(ctx, pipelineId);
  if (look === null)
    throw new ProblemError(
      'unavailable',
      'The governor has not looked at the pipeline yet; ask again in a second.',
    );
  return look.view;
}
