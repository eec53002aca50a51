/**
 * What the apply worker has committed: positions, counters, and with them the runs that are done.
 *
 * A run is done when the committed position has passed the marker of its current token: its events are applied, not merely
 * published. Offsets are strings whose byte order is the order of the stream.
 */
import type { Tick } from '@spillway/shared/api/worker-protocol';
import { sql } from 'drizzle-orm';
import { announce } from '../backfill/announce.ts';
import { type BackfillRow, lockBackfills } from '../backfill/transition.ts';
import type { ControlContext } from '../context.ts';
import { type Database, type Transaction, type UnitOfWork, unitOfWork } from '../database/database.ts';
import { backfills } from '../database/schema.ts';
import { advance } from './advance.ts';
import { markDone } from './done-runs.ts';

type Applied = NonNullable<Tick['apply']>;
type Counter = Applied['counters'][number];

/**
 * What the last tick said, so that one that says nothing new writes nothing. No more than that is kept: a backfill that is no longer
 * reported is forgotten. A restart only writes once more.
 */
const written = new WeakMap<ControlContext['database'], Map<string, string>>();

export async function recordApplied(ctx: ControlContext, applied: Applied): Promise<void> {
  const positions = applied.streams.flatMap(({ stream, position }) =>
    position === null ? [] : [{ stream, position }],
  );
  const known = written.get(ctx.database) ?? new Map<string, string>();
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
  written.set(
    ctx.database,
    new Map([
      ...positions.map(({ stream, position }): [string, string] => [`position ${stream}`, position]),
      ...applied.counters.map((counter): [string, string] => [counter.backfillId, JSON.stringify(counter)]),
    ]),
  );
}

async function writePositions(
  ctx: ControlContext,
  positions: readonly { stream: string; position: string }[],
): Promise<void> {
  await ctx.database.execute(sql`
    insert into positions (stream, position, reported_at)
    select stream, position, now() from jsonb_to_recordset(${JSON.stringify(positions)}::jsonb) as x(stream text, position text)
    on conflict (stream) do update set position = excluded.position, reported_at = excluded.reported_at
      where positions.position collate "C" < excluded.position collate "C"`);
}

interface PassedRun {
  readonly id: string;
  readonly backfill_id: string;
}

async function passedRuns(executor: Database | Transaction): Promise<PassedRun[]> {
  const { rows } = await executor.execute<PassedRun & Record<string, unknown>>(sql`
    select r.id, r.backfill_id from runs r
      join backfills b on b.id = r.backfill_id join pipelines p on p.id = b.pipeline_id
      join positions s on s.stream = case p.route when 'shared' then p.live_stream else p.replay_stream end
    where r.state = 'published' and r.marker_offset collate "C" <= s.position collate "C"`);
  return rows;
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

async function finishRuns(
  ctx: ControlContext,
  work: UnitOfWork,
  locked: readonly BackfillRow[],
): Promise<void> {
  const { tx } = work;
  const passed = await passedRuns(tx);
  for (const { id } of locked) {
    const own = passed.filter((run) => run.backfill_id === id).map((run) => run.id);
    if (own.length === 0) continue;
    const subwindows = await markDone(tx, id, own);
    const [row] = await tx
      .update(backfills)
      .set({ subwindowsDone: sql`${backfills.subwindowsDone} + ${subwindows}` })
      .where(sql`${backfills.id} = ${id}`)
      .returning();
    if (row === undefined) continue;
    const after = await advance(ctx, work, row);
    if (after.state !== row.state) work.afterCommit(() => announce(ctx, id));
  }
}
