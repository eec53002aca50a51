import type { Backfill, Effective, Limits } from '@spillway/shared/api/backfill';
import { etaSeconds, percentDone } from '@spillway/shared/backfill/progress';
import { activeStates, allowedVerbs } from '@spillway/shared/backfill/state-machine';
import { formatDuration } from '@spillway/shared/time/duration';
import { sql } from 'drizzle-orm';
import type { Actor, ControlContext } from '../context.ts';
import { backfillCost } from '../cost/backfill-cost.ts';
import type { Database, Transaction } from '../database/database.ts';
import { backfills, holds, lanes, metered, pipelines, runs } from '../database/schema.ts';
import { governorMemory } from '../governor/memory.ts';
import { type EstimatedRecord, estimatedEvents } from './estimated-events.ts';
import { eventsDone, eventsHandled } from './events-done.ts';
import type { BackfillRow } from './transition.ts';

/** A row with what belongs to it, read in one statement. */
export interface BackfillRecord extends EstimatedRecord {
  readonly sourceIds: readonly string[];
  readonly holds: readonly {
    readonly reason: Backfill['holds'][number]['reason'];
    readonly detail: string | null;
    readonly by: string;
    readonly at: string;
  }[];
  /** Rows the readers could not parse. */
  readonly quarantinedByReaders: number;
  /** Use that was moved out of the meter; null: what there is, is in it. */
  readonly meteredUsage: string | null;
  /** Of the runs that have failed and have got no further since, the one that has most often. A proof that is at work again begins at the beginning. */
  readonly failing: {
    readonly sourceId: string;
    readonly failures: number;
    readonly failure: NonNullable<Backfill['failure']>;
  } | null;
}

/**
 * A select of {@link BackfillRecord}s, to be narrowed by `where` and ordered. Drizzle writes a column of the only table without the table's
 * name, which inside a subquery is a column of the subquery's own table where that has one of the name: `${backfills}.id` is meant.
 */
export function selectRecords(database: Database | Transaction) {
  return database
    .select({
      row: backfills,
      sourceIds: sql<
        string[]
      >`(select json_agg(l.source_id order by l.source_id) from ${lanes} l where l.backfill_id = ${backfills}.id)`,
      holds: sql<
        BackfillRecord['holds']
      >`(select coalesce(json_agg(json_build_object('reason', h.reason, 'detail', h.detail, 'by', h.by, 'at', h.at) order by h.at), '[]') from ${holds} h where h.backfill_id = ${backfills}.id)`,
      quarantinedByReaders: sql<number>`(select coalesce(sum(r.quarantined), 0)::float8 from ${runs} r where r.backfill_id = ${backfills}.id)`,
      subwindowsHandedOut: sql<number>`(select coalesce(sum(l.next_index), 0)::float8 from ${lanes} l where l.backfill_id = ${backfills}.id)`,
      meteredUsage: sql<
        string | null
      >`(select m.usage from ${metered} m where m.backfill_id = ${backfills}.id)`,
      failing: sql<
        BackfillRecord['failing']
      >`(select json_build_object('sourceId', r.source_id, 'failures', r.failures, 'failure', r.failure) from ${runs} r
        where r.backfill_id = ${backfills}.id and (r.state = 'pending' or r.state = 'leased' and r.kind = 'replay') and r.failures > 0 and r.failure is not null order by r.failures desc, r.id limit 1)`,
      external: sql<boolean>`exists (select 1 from ${pipelines} p where p.id = ${backfills}.pipeline_id and p.external is not null)`,
    })
    .from(backfills)
    .$dynamic();
}

export function mayOperate(actor: Actor): boolean {
  return actor.role === 'operator' || actor.role === 'admin';
}

const nothing: Effective = { eventsPerSecond: 0, binding: null, ceilings: [] };

/**
 * What an attempt published after its last report is told by nobody when its lease is lost, but the store has taken it. Not written back: a report that
 * is only late would be counted a second time.
 */
function publishedAtLeast({
  eventsPublished,
  eventsApplied,
  eventsDuplicate,
  eventsQuarantined,
}: BackfillRecord['row']): number {
  return Math.max(eventsPublished, eventsApplied + eventsDuplicate + eventsQuarantined);
}

