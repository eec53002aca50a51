/**
 * Markers beyond the end of their stream: its server has lost the last it was given (a fail-over, a power cut). What is not there is never applied, and
 * no position reaches it: it is lost once it is beyond the end in every report for ten seconds (markers-beyond.ts). What was being published on
 * that stream fails with `gap` then, and a retry reads it from its beginning; what of it had been applied is told by its id.
 *
 * Where the position lies beyond the end as well, the applier stands, and that is a loss by itself: somebody has to help it before anything is published there,
 * which would count as passed before it is applied. The failure says so.
 *
 * Whoever has appended again before anybody looked has hidden the loss: the proof finds it.
 */
import type { Tick } from '@spillway/shared/api/worker-protocol';
import { sql } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import type { Database } from '../database/database.ts';
import { governorMemory } from '../governor/memory.ts';
import { atRisk, failLost, unfinished } from './lost-entries.ts';
import type { MarkerBeyond } from './markers-beyond.ts';

/** `end`: of the newest entry ever appended; null: there has been none. */
interface StreamEnd {
  readonly stream: string;
  readonly end: string | null;
}

interface PlaceBeyond extends MarkerBeyond {
  readonly pipeline_id: string;
  readonly stream: string;
}

/** `arrivedMs`: of the tick, monotonic. */
export async function failBeyondEnd(
  ctx: ControlContext,
  reports: NonNullable<Tick['apply']>['streams'],
  arrivedMs: number,
): Promise<void> {
  const ends = reports.flatMap(({ stream, lastOffset: end }) => (end === undefined ? [] : [{ stream, end }]));
  if (ends.length === 0) return;
  const beyond = await placesBeyond(ctx.database, ends);
  const { beyondEnd } = governorMemory(ctx);
  const times = { arrivedMs, readMs: ctx.clock.monotonic() };
  for (const { stream } of ends) {
    const there = beyond.filter((place) => place.stream === stream);
    const [lost] = beyondEnd.lost(stream, there, times);
    if (lost === undefined) continue;
    const { pipeline_id: pipelineId, marker, stands } = lost;
    ctx.log.warn({ pipelineId, stream, marker, stands }, 'a stream has lost its end');
    await failLost(ctx, { pipelineId, stream, loss: { of: 'end', marker, stands } });
  }
}

/** Markers that are neither there nor applied before they were lost; and positions that are not there, where something is being published. */
async function placesBeyond(database: Database, ends: readonly StreamEnd[]): Promise<readonly PlaceBeyond[]> {
  const told = sql`jsonb_to_recordset(${JSON.stringify(ends)}::jsonb) as x(stream text, "end" text)
    on x.stream = case p.route when 'shared' then p.live_stream else p.replay_stream end`;
  const { rows } = await database.execute<PlaceBeyond & Record<string, unknown>>(sql`
    select p.id as pipeline_id, x.stream, r.marker_offset as marker,
      coalesce(s.position collate "C" > coalesce(x."end", '') collate "C", false) as stands
    from runs r
      join backfills b on b.id = r.backfill_id join pipelines p on p.id = b.pipeline_id
      join ${told}
      left join positions s on s.stream = x.stream
    where r.state = 'published' and ${unfinished}
      and r.marker_offset collate "C" > coalesce(x."end", '') collate "C"
      and (s.position is null or r.marker_offset collate "C" > s.position collate "C")
    union all
    select p.id, x.stream, s.position, true
    from pipelines p join ${told} join positions s on s.stream = x.stream
    where s.position collate "C" > coalesce(x."end", '') collate "C"
      and exists (select 1 from runs r join backfills b on b.id = r.backfill_id where b.pipeline_id = p.id and ${unfinished} and ${atRisk})
    order by stands desc, marker desc`);
  return rows;
}
