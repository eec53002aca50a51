/** What the apply worker has committed: positions, counters, and with them the runs that are done. */
import type { Tick } from '@spillway/shared/api/worker-protocol';
import { sql } from 'drizzle-orm';
import { lockBackfills } from '../backfill/transition.ts';
import type { ControlContext } from '../context.ts';
import { type Transaction, unitOfWork } from '../database/database.ts';
import { lanesOf } from '../telemetry/apply-view.ts';
import { failBeyondEnd } from './beyond-end.ts';
import { finishRuns, passedRuns, writePositions } from './passed-runs.ts';

type Applied = NonNullable<Tick['apply']>;
type Counter = Applied['counters'][number];

/**
 * What the last tick that told of the same lanes said, so that one that says nothing new writes nothing. No more than that is kept: a backfill that is no longer
 * reported is forgotten. A restart only writes once more.
 */
const written = new WeakMap<ControlContext['database'], Map<string, Map<string, string>>>();

/** `arrivedMs`: of the tick, monotonic. */
export async function recordApplied(ctx: ControlContext, applied: Applied, arrivedMs: number): Promise<void> {
  const positions = applied.streams.flatMap(({ stream, position }) =>
    position === null ? [] : [{ stream, position }],
  );
  const byLanes = written.get(ctx.database) ?? new Map<string, Map<string, string>>();
  written.set(ctx.database, byLanes);
  const lanes = lanesOf(applied).join();
  const known = byLanes.get(lanes) ?? new Map<string, string>();
  const freshPositions = positions.filter(
    ({ stream, position }) => known.get(`position ${stream}`) !== position,
  );
  const freshCounters = applied.counters.filter(
    (counter) => known.get(counter.backfillId) !== JSON.stringify(counter),
  );
  if (freshPositions.length > 0) await writePositions(ctx, freshPositions);

  const passed = await passedRuns(ctx.database);
  const affected = new Set([
    ...freshCounters.map((counter) => counter.backfillId),
    ...passed.map((run) => run.backfill_id),
  ]);
  if (affected.size > 0) {
    await unitOfWork(ctx.database, async (work) => {
      // Locked before the runs are looked at again: only what is still published then is done now.
      const locked = await lockBackfills(work.tx, [...affected]);
      if (freshCounters.length > 0) await writeCounters(work.tx, freshCounters);
      if (passed.length > 0) await finishRuns(ctx, work, locked);
    });
  }
  await failBeyondEnd(ctx, applied.streams, arrivedMs);
  byLanes.set(
    lanes,
    new Map([
      ...positions.map(({ stream, position }): [string, string] => [`position ${stream}`, position]),
      ...applied.counters.map((counter): [string, string] => [counter.backfillId, JSON.stringify(counter)]),
    ]),
  );
}

/** Greatest: reports may overtake each other, and the store's counts never fall. */
async function writeCounters(tx: Transaction, counters: readonly Counter[]): Promise<void> {
  await tx.execute(sql`
    update backfills b set events_applied = greatest(b.events_applied, x.applied), events_duplicate = greatest(b.events_duplicate, x.duplicate),
      events_quarantined = greatest(b.events_quarantined, x.quarantined)
    from jsonb_to_recordset(${JSON.stringify(counters)}::jsonb) as x("backfillId" text, applied bigint, duplicate bigint, quarantined bigint)
    where b.id = x."backfillId"
      and (b.events_applied < x.applied or b.events_duplicate < x.duplicate or b.events_quarantined < x.quarantined)`);
}
