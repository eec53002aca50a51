/** Jobs and everything of them: lanes and the runs that are handed out, why they are held, what was asked, what held them back. */

import { backfillStates, finalStates } from '@spillway/shared/backfill/state-machine';
import type { Estimate } from '@spillway/shared/quote/estimate';
import { sql } from 'drizzle-orm';
import {
  bigint,
  bigserial,
  boolean,
  check,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgSequence,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import { eventTime, instant, oneOf } from './columns.ts';
import { pipelines, sources } from './pipelines.ts';

/** Rises on every grant of a lease, over all backfills: a higher token is always the newer grant. */
export const fencingTokens = pgSequence('fencing_tokens');

export const backfills = pgTable(
  'backfills',
  {
    id: text('id').primaryKey(),
    /** Order of creation, for paging. */
    ordinal: bigserial('ordinal', { mode: 'number' }).notNull(),
    pipelineId: text('pipeline_id')
      .notNull()
      .references(() => pipelines.id, { onUpdate: 'cascade' }),
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
    /** Of these, what an attempt before had published already; and what lies beyond the cursor. */
    again: bigint('again', { mode: 'number' }).notNull().default(0),
    ahead: bigint('ahead', { mode: 'number' }).notNull().default(0),
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
