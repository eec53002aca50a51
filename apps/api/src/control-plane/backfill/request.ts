/** What a start or a quote asks for, looked up and planned. Nothing here grows with the number of subwindows. */
import type { Limits, StartBackfill } from '@spillway/shared/api/backfill';
import { type Plan, type PlanSource, planBackfill } from '@spillway/shared/backfill/plan';
import { durationMs } from '@spillway/shared/time/duration';
import { asc } from 'drizzle-orm';
import type { Transaction } from '../database/database.ts';
import { sources } from '../database/schema.ts';
import { keepPipeline, type PipelineRow } from '../pipelines/rows.ts';
import { ProblemError } from '../problem-error.ts';
import { isOverNetwork } from '../sources/reach.ts';

const MAX_CONCURRENCY = 16;

type BackfillRequest = Pick<
  StartBackfill,
  'pipelineId' | 'sourceIds' | 'window' | 'subwindow' | 'mode' | 'limits' | 'isolated'
>;

export interface PlannedRequest {
  readonly pipeline: PipelineRow;
  /** False: all of the pipeline's. */
  readonly sourcesNamed: boolean;
  /** All that were chosen, also those the window does not touch. */
  readonly sources: readonly ChosenSource[];
  /** Epoch ms, before clipping. */
  readonly requested: { readonly from: number; readonly to: number };
  readonly plan: Plan;
  /** To be read by isolated workers alone. */
  readonly isolated: boolean;
}

interface ChosenSource extends PlanSource {
  readonly connector: string;
  readonly fingerprint: string | null;
  /** What is read of it crosses a network. */
  readonly isFar: boolean;
}

/** Errors: `mode_unavailable`, `unknown_pipeline`, `unknown_source`, `source_not_in_pipeline` and those of the plan. */
export async function planRequest(tx: Transaction, body: BackfillRequest): Promise<PlannedRequest> {
  if (body.mode === 'rebuild')
    throw new ProblemError('mode_unavailable', 'Only fill is available: rebuild is not built yet.', {
      pointer: '/mode',
    });
  const pipeline = await keepPipeline(tx, body.pipelineId, '/pipelineId');
  const chosen = await sourcesFor(tx, body);
  const requested = { from: Date.parse(body.window.from), to: Date.parse(body.window.to) };
  const sourcesNamed = body.sourceIds !== undefined;
  const plan = planBackfill({
    window: requested,
    // One too long to be counted in milliseconds is longer than any window.
    subwindowMs:
      body.subwindow === undefined ? null : (durationMs(body.subwindow) ?? Number.POSITIVE_INFINITY),
    sources: chosen,
    sourcesNamed,
  });
  if ('code' in plan) throw new ProblemError(plan.code, plan.detail, { pointer: plan.pointer });
  return { pipeline, sourcesNamed, sources: chosen, requested, plan, isolated: body.isolated ?? false };
}

/** Errors: `unknown_source`, `source_not_in_pipeline`. */
async function sourcesFor(tx: Transaction, body: BackfillRequest): Promise<ChosenSource[]> {
  const known = await tx
    .select({
      id: sources.id,
      pipelineId: sources.pipelineId,
      connector: sources.connector,
      config: sources.config,
      fingerprint: sources.fingerprint,
      from: sources.rangeFrom,
      to: sources.rangeTo,
      wholeFrom: sources.wholeFrom,
    })
    .from(sources)
    .orderBy(asc(sources.id))
    // Until the start has ended none of them is removed, or gets another history.
    .for('key share');
  const chosen =
    body.sourceIds ??
    known.filter((source) => source.pipelineId === body.pipelineId).map((source) => source.id);
  if (chosen.length === 0)
    throw new ProblemError('unknown_source', `Pipeline ${body.pipelineId} has no source.`, {
      pointer: '/pipelineId',
    });
  return chosen.map((sourceId, index) => {
    const pointer = `/sourceIds/${index}`;
    const source = known.find((candidate) => candidate.id === sourceId);
    if (source === undefined)
      throw new ProblemError('unknown_source', `There is no source ${sourceId}.`, { pointer });
    if (source.pipelineId !== body.pipelineId)
      throw new ProblemError(
        'source_not_in_pipeline',
        `Source ${sourceId} feeds pipeline ${source.pipelineId}.`,
        { pointer },
      );
    const { connector, fingerprint, from, to, wholeFrom } = source;
    const range = from === null || to === null ? null : { from, to };
    return { sourceId, connector, fingerprint, isFar: isOverNetwork(source), range, wholeFrom };
  });
}

/** Concurrency by default: a run of every source at a time, at least two so that one is read while the next is claimed. */
export function limitsFor(limits: StartBackfill['limits'], plan: Plan): Limits {
  return {
    eventsPerSecond: limits?.eventsPerSecond ?? null,
    share: limits?.share ?? null,
    concurrency: limits?.concurrency ?? Math.min(MAX_CONCURRENCY, Math.max(2, plan.lanes.length)),
    budget: limits?.budget ?? null,
  };
}
