import type { BackfillState } from '@spillway/shared/backfill/state-machine';
import { sql } from 'drizzle-orm';
import type { EventCounts } from '../backfill/events-done.ts';
import type { ControlContext } from '../context.ts';
import { replayWorkers } from '../workers/membership.ts';

/** An unfinished backfill as the governor sees it, with its pipeline. */
export interface Governed extends EventCounts {
  readonly id: string;
  readonly pipelineId: string;
  readonly state: BackfillState;
  readonly origin: 'operator' | 'automation' | 'reconnect';
  readonly priority: number;
  readonly ordinal: number;
  readonly concurrency: number;
  readonly eventsPerSecondLimit: number | null;
  readonly shareLimit: number | null;
  /** Decimal string; null: no budget. */
  readonly budgetAmount: string | null;
  readonly priceBookVersion: number | null;
  /** It has been warned that its budget is nearly spent. */
  readonly budgetNear: boolean;
  /** It has a price book, and what it will cost has not been told. */
  readonly lacksEstimate: boolean;
  readonly subwindowsDone: number;
  readonly subwindowsTotal: number;
  /** Its store is not ours: nothing of it is proved. */
  readonly external: boolean;
  /** Of an external pipeline: what it publishes to. */
  readonly externalStream: string | null;
  /** Changes when its progress does. */
  readonly progressMark: string;
  readonly capacityEventsPerSecond: number | null;
  readonly replayShare: number;
  readonly maxSourcesReplaying: number;
  readonly replayPaused: boolean;
  readonly holds: readonly string[];
  /** Its part of the stagger is not over. */
  readonly staggered: boolean;
  /** Read by isolated workers alone. */
  readonly isolated: boolean;
  /** Replay workers at work that may read for it. */
  readonly replayWorkers: number;
  readonly lanes: readonly {
    readonly sourceId: string;
    readonly slotHeld: boolean;
    readonly verified: boolean;
    readonly done: boolean;
    /** Nothing of it is left to be begun, or nothing may be while one of its runs fails. */
    readonly nothingNew: boolean;
  }[];
  readonly leases: readonly {
    readonly id: string;
    readonly kind: 'replay' | 'verify';
    readonly workerId: string;
  }[];
  /** Given back, and may be handed out now: none that waits after a failure. */
  readonly readyRuns: number;
  /** After a failure. */
  readonly waitingRuns: number;
  readonly failedRuns: number;
  readonly openThrottles: readonly string[];
}

/** One statement: the governor reads four times a second. */
export async function readGoverned(ctx: ControlContext): Promise<Governed[]> {
  const { rows } = await ctx.database.execute<{ governed: Omit<Governed, 'replayWorkers'> }>(sql`
    select json_build_object(
      'id', b.id, 'pipelineId', b.pipeline_id, 'state', b.state, 'origin', b.origin, 'priority', b.priority, 'ordinal', b.ordinal, 'concurrency', b.concurrency,
      'eventsPerSecondLimit', b.events_per_second_limit, 'shareLimit', b.share_limit,
      'budgetAmount', b.budget_amount, 'priceBookVersion', b.price_book_version, 'budgetNear', b.warnings @> '[{"code":"budget_near"}]'::jsonb,
      'lacksEstimate', b.price_book_version is not null and coalesce(b.estimate->'cost', 'null') = 'null',
      'subwindowsDone', b.subwindows_done, 'subwindowsTotal', b.subwindows_total, 'eventsPublished', b.events_published,
      'eventsApplied', b.events_applied, 'eventsDuplicate', b.events_duplicate, 'eventsQuarantined', b.events_quarantined, 'eventsAgain', b.events_again,
      'external', p.external is not null, 'externalStream', case when p.external is not null then p.replay_stream end,
      'progressMark', concat_ws(' ', b.subwindows_done, b.events_read, b.events_published, b.events_applied, b.events_duplicate, b.events_quarantined, b.events_checked),
      'capacityEventsPerSecond', p.capacity_events_per_second, 'replayShare', p.replay_share, 'maxSourcesReplaying', p.max_sources_replaying, 'replayPaused', p.replay_paused,
      'staggered', coalesce(b.not_before > now(), false), 'isolated', b.isolated,
      'holds', (select coalesce(json_agg(h.reason order by h.reason), '[]') from holds h where h.backfill_id = b.id),
      'lanes', (select coalesce(json_agg(json_build_object('sourceId', l.source_id, 'slotHeld', l.slot_held, 'verified', l.verified, 'nothingNew', l.next_index = l.subwindows
            or exists (select 1 from runs f where f.backfill_id = l.backfill_id and f.source_id = l.source_id and f.state in ('pending', 'leased') and f.failures > 0),
          'done', exists (select 1 from runs d where d.backfill_id = l.backfill_id and d.source_id = l.source_id and d.kind = 'replay' and d.state = 'done'
            and d.from_index = 0 and d.to_index = l.subwindows))), '[]')
        from lanes l where l.backfill_id = b.id),
      'leases', (select coalesce(json_agg(json_build_object('id', r.id, 'kind', r.kind, 'workerId', r.worker_id)), '[]') from runs r where r.backfill_id = b.id and r.state = 'leased'),
      'readyRuns', (select count(*) from runs r join lanes l on l.backfill_id = r.backfill_id and l.source_id = r.source_id
        where r.backfill_id = b.id and r.state = 'pending' and l.slot_held and (r.retry_at is null or r.retry_at <= now())),
      'waitingRuns', (select count(*) from runs r where r.backfill_id = b.id and r.state = 'pending' and r.retry_at > now()),
      'failedRuns', (select count(*) from runs r where r.backfill_id = b.id and r.state = 'failed'),
      'openThrottles', (select coalesce(json_agg(c.id), '[]') from commands c where c.backfill_id = b.id and c.verb = 'throttle' and c.effective_at is null)
    ) as governed
    from backfills b join pipelines p on p.id = b.pipeline_id
    where b.state in ('queued', 'running', 'pausing', 'paused', 'verifying', 'cancelling')
    order by b.ordinal`);
  // Four times a second, of however many wait: once for each stream.
  const streams = new Set(rows.map(({ governed }) => governed.externalStream));
  const workers = new Map([...streams].map((stream) => [stream, replayWorkers(ctx, stream)]));
  return rows.map(({ governed }) => {
    const { all = 0, isolated = 0 } = workers.get(governed.externalStream) ?? {};
    return { ...governed, replayWorkers: governed.isolated ? isolated : all };
  });
}
