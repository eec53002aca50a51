/** What is configured: pipelines, where their history comes from, and what else is measured of them. */

import type { ExternalDefinition } from '@spillway/shared/api/external';
import type { SignalTargets } from '@spillway/shared/api/governor';
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  text,
} from 'drizzle-orm/pg-core';
import { bytes, eventTime, instant, oneOf } from './columns.ts';

export const pipelines = pgTable(
  'pipelines',
  {
    id: text('id').primaryKey(),
    title: text('title').notNull(),
    capacityEventsPerSecond: doublePrecision('capacity_events_per_second'),
    capacityOrigin: text('capacity_origin').notNull().default('unknown'),
    capacityMeasuredAt: instant('capacity_measured_at'),
    /** The capacity, unless another is set by hand. Null: nothing has been measured. */
    measuredEventsPerSecond: doublePrecision('measured_events_per_second'),
    replayShare: doublePrecision('replay_share').notNull(),
    maxSourcesReplaying: integer('max_sources_replaying').notNull(),
    /** Parts of capacity: what replay gets however much live needs, and what is left free beside live. */
    replayFloor: doublePrecision('replay_floor').notNull().default(0),
    headroom: doublePrecision('headroom').notNull().default(0.1),
    /** Targets of the measured signals, by name. */
    signals: jsonb('signals').$type<SignalTargets>().notNull().default({}),
    reconnectStaggerMs: integer('reconnect_stagger_ms').notNull().default(5000),
    highWaterMark: integer('high_water_mark').notNull(),
    bucketMs: integer('bucket_ms').notNull(),
    allowedLatenessMs: integer('allowed_lateness_ms').notNull(),
    eventRetentionMs: bigint('event_retention_ms', { mode: 'number' }).notNull(),
    route: text('route').notNull().default('separate'),
    routeDecision: text('route_decision').notNull(),
    liveStream: text('live_stream').notNull(),
    replayStream: text('replay_stream').notNull(),
    /** The user's own stream, with its credentials: never shown, logged or audited as it is. Null: it is built in. */
    external: jsonb('external').$type<ExternalDefinition>(),
    /** Only the demo has one. */
    liveEventsPerSecond: integer('live_events_per_second'),
    /** Where live began, epoch ms of event time: before it, only backfills fill. Recorded before history is read. */
    liveFrom: eventTime('live_from'),
    replayPaused: boolean('replay_paused').notNull().default(false),
    revision: integer('revision').notNull().default(1),
    createdAt: instant('created_at').notNull().defaultNow(),
    /**
     * Its row stays for what is proof of it: finished backfills, the price books that they are priced by, drills, alerts. It gives up its id for another
     * (pipelines/removed-id.ts), which all that refers to it follows. Null: it has not been removed.
     */
    removedAt: instant('removed_at'),
  },
  (t) => [
    check('pipelines_replay_share_in_range', sql`${t.replayShare} between 0 and 1`),
    check(
      'pipelines_floor_within_share',
      sql`${t.replayFloor} between 0 and 1 and ${t.replayFloor} <= ${t.replayShare}`,
    ),
    check('pipelines_headroom_in_range', sql`${t.headroom} between 0 and 1`),
    check('pipelines_stagger_not_negative', sql`${t.reconnectStaggerMs} >= 0`),
    check('pipelines_capacity_positive', sql`${t.capacityEventsPerSecond} > 0`),
    check('pipelines_measured_positive', sql`${t.measuredEventsPerSecond} > 0`),
    check(
      'pipelines_capacity_known_when_measured',
      sql`(${t.capacityOrigin} = 'unknown') = (${t.capacityEventsPerSecond} is null)`,
    ),
    check('pipelines_slots_positive', sql`${t.maxSourcesReplaying} >= 1`),
    check('pipelines_id_given_up_when_removed', sql`(${t.removedAt} is not null) = (${t.id} like '%~%')`),
    check('pipelines_live_rate_in_range', sql`${t.liveEventsPerSecond} between 0 and 5000`),
    check('pipelines_route_known', oneOf('route', ['separate', 'shared'])),
    check(
      'pipelines_capacity_origin_known',
      oneOf('capacity_origin', ['unknown', 'calibrated', 'refined', 'set_by_hand']),
    ),
  ],
);

export const sources = pgTable(
  'sources',
  {
    id: text('id').primaryKey(),
    pipelineId: text('pipeline_id')
      .notNull()
      .references(() => pipelines.id),
    title: text('title').notNull(),
    connector: text('connector').notNull(),
    config: jsonb('config').notNull(),
    revision: integer('revision').notNull().default(1),
    /** Its events come on the live stream, too. */
    live: boolean('live').notNull().default(true),
    state: text('state').notNull().default('connected'),
    failure: jsonb('failure').$type<{ code: string; detail: string; address: string | null }>(),
    /** Of the outage under way, event time. */
    disconnectedAt: eventTime('disconnected_at'),
    rangeFrom: eventTime('range_from'),
    rangeTo: eventTime('range_to'),
    /** Retention has removed what it held before; null: nothing, as far as is known. */
    wholeFrom: eventTime('whole_from'),
    /** Statistics: exact counts per step, gzip'd little-endian Uint32. */
    fingerprint: text('fingerprint'),
    countedAt: instant('counted_at'),
    countFrom: eventTime('count_from'),
    countStepMs: integer('count_step_ms'),
    counts: bytes('counts'),
    /** From the source's own statistics and a sample. */
    countsEstimated: boolean('counts_estimated').notNull().default(false),
    /** Rows that are no events. Null: unknown, as of what is estimated, and of what was counted before this was. */
    rowsQuarantined: bigint('rows_quarantined', { mode: 'number' }),
    lapSpanMs: bigint('lap_span_ms', { mode: 'number' }),
    laps: integer('laps'),
  },
  (t) => [
    index('sources_by_pipeline').on(t.pipelineId),
    check('sources_state_known', oneOf('state', ['connected', 'disconnected', 'failed'])),
    check('sources_quarantined_not_negative', sql`${t.rowsQuarantined} >= 0`),
    check('sources_range_ordered', sql`${t.rangeFrom} < ${t.rangeTo}`),
  ],
);

/** Signals that admins define: one number each, read by the api. */
export const probes = pgTable(
  'probes',
  {
    id: text('id').primaryKey(),
    pipelineId: text('pipeline_id')
      .notNull()
      .references(() => pipelines.id),
    title: text('title').notNull(),
    kind: text('kind').$type<'sql' | 'promql' | 'http_json'>().notNull(),
    /** With its credentials: never shown, logged or audited as it is. */
    url: text('url').notNull(),
    query: text('query'),
    pointer: text('pointer'),
    target: doublePrecision('target'),
    worseWhen: text('worse_when').$type<'above' | 'below'>().notNull(),
    failMode: text('fail_mode').$type<'bad' | 'ignore'>().notNull(),
    intervalMs: integer('interval_ms').notNull(),
    timeoutMs: integer('timeout_ms').notNull(),
    /** Why it is never to be tried again, in a sentence; null: it may be. */
    suspendedWhy: text('suspended_why'),
    createdBy: text('created_by').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [
    index('probes_by_pipeline').on(t.pipelineId),
    check('probes_kind_known', oneOf('kind', ['sql', 'promql', 'http_json'])),
    check('probes_worse_when_known', oneOf('worse_when', ['above', 'below'])),
    check('probes_fail_mode_known', oneOf('fail_mode', ['bad', 'ignore'])),
    check('probes_target_positive', sql`${t.target} > 0`),
    check('probes_times_positive', sql`${t.intervalMs} > 0 and ${t.timeoutMs} > 0`),
  ],
);
