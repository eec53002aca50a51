/**
 * Markers beyond the end of their stream: its server has lost the last it was given (a fail-over, a power cut). What is not there is never applied, and
 * no position reaches it, so its runs are published again, each from its beginning; what of them had been applied is told by its id.
 *
 *     lost     beyond the end in every report for ten seconds (markers-beyond.ts)
 *     again    as after a failed attempt, with `gap`. Where the position lay beyond the end as well, in all of them, the applier stands, and somebody
 *              has to help it before anything is published there: the run fails at once
 *     beside   what else was being published on that stream goes on behind a hole, if it goes on: it begins anew
 *
 * Whoever has appended again before anybody looked has hidden the loss: the proof finds it.
 */
import type { Tick } from '@spillway/shared/api/worker-protocol';
import { afterFailure } from '@spillway/shared/backfill/attempts';
import { and, eq, sql } from 'drizzle-orm';
import { announce } from '../backfill/announce.ts';
import { type BackfillRow, lockBackfills } from '../backfill/transition.ts';
import type { ControlContext } from '../context.ts';
import { type Database, type Transaction, unitOfWork } from '../database/database.ts';
import { runs } from '../database/schema.ts';
import { governorMemory } from '../governor/memory.ts';
import { advance } from './advance.ts';
import type { MarkerBeyond } from './markers-beyond.ts';

/** `end`: of the newest entry ever appended; null: there has been none. */
interface StreamEnd {
  readonly stream: string;
  readonly end: string | null;
}

interface RunBeyond extends MarkerBeyond {
  readonly id: string;
  readonly backfill_id: string;
  readonly stream: string;
}

/** `arrivedMs`: of the tick, monotonic. */
export async function publishAgainBeyondEnd(
  ctx: ControlContext,
  reports: NonNullable<Tick['apply']>['streams'],
  arrivedMs: number,
): Promise<void> {
  const ends = reports.flatMap(({ stream, lastOffset: end }) => (end === undefined ? [] : [{ stream, end }]));
  if (ends.length === 0) return;
  const beyond = await runsBeyond(ctx.database, ends);
  const { beyondEnd } = governorMemory(ctx);
  const times = { arrivedMs, readMs: ctx.clock.monotonic() };
  const lost = ends.flatMap(({ stream }) =>
    beyondEnd.lost(
      stream,
      beyond.filter((run) => run.stream === stream),
      times,
    ),
  );
  if (lost.length > 0) await publishAgain(ctx, lost);
}

/** Neither there, nor applied before it was lost. */
async function runsBeyond(database: Database, ends: readonly StreamEnd[]): Promise<readonly RunBeyond[]> {
  const { rows } = await database.execute<RunBeyond & Record<string, unknown>>(sql`
    select r.id, r.backfill_id, x.stream, r.marker_offset as marker,
      coalesce(s.position collate "C" > coalesce(x."end", '') collate "C", false) as stands
    from runs r
      join backfills b on b.id = r.backfill_id join pipelines p on p.id = b.pipeline_id
      join jsonb_to_recordset(${JSON.stringify(ends)}::jsonb) as x(stream text, "end" text)
        on x.stream = case p.route when 'shared' then p.live_stream else p.replay_stream end
      left join positions s on s.stream = x.stream
    where r.state = 'published' and b.state in ('queued', 'running', 'pausing', 'paused', 'failed')
      and r.marker_offset collate "C" > coalesce(x."end", '') collate "C"
      and (s.position is null or r.marker_offset collate "C" > s.position collate "C")`);
  return rows;
}

async function publishAgain(ctx: ControlContext, lost: readonly RunBeyond[]): Promise<void> {
  const beside = await backfillsBeside(ctx.database, lost);
  await unitOfWork(ctx.database, async (work) => {
    const { tx } = work;
    const locked = await lockBackfills(tx, [...new Set([...lost.map((run) => run.backfill_id), ...beside])]);
    await beginAnew(tx, locked);
    for (const row of locked) {
      for (const { id, marker, stands } of lost.filter((run) => run.backfill_id === row.id)) {
        const same = and(eq(runs.id, id), eq(runs.state, 'published'), eq(runs.markerOffset, marker));
        const [run] = await tx.select().from(runs).where(same);
        if (run === undefined) continue;
        // What failed otherwise came to something when it was published.
        const failures = run.failure?.code === 'gap' ? run.failures + 1 : 1;
        const next = afterFailure(failures, { failure: { code: 'gap' }, retriable: !stands });
        const failure = {
          code: 'gap',
          detail: detailOf(marker, stands, next.type === 'again'),
          address: null,
        };
        await tx
          .update(runs)
          .set({
            state: next.type === 'again' ? 'pending' : 'failed',
            cursor: null,
            markerOffset: null,
            // Its reader meets them again.
            quarantined: 0,
            failures,
            failure,
            retryAt:
              next.type === 'again'
                ? sql`clock_timestamp() + ${next.afterMs} * interval '1 millisecond'`
                : null,
          })
          .where(eq(runs.id, id));
        ctx.log.warn({ leaseId: id, backfillId: row.id, failures, failure }, 'what was published is lost');
      }
      await advance(ctx, work, row);
      work.afterCommit(() => announce(ctx, row.id));
    }
  });
}

/** Of a run that is not published yet, entries may have been lost as well. */
const hasBegun = sql.raw(
  "r.kind = 'replay' and (r.state = 'leased' or (r.state in ('pending', 'failed') and r.cursor is not null))",
);

/** With such runs, on the same streams. */
async function backfillsBeside(database: Database, lost: readonly RunBeyond[]): Promise<readonly string[]> {
  const streams = sql.param([...new Set(lost.map(({ stream }) => stream))]);
  const { rows } = await database.execute<{ id: string }>(sql`
    select distinct b.id from runs r
      join backfills b on b.id = r.backfill_id join pipelines p on p.id = b.pipeline_id
    where b.state in ('queued', 'running', 'pausing', 'paused', 'failed') and ${hasBegun}
      and case p.route when 'shared' then p.live_stream else p.replay_stream end = any(${streams}::text[])`);
  return rows.map(({ id }) => id);
}

/** From their beginning, as going on would leave a hole. Leases run out at once: the sweep ends them, and tells their workers. */
async function beginAnew(tx: Transaction, locked: readonly BackfillRow[]): Promise<void> {
  await tx.execute(sql`
    update runs r set cursor = null, quarantined = 0, lease_expires_at = case r.state when 'leased' then clock_timestamp() end
    where r.backfill_id = any(${sql.param(locked.map(({ id }) => id))}::text[]) and ${hasBegun}`);
}

function detailOf(marker: string, stands: boolean, again: boolean): string {
  const what = `the stream ends before ${marker}, where what was published ends: its server has lost the last that it was given`;
  if (stands)
    return `${what}, and of what is applied as well; nothing more is applied before the stream's position is set (operations.md, "A stream that has lost its end"), then retry`;
  return again ? `${what}; it is published again` : `${what}, time and again; see to that, then retry`;
}
