/** What was measured, what was wrong, and the drills. */

import type { AlertCode, Drill } from '@spillway/shared/api/governor';
import type { Snapshot } from '@spillway/shared/telemetry/snapshot';
import { sql } from 'drizzle-orm';
import {
  bigint,
  bigserial,
  check,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import { backfills } from './backfills.ts';
import { instant, oneOf } from './columns.ts';
import { pipelines } from './pipelines.ts';

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

/** What is or was wrong. At most one raised alert for each (pipeline, code, subject, backfill). */
export const alerts = pgTable(
  'alerts',
  {
    id: text('id').primaryKey(),
    ordinal: bigserial('ordinal', { mode: 'number' }).notNull(),
    pipelineId: text('pipeline_id')
      .notNull()
      .references(() => pipelines.id, { onUpdate: 'cascade' }),
    backfillId: text('backfill_id').references(() => backfills.id),
    code: text('code').$type<AlertCode>().notNull(),
    subject: text('subject'),
    severity: text('severity').$type<'warning' | 'critical'>().notNull(),
    detail: text('detail').notNull(),
    /** What it says once it is cleared. Null: it was raised before that was kept. */
    past: text('past'),
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
      .references(() => pipelines.id, { onUpdate: 'cascade' }),
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