/** The meters of their pipelines are loaded (`loadMeters`). */
export function toResource(ctx: ControlContext, record: BackfillRecord, operates: boolean): Backfill {
  const { row } = record;
  const rates = activeStates.includes(row.state)
    ? ctx.telemetry.rates(row.id)
    : { publishedEventsPerSecond: null, appliedEventsPerSecond: null };
  const effective = row.endedAt === null ? (governorMemory(ctx).decisions.get(row.id) ?? nothing) : nothing;
  const estimated = estimatedEvents(record);
  const applied = record.external
    ? { eventsApplied: null, eventsDuplicate: null }
    : { eventsApplied: row.eventsApplied, eventsDuplicate: row.eventsDuplicate };
  const done = eventsDone(row, record.external);
  const numbers = {
    ...row,
    eventsDone: record.external ? null : done,
    eventsHandled: eventsHandled(row, record.external),
    eventsEstimated: estimated,
    appliedEventsPerSecond: rates.appliedEventsPerSecond,
    effectiveEventsPerSecond: effective.eventsPerSecond,
    runSeconds: row.startedAt === null ? null : (ctx.clock.now() - row.startedAt.getTime()) / 1000,
  };
  return {
    id: row.id,
    pipelineId: row.pipelineId,
    sourceIds: [...record.sourceIds],
    window: { from: iso(row.windowFrom), to: iso(row.windowTo) },
    requestedWindow: { from: iso(row.requestedFrom), to: iso(row.requestedTo) },
    subwindow: formatDuration(row.subwindowMs),
    mode: row.mode as Backfill['mode'],
    priority: row.priority,
    limits: limitsOf(row),
    isolated: row.isolated,
    reason: row.reason,
    state: row.state,
    origin: row.origin,
    version: row.dataset,
    progress: {
      subwindowsTotal: row.subwindowsTotal,
      subwindowsDone: row.subwindowsDone,
      eventsExpected: row.eventsExpected,
      eventsEstimated: estimated,
      eventsDone: done,
      eventsRead: row.eventsRead,
      eventsPublished: publishedAtLeast(row),
      ...applied,
      eventsQuarantined: row.eventsQuarantined + record.quarantinedByReaders,
      percent: percentDone(numbers),
      etaSeconds: etaSeconds(numbers),
      ...rates,
    },
    effective,
    cost: backfillCost(ctx, record),
    holds: record.holds.map((hold) => ({ ...hold, at: new Date(hold.at).toISOString() })),
    notBefore: row.notBefore?.toISOString() ?? null,
    warnings: [...row.warnings, ...failingWarnings(record)],
    verification: {
      state: row.verificationState as Backfill['verification']['state'],
      bucketsChecked: row.bucketsChecked,
      bucketsMatched: row.bucketsMatched,
      eventsChecked: row.eventsChecked,
      detail: row.verificationDetail,
      mismatches: row.mismatches as Backfill['verification']['mismatches'],
    },
    failure: row.failure,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    endedAt: row.endedAt?.toISOString() ?? null,
    revision: row.revision,
    allowedActions: allowedVerbs({ state: row.state, holds: record.holds }, operates),
  };
}

/** Code of the warning. */
export const TRIED_AGAIN = 'tried_again';

/** Why nothing moves, while it may still pass. */
function failingWarnings({ row, failing }: BackfillRecord): Backfill['warnings'] {
  if (failing === null || (row.state !== 'running' && row.state !== 'verifying')) return [];
  const { sourceId, failures, failure } = failing;
  const times = failures === 1 ? 'once' : `${failures} times in a row`;
  return [
    {
      code: TRIED_AGAIN,
      detail: `Work on source ${sourceId} came to nothing ${times} and is tried again by itself: ${failure.detail} (${failure.code}).`,
    },
  ];
}

export function limitsOf(row: BackfillRow): Limits {
  return {
    eventsPerSecond: row.eventsPerSecondLimit,
    share: row.shareLimit,
    concurrency: row.concurrency,
    budget:
      row.budgetAmount === null || row.budgetCurrency === null
        ? null
        : { amount: row.budgetAmount, currency: row.budgetCurrency },
  };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
