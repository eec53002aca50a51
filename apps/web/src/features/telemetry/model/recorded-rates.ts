/** Which recorded rates a list of backfills asks for, and what a past moment shows of them: pure. */
import type { Backfill } from '@spillway/shared/api/backfill';
import type { Telemetry } from '@spillway/shared/api/pipeline';
import { activeStates } from '@spillway/shared/backfill/state-machine';
import { stepMsAt } from '../../past/model/chunks.ts';
import type { LinePoint } from './paths.ts';
import { rateHistoryMs } from './rate-history.ts';

/** Names of one request: what the server takes of them is 2,000 characters. */
const BATCH = 30;
/** The fewest steps that still have a shape. */
const STEPS_MIN = 12;

const prefix = 'backfill.';
const suffix = '.eventsPerSecond';

export function rateName(backfillId: string): string {
  return `${prefix}${backfillId}${suffix}`;
}

export interface RateBatch {
  readonly pipelineId: string;
  /** At most thirty, in the order of their names: which row stands where asks for nothing anew. */
  readonly backfillIds: readonly string[];
}

/** All at work: a list has a page of them at most, and the rate of each is recorded. */
export function rateBatches(
  backfills: readonly Pick<Backfill, 'id' | 'pipelineId' | 'state'>[],
): readonly RateBatch[] {
  const atWork = Map.groupBy(
    backfills.filter(({ state }) => activeStates.includes(state)),
    ({ pipelineId }) => pipelineId,
  );
  return [...atWork].flatMap(([pipelineId, of]) => {
    const ids = of.map(({ id }) => id).sort();
    return Array.from({ length: Math.ceil(ids.length / BATCH) }, (_, index) => ({
      pipelineId,
      backfillIds: ids.slice(index * BATCH, (index + 1) * BATCH),
    }));
  });
}

/** How long before a moment a sparkline begins: two minutes, and longer where of two minutes too few steps are kept. */
export function rateStretchMs(atMs: number, nowMs: number): number {
  return Math.max(rateHistoryMs, STEPS_MIN * stepMsAt(atMs, nowMs));
}

/** The stretch before a moment of every series of rates, by backfill. Nothing of what came after it. */
export function ratesUpTo(
  series: Telemetry['series'],
  atMs: number,
  stretchMs: number,
): Readonly<Record<string, readonly LinePoint[]>> {
  return Object.fromEntries(
    Object.entries(series).map(([name, points]) => [
      name.slice(prefix.length, -suffix.length),
      points.flatMap(([at, value]) => (at > atMs - stretchMs && at <= atMs ? [{ at, value }] : [])),
    ]),
  );
}
