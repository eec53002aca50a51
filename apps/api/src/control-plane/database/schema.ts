/**
 * The control database: jobs, leases, receipts, rights and what was measured. No event ever comes here.
 *
 * The named CHECKs make impossible rows impossible, whoever writes them. States mirror the transition table of
 * `@spillway/shared/backfill/state-machine`.
 */
import type { Limits } from '@spillway/shared/api/backfill';
import type { PriceBook } from '@spillway/shared/api/cost';
import type { ExternalDefinition } from '@spillway/shared/api/external';
import type { AlertCode, Drill, SignalTargets } from '@spillway/shared/api/governor';
import type { WebhookAttempt } from '@spillway/shared/api/webhook';
import type { WorkerTag } from '@spillway/shared/api/worker-protocol';
import { backfillStates, finalStates } from '@spillway/shared/backfill/state-machine';
import type { QuoteBasis, QuotedRequest } from '@spillway/shared/quote/drift';
import type { Estimate } from '@spillway/shared/quote/estimate';
import type { Snapshot } from '@spillway/shared/telemetry/snapshot';
import type { WebhookEvent } from '@spillway/shared/webhooks/events';
import { sql } from 'drizzle-orm';
import {
  bigint,
  bigserial,
  boolean,
  check,
  customType,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgSequence,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
} from 'drizzle-orm/pg-core';

const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });
const eventTime = (name: string) => bigint(name, { mode: 'number' }); // epoch ms UTC
const bytes = customType<{ data: Uint8Array; driverData: Buffer }>({
  dataType: () => 'bytea',
  toDriver: (value) => Buffer.from(value),
});
const oneOf = (column: string, values: readonly string[]) =>
  sql.raw(`${column} in (${values.map((value) => `'${value}'`).join(', ')})`);

/** Rises on every grant of a lease, over all backfills: a higher token is always the newer grant. */
export const fencingTokens = pgSequence('fencing_tokens');

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
    /** Statistics: exact counts per step, gzip'd little-endian Uint32. */
    fingerprint: text('fingerprint'),
    countedAt: instant('counted_at'),
    countFrom: eventTime('count_from'),
    countStepMs: integer('count_step_ms'),
    counts: bytes('counts'),
    /** From the source's own statistics and a sample. */
    countsEstimated: boolean('counts_estimated').notNull().default(false),
    lapSpanMs: bigint('lap_span_ms', { mode: 'number' }),
    laps: integer('laps'),
  },
  (t) => [
    index('sources_by_pipeline').on(t.pipelineId),
    check('sources_state_known', oneOf('state', ['connected', 'disconnected', 'failed'])),
    check('sources_range_ordered', sql`${t.rangeFrom} < ${t.rangeTo}`),
  ],
);

