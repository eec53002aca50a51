/** What things cost: price books, the meter, and what later quotes learn from. */

import type { Limits } from '@spillway/shared/api/backfill';
import type { PriceBook } from '@spillway/shared/api/cost';
import type { QuoteBasis, QuotedRequest } from '@spillway/shared/quote/drift';
import type { Estimate } from '@spillway/shared/quote/estimate';
import { sql } from 'drizzle-orm';
import {
  bigint,
  check,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
} from 'drizzle-orm/pg-core';
import { backfills } from './backfills.ts';
import { instant, oneOf } from './columns.ts';
import { pipelines } from './pipelines.ts';

/** Every version is kept. */
export const priceBooks = pgTable(
  'price_books',
  {
    pipelineId: text('pipeline_id')
      .notNull()
      .references(() => pipelines.id, { onUpdate: 'cascade' }),
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
    .references(() => pipelines.id, { onUpdate: 'cascade' }),
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
      .references(() => pipelines.id, { onUpdate: 'cascade' }),
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