export const backfills = pgTable(
  'backfills',
  {
    id: text('id').primaryKey(),
    /** Order of creation, for paging. */
    ordinal: bigserial('ordinal', { mode: 'number' }).notNull(),
    pipelineId: text('pipeline_id')
      .notNull()
      .references(() => pipelines.id),
    windowFrom: eventTime('window_from').notNull(),
    windowTo: eventTime('window_to').notNull(),
    requestedFrom: eventTime('requested_from').notNull(),
    requestedTo: eventTime('requested_to').notNull(),
    subwindowMs: bigint('subwindow_ms', { mode: 'number' }).notNull(),
    mode: text('mode').notNull().default('fill'),
    dataset: integer('dataset').notNull().default(1),
    priority: integer('priority').notNull().default(0),
    eventsPerSecondLimit: doublePrecision('events_per_second_limit'),
    shareLimit: doublePrecision('share_limit'),
    concurrency: integer('concurrency').notNull(),
    budgetAmount: text('budget_amount'),
    budgetCurrency: text('budget_currency'),
    /** Of the price book in force when it was made: it is priced by that one to its end. Null: there was none. */
    priceBookVersion: integer('price_book_version'),
    /** Its runs are handed out to workers tagged isolated alone. */
    isolated: boolean('isolated').notNull().default(false),
    reason: text('reason'),
    state: text('state').$type<(typeof backfillStates)[number]>().notNull().default('queued'),
    origin: text('origin').$type<'operator' | 'automation' | 'reconnect'>().notNull(),
    warnings: jsonb('warnings').$type<{ code: string; detail: string }[]>().notNull().default([]),
    /** As quoted at the start, or made since; null: started without a price book. */
    estimate: jsonb('estimate').$type<Estimate>(),
    eventsExpected: bigint('events_expected', { mode: 'number' }),
    subwindowsTotal: bigint('subwindows_total', { mode: 'number' }).notNull(),
    subwindowsDone: bigint('subwindows_done', { mode: 'number' }).notNull().default(0),
    /** Sums over all attempts; a lease's share moves by the difference to its last report. */
    eventsRead: bigint('events_read', { mode: 'number' }).notNull().default(0),
    eventsPublished: bigint('events_published', { mode: 'number' }).notNull().default(0),
    /** Most entries on its stream after one of its appends, others' among them; 0: none was made. */
    streamPeak: bigint('stream_peak', { mode: 'number' }).notNull().default(0),
    /** Absolute, as the store counts them. */
    eventsApplied: bigint('events_applied', { mode: 'number' }).notNull().default(0),
    eventsDuplicate: bigint('events_duplicate', { mode: 'number' }).notNull().default(0),
    eventsQuarantined: bigint('events_quarantined', { mode: 'number' }).notNull().default(0),
    /** Handled, and to be handled again (or they have been): set by a retry. */
    eventsAgain: bigint('events_again', { mode: 'number' }).notNull().default(0),
    verificationState: text('verification_state').notNull().default('pending'),
    bucketsChecked: bigint('buckets_checked', { mode: 'number' }).notNull().default(0),
    bucketsMatched: bigint('buckets_matched', { mode: 'number' }).notNull().default(0),
    eventsChecked: bigint('events_checked', { mode: 'number' }).notNull().default(0),
    verificationDetail: text('verification_detail'),
    mismatches: jsonb('mismatches').$type<unknown[]>().notNull().default([]),
    failure: jsonb('failure').$type<{ code: string; detail: string; address: string | null }>(),
    /** A reconnect's part of the stagger: not started before. */
    notBefore: instant('not_before'),
    createdBy: text('created_by').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    startedAt: instant('started_at'),
    endedAt: instant('ended_at'),
    revision: integer('revision').notNull().default(1),
  },
  (t) => [
    uniqueIndex('backfills_by_ordinal').on(t.ordinal),
    index('backfills_by_state').on(t.state),
    check('backfills_state_known', oneOf('state', backfillStates)),
    check('backfills_window_ordered', sql`${t.windowFrom} < ${t.windowTo}`),
    check(
      'backfills_window_inside_request',
      sql`${t.windowFrom} >= ${t.requestedFrom} and ${t.windowTo} <= ${t.requestedTo}`,
    ),
    check('backfills_subwindow_positive', sql`${t.subwindowMs} > 0`),
    check(
      'backfills_ended_when_final',
      sql.raw(
        `(ended_at is not null) = (state in (${[...finalStates, 'failed'].map((s) => `'${s}'`).join(', ')}))`,
      ),
    ),
    check(
      'backfills_started_before_running',
      sql`${t.state} not in ('running', 'verifying', 'completed') or ${t.startedAt} is not null`,
    ),
    check('backfills_progress_within_total', sql`${t.subwindowsDone} between 0 and ${t.subwindowsTotal}`),
    check(
      'backfills_completed_is_proved',
      sql`${t.state} <> 'completed' or ${t.verificationState} in ('matched', 'unavailable')`,
    ),
    check('backfills_again_not_negative', sql`${t.eventsAgain} >= 0`),
    check('backfills_rate_not_negative', sql`${t.eventsPerSecondLimit} >= 0`),
    check('backfills_share_in_range', sql`${t.shareLimit} between 0 and 1`),
    check('backfills_concurrency_positive', sql`${t.concurrency} >= 1`),
    check('backfills_mode_known', oneOf('mode', ['fill', 'rebuild'])),
    check(
      'backfills_verification_known',
      oneOf('verification_state', ['pending', 'running', 'matched', 'mismatched', 'unavailable']),
    ),
  ],
);

/**
 * What a feed left out of live, event time, half-open. Open while `gap_to` is null; known to its full extent, it has a backfill, and
 * several of one source share one while it has not been started. A bucket it touches is not final until that backfill has ended.
 */
export const gaps = pgTable(
  'gaps',
  {
    id: text('id').primaryKey(),
    sourceId: text('source_id')
      .notNull()
      .references(() => sources.id),
    gapFrom: eventTime('gap_from').notNull(),
    /** False while `gap_from` is only where the feed was last heard of; once known, it is never raised. */
    fromKnown: boolean('from_known').notNull(),
    gapTo: eventTime('gap_to'),
    backfillId: text('backfill_id').references(() => backfills.id),
    disconnectedBy: text('disconnected_by').notNull(),
    disconnectedAt: instant('disconnected_at').notNull().defaultNow(),
    reconnectedBy: text('reconnected_by'),
    reconnectedAt: instant('reconnected_at'),
  },
  (t) => [
    uniqueIndex('gaps_one_outage_a_source').on(t.sourceId).where(sql`reconnected_at is null`),
    index('gaps_by_source').on(t.sourceId, t.gapFrom),
    check('gaps_range_ordered', sql`${t.gapFrom} <= ${t.gapTo}`),
    check('gaps_filled_when_known', sql`${t.backfillId} is null or ${t.gapTo} is not null`),
  ],
);

/** One source of one backfill. Everything before `nextIndex` has been handed out; what of it is not done stands in `runs`. */
export const lanes = pgTable(
  'lanes',
  {
    backfillId: text('backfill_id')
      .notNull()
      .references(() => backfills.id),
    /** Of a source that may have been removed since the backfill has ended. */
    sourceId: text('source_id').notNull(),
    /** What this source holds of the window: `[laneFrom, laneTo)`, cut into subwindows from `laneFrom` on. */
    laneFrom: eventTime('lane_from').notNull(),
    laneTo: eventTime('lane_to').notNull(),
    subwindows: bigint('subwindows', { mode: 'number' }).notNull(),
    nextIndex: bigint('next_index', { mode: 'number' }).notNull().default(0),
    /** Holds one of the pipeline's source slots, from running through verifying, and not while paused. */
    slotHeld: boolean('slot_held').notNull().default(false),
    verified: boolean('verified').notNull().default(false),
  },
  (t) => [
    primaryKey({ columns: [t.backfillId, t.sourceId] }),
    check('lanes_next_within', sql`${t.nextIndex} between 0 and ${t.subwindows}`),
    check('lanes_range_ordered', sql`${t.laneFrom} < ${t.laneTo}`),
  ],
);

/**
 * A run: neighbouring subwindows of one lane in the same state. Made when handed out, merged with its neighbours when done, so
 * a lane has a handful of rows however many subwindows it has.
 */
export const runs = pgTable(
  'runs',
  {
    id: text('id').primaryKey(),
    kind: text('kind').$type<'replay' | 'verify'>().notNull().default('replay'),
    backfillId: text('backfill_id').notNull(),
    sourceId: text('source_id').notNull(),
    fromIndex: bigint('from_index', { mode: 'number' }).notNull(),
    toIndex: bigint('to_index', { mode: 'number' }).notNull(),
    /** pending: given back, to be handed out again before anything new. */
    state: text('state').$type<'pending' | 'leased' | 'published' | 'done' | 'failed'>().notNull(),
    attempt: integer('attempt').notNull().default(0),
    /** Attempts that ended in a failure; lost leases and pauses do not count. */
    failures: integer('failures').notNull().default(0),
    /** After a failure: not before. */
    retryAt: instant('retry_at'),
    workerId: text('worker_id'),
    fencingToken: bigint('fencing_token', { mode: 'number' }),
    leaseExpiresAt: instant('lease_expires_at'),
    /** Checkpoint: durable on the stream up to here. */
    cursor: text('cursor'),
    read: bigint('read', { mode: 'number' }).notNull().default(0),
    published: bigint('published', { mode: 'number' }).notNull().default(0),
    quarantined: bigint('quarantined', { mode: 'number' }).notNull().default(0),
    bucketsChecked: bigint('buckets_checked', { mode: 'number' }).notNull().default(0),
    bucketsMatched: bigint('buckets_matched', { mode: 'number' }).notNull().default(0),
    eventsChecked: bigint('events_checked', { mode: 'number' }).notNull().default(0),
    /** Where the marker of the current token lies: done when the committed position has passed it. */
    markerOffset: text('marker_offset'),
    failure: jsonb('failure').$type<{ code: string; detail: string; address: string | null }>(),
  },
  (t) => [
    index('runs_by_lane').on(t.backfillId, t.sourceId, t.fromIndex),
    index('runs_by_state').on(t.state),
    check('runs_range_ordered', sql`${t.fromIndex} < ${t.toIndex}`),
    check('runs_state_known', oneOf('state', ['pending', 'leased', 'published', 'done', 'failed'])),
    check(
      'runs_leased_has_owner',
      sql`(${t.state} = 'leased') = (${t.workerId} is not null and ${t.leaseExpiresAt} is not null)`,
    ),
    check(
      'runs_leased_has_token',
      sql`${t.state} not in ('leased', 'published') or ${t.fencingToken} is not null`,
    ),
    check('runs_published_has_marker', sql`${t.state} <> 'published' or ${t.markerOffset} is not null`),
  ],
);

/** Why a backfill is paused. It runs again when the last one is lifted; lifting one lifts only that one. */
export const holds = pgTable(
  'holds',
  {
    backfillId: text('backfill_id')
      .notNull()
      .references(() => backfills.id),
    reason: text('reason').$type<'operator' | 'budget' | 'brake' | 'storm'>().notNull(),
    detail: text('detail'),
    by: text('by').notNull(),
    at: instant('at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.backfillId, t.reason] }),
    check('holds_reason_known', oneOf('reason', ['operator', 'budget', 'brake', 'storm'])),
  ],
);

export const quarantine = pgTable(
  'quarantine',
  {
    backfillId: text('backfill_id').notNull(),
    sourceId: text('source_id').notNull(),
    address: text('address').notNull(),
    code: text('code').notNull(),
    detail: text('detail').notNull(),
    at: instant('at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.backfillId, t.sourceId, t.address] })],
);

export const commands = pgTable(
  'commands',
  {
    id: text('id').primaryKey(),
    verb: text('verb').notNull(),
    pipelineId: text('pipeline_id'),
    backfillId: text('backfill_id'),
    requestedAt: instant('requested_at').notNull().defaultNow(),
    acknowledgedAt: instant('acknowledged_at'),
    effectiveAt: instant('effective_at'),
  },
  (t) => [
    index('commands_open').on(t.backfillId).where(sql`effective_at is null`),
    check(
      'commands_in_order',
      sql`${t.acknowledgedAt} >= ${t.requestedAt} and ${t.effectiveAt} >= ${t.acknowledgedAt}`,
    ),
  ],
);

export const workers = pgTable(
  'workers',
  {
    id: text('id').primaryKey(),
    role: text('role').$type<'replay' | 'apply' | 'feed'>().notNull(),
    pid: integer('pid').notNull(),
    host: text('host').notNull(),
    version: text('version').notNull(),
    tags: jsonb('tags').$type<WorkerTag[]>().notNull().default([]),
    /** Null: not a replay worker. */
    leasesMax: integer('leases_max'),
    standby: boolean('standby').notNull().default(false),
    joinedAt: instant('joined_at').notNull().defaultNow(),
    lastTickAt: instant('last_tick_at').notNull().defaultNow(),
    leftAt: instant('left_at'),
    rssBytes: bigint('rss_bytes', { mode: 'number' }),
  },
  () => [check('workers_role_known', oneOf('role', ['replay', 'apply', 'feed']))],
);

/** Committed positions of the streams, as the apply worker last reported them. */
export const positions = pgTable('positions', {
  stream: text('stream').primaryKey(),
  position: text('position').notNull(),
  reportedAt: instant('reported_at').notNull().defaultNow(),
});

/** Seconds lost to each throttle reason. */
export const ledger = pgTable(
  'ledger',
  {
    backfillId: text('backfill_id')
      .notNull()
      .references(() => backfills.id),
    reason: text('reason').notNull(),
    seconds: doublePrecision('seconds').notNull().default(0),
  },
  (t) => [
    primaryKey({ columns: [t.backfillId, t.reason] }),
    check('ledger_not_negative', sql`${t.seconds} >= 0`),
  ],
);

/** What had been decided when the ledger was last written, of the backfills it counts for: a later process of the api counts on from there. */
export const ledgerMarks = pgTable(
  'ledger_marks',
  {
    backfillId: text('backfill_id')
      .primaryKey()
      .references(() => backfills.id),
    at: instant('at').notNull(),
    binding: text('binding'),
    eventsPerSecond: doublePrecision('events_per_second').notNull(),
  },
  (t) => [check('ledger_marks_rate_not_negative', sql`${t.eventsPerSecond} >= 0`)],
);

/** Every version is kept. */
export const priceBooks = pgTable(
  'price_books',
  {
    pipelineId: text('pipeline_id')
      .notNull()
      .references(() => pipelines.id),
    version: integer('version').notNull(),
    title: text('title').notNull(),
    currency: text('currency').notNull(),
    prices: jsonb('prices').$type<PriceBook['prices']>().notNull(),
    provisioned: jsonb('provisioned').$type<PriceBook['provisioned']>().notNull(),
    spendCounts: text('spend_counts').$type<PriceBook['spendCounts']>().notNull(),
    /** Date of the example it is, unchanged; null: somebody's own figures. */
    exampleOf: text('example_of'),
    changedBy: text('changed_by').notNull(),
    changedAt: instant('changed_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.pipelineId, t.version] }),
    check('price_books_version_positive', sql`${t.version} >= 1`),
    check('price_books_spend_known', oneOf('spend_counts', ['everything', 'overage'])),
  ],
);

/** The meter of a pipeline: state and totals are one value (`recordOfMeter`), written whole. */
export const meters = pgTable('meters', {
  pipelineId: text('pipeline_id')
    .primaryKey()
    .references(() => pipelines.id),
  state: text('state').notNull(),
  /** What has been counted of counters that outlive the processes which report them: the log, and the store's counts of rows. */
  durable: text('durable').notNull(),
  /** Rises with each write: whoever writes over another's newer one finds out. */
  revision: bigint('revision', { mode: 'number' }).notNull(),
});

/** Use of what has ended: moved out of the meter once nothing more can come. */
export const metered = pgTable('metered', {
  backfillId: text('backfill_id')
    .primaryKey()
    .references(() => backfills.id),
  /** `MeteredUsage`, bigints as decimal strings. */
  usage: text('usage').notNull(),
});

/** Completed runs, for the coefficients of later quotes (`learn`). */
export const finishedRuns = pgTable(
  'finished_runs',
  {
    backfillId: text('backfill_id')
      .primaryKey()
      .references(() => backfills.id),
    pipelineId: text('pipeline_id')
      .notNull()
      .references(() => pipelines.id),
    finishedAt: instant('finished_at').notNull(),
    events: bigint('events', { mode: 'number' }).notNull(),
    /** `Usage`, decimal strings. */
    usage: text('usage').notNull(),
    /** From start to completion, holds left out. */
    seconds: doublePrecision('seconds').notNull(),
    /** What the model says of its rate: s, and bytes × ms on the stream. */
    modelledSeconds: doublePrecision('modelled_seconds').notNull(),
    modelledStreamByteMs: doublePrecision('modelled_stream_byte_ms').notNull(),
    /** The applier's longest pause in it, as its stream's peak tells; null: that does not tell. */
    longestPauseMs: doublePrecision('longest_pause_ms'),
  },
  (t) => [
    index('finished_runs_by_pipeline').on(t.pipelineId, t.finishedAt),
    check('finished_runs_positive', sql`${t.events} >= 0 and ${t.seconds} > 0 and ${t.modelledSeconds} > 0`),
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

/** Where messages are sent to. What waits to be sent stands in `webhook_messages`. */
export const webhooks = pgTable(
  'webhooks',
  {
    id: text('id').primaryKey(),
    title: text('title').notNull(),
    /** As it was given: it may hold a token, so it is never shown, logged or audited as it is. */
    url: text('url').notNull(),
    events: jsonb('events').$type<WebhookEvent[]>().notNull(),
    enabled: boolean('enabled').notNull(),
    /** What messages are signed with, encrypted under a key made from the admin token. */
    sealedSecret: jsonb('sealed_secret').notNull(),
    createdBy: text('created_by').notNull(),
    createdAt: instant('created_at').notNull(),
    /** Rises with what an admin changes, not with deliveries. */
    revision: integer('revision').notNull().default(1),
    delivered: bigint('delivered', { mode: 'number' }).notNull().default(0),
    givenUp: bigint('given_up', { mode: 'number' }).notNull().default(0),
    /** Pushed out of the queue when it was full. */
    dropped: bigint('dropped', { mode: 'number' }).notNull().default(0),
    lastAttempt: jsonb('last_attempt').$type<WebhookAttempt>(),
  },
  (t) => [check('webhooks_counts_not_negative', sql`least(${t.delivered}, ${t.givenUp}, ${t.dropped}) >= 0`)],
);

/** The queue of each webhook: written in the transaction of what it tells of, removed when it has been delivered or given up. */
export const webhookMessages = pgTable(
  'webhook_messages',
  {
    id: text('id').primaryKey(),
    ordinal: bigserial('ordinal', { mode: 'number' }).notNull(),
    webhookId: text('webhook_id')
      .notNull()
      .references(() => webhooks.id, { onDelete: 'cascade' }),
    event: text('event').$type<WebhookAttempt['event']>().notNull(),
    /** As it is signed and sent, every time. */
    body: text('body').notNull(),
    attempts: integer('attempts').notNull().default(0),
    /** Null: it has not been tried yet. */
    nextAttemptAt: instant('next_attempt_at'),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [
    uniqueIndex('webhook_messages_by_webhook').on(t.webhookId, t.ordinal),
    check('webhook_messages_tried_when_due_again', sql`(${t.attempts} = 0) = (${t.nextAttemptAt} is null)`),
  ],
);

/** What is or was wrong. At most one raised alert for each (pipeline, code, subject, backfill). */
export const alerts = pgTable(
  'alerts',
  {
    id: text('id').primaryKey(),
    ordinal: bigserial('ordinal', { mode: 'number' }).notNull(),
    pipelineId: text('pipeline_id')
      .notNull()
      .references(() => pipelines.id),
    backfillId: text('backfill_id').references(() => backfills.id),
    code: text('code').$type<AlertCode>().notNull(),
    subject: text('subject'),
    severity: text('severity').$type<'warning' | 'critical'>().notNull(),
    detail: text('detail').notNull(),
    raisedAt: instant('raised_at').notNull().defaultNow(),
    clearedAt: instant('cleared_at'),
  },
  (t) => [
    uniqueIndex('alerts_raised_once')
      .on(t.pipelineId, t.code, sql`coalesce(subject, '')`, sql`coalesce(backfill_id, '')`)
      .where(sql`cleared_at is null`),
    uniqueIndex('alerts_by_ordinal').on(t.ordinal),
    check('alerts_severity_known', oneOf('severity', ['warning', 'critical'])),
    check('alerts_cleared_after_raised', sql`${t.clearedAt} >= ${t.raisedAt}`),
  ],
);

/** Fire drills and their reports. One at a time in a pipeline. */
export const drills = pgTable(
  'drills',
  {
    id: text('id').primaryKey(),
    ordinal: bigserial('ordinal', { mode: 'number' }).notNull(),
    pipelineId: text('pipeline_id')
      .notNull()
      .references(() => pipelines.id),
    state: text('state').$type<'stalling' | 'recovering' | 'finished' | 'failed'>().notNull(),
    forMs: integer('for_ms').notNull(),
    startedBy: text('started_by').notNull(),
    requestedAt: instant('requested_at').notNull().defaultNow(),
    stalledAt: instant('stalled_at'),
    stages: jsonb('stages').$type<Drill['stages']>().notNull().default([]),
    readerStoppedAt: instant('reader_stopped_at'),
    governorStoppedAt: instant('governor_stopped_at'),
    peakBacklog: bigint('peak_backlog', { mode: 'number' }),
    releasedAt: instant('released_at'),
    /** Who wanted it over before its time. */
    releasedBy: text('released_by'),
    recoveredAt: instant('recovered_at'),
    detail: text('detail'),
  },
  (t) => [
    uniqueIndex('drills_one_at_a_time').on(t.pipelineId).where(sql`state in ('stalling', 'recovering')`),
    uniqueIndex('drills_by_ordinal').on(t.ordinal),
    check('drills_state_known', oneOf('state', ['stalling', 'recovering', 'finished', 'failed'])),
    check('drills_bounded', sql`${t.forMs} between 1 and 30000`),
  ],
);

/** What a backfill would cost, and what that rested on: a start that names it is held to it. Removed a day after it has expired. */
export const quotes = pgTable(
  'quotes',
  {
    id: text('id').primaryKey(),
    pipelineId: text('pipeline_id')
      .notNull()
      .references(() => pipelines.id),
    request: jsonb('request').$type<QuotedRequest>().notNull(),
    /** As solved. */
    limits: jsonb('limits').$type<Limits>().notNull(),
    basis: jsonb('basis').$type<QuoteBasis>().notNull(),
    estimate: jsonb('estimate').$type<Estimate>().notNull(),
    createdBy: text('created_by').notNull(),
    createdAt: instant('created_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
  },
  (t) => [
    index('quotes_by_expiry').on(t.expiresAt),
    check('quotes_expire_after_made', sql`${t.expiresAt} > ${t.createdAt}`),
  ],
);

/** One row per pipeline, step and instant: every metric of that step, and what a screen showed beside them. 1 s for an hour, 10 s for a day, 60 s for 30 days. */
export const telemetry = pgTable(
  'telemetry',
  {
    pipelineId: text('pipeline_id').notNull(),
    stepSeconds: integer('step_seconds').notNull(),
    at: instant('at').notNull(),
    values: jsonb('values').$type<Record<string, number | null>>().notNull(),
    /** What is no number: states, causes, ceilings, signals. Null: recorded before it was. */
    snapshot: jsonb('snapshot').$type<Snapshot>(),
  },
  (t) => [
    primaryKey({ columns: [t.pipelineId, t.stepSeconds, t.at] }),
    check('telemetry_step_known', sql`${t.stepSeconds} in (1, 10, 60)`),
  ],
);

/** Hash-chained: each row's hash covers the row and the hash before it. Written in the transaction of the mutation it tells of. */
export const audit = pgTable(
  'audit',
  {
    sequence: bigint('sequence', { mode: 'number' }).primaryKey(),
    at: instant('at').notNull(),
    actor: text('actor').notNull(),
    address: text('address'),
    action: text('action').notNull(),
    target: text('target').notNull(),
    reason: text('reason'),
    before: jsonb('before'),
    after: jsonb('after'),
    previousHash: text('previous_hash').notNull(),
    hash: text('hash').notNull(),
  },
  (t) => [
    index('audit_by_target').on(t.target, t.sequence),
    index('audit_by_actor').on(t.actor, t.sequence),
    index('audit_by_action').on(t.action, t.sequence),
    index('audit_by_time').on(t.at),
  ],
);

/** One row, locked by whoever appends to the audit: the chain has no forks. */
export const auditHead = pgTable(
  'audit_head',
  {
    id: integer('id').primaryKey().default(1),
    sequence: bigint('sequence', { mode: 'number' }).notNull(),
    hash: text('hash').notNull(),
  },
  (t) => [check('audit_head_is_one_row', sql`${t.id} = 1`)],
);

export const tokens = pgTable(
  'tokens',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    role: text('role').$type<'viewer' | 'operator' | 'admin' | 'worker'>().notNull(),
    /** SHA-256 of the token, hex. */
    digest: text('digest').notNull(),
    createdBy: text('created_by').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    expiresAt: instant('expires_at').notNull(),
    lastUsedAt: instant('last_used_at'),
    revokedAt: instant('revoked_at'),
  },
  (t) => [
    uniqueIndex('tokens_by_digest').on(t.digest),
    check('tokens_role_known', oneOf('role', ['viewer', 'operator', 'admin', 'worker'])),
  ],
);

export const sessions = pgTable('sessions', {
  /** SHA-256 of the cookie's value, hex. */
  digest: text('digest').primaryKey(),
  actor: text('actor').notNull(),
  role: text('role').$type<'viewer' | 'operator' | 'admin'>().notNull(),
  csrfToken: text('csrf_token').notNull(),
  createdAt: instant('created_at').notNull().defaultNow(),
  expiresAt: instant('expires_at').notNull(),
  revokedAt: instant('revoked_at'),
});

export const signInCodes = pgTable('sign_in_codes', {
  digest: text('digest').primaryKey(),
  expiresAt: instant('expires_at').notNull(),
  usedAt: instant('used_at'),
});

export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    actor: text('actor').notNull(),
    route: text('route').notNull(),
    key: text('key').notNull(),
    /** SHA-256 of the canonical body, hex. */
    bodyDigest: text('body_digest').notNull(),
    status: integer('status').notNull(),
    answer: jsonb('answer').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.actor, t.route, t.key] })],
);

/** The one api that works on this database (control-plane/api-lease). */
export const apiLease = pgTable(
  'api_lease',
  {
    id: integer('id').primaryKey().default(1),
    /** Rises with every holder. */
    term: bigint('term', { mode: 'number' }).notNull(),
    host: text('host').notNull(),
    pid: integer('pid').notNull(),
    url: text('url').notNull(),
    since: instant('since').notNull(),
    expiresAt: instant('expires_at').notNull(),
  },
  (t) => [
    check('api_lease_is_one_row', sql`${t.id} = 1`),
    check('api_lease_term_rises_from_1', sql`${t.term} >= 1`),
  ],
);
