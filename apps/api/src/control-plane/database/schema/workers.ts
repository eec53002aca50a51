/** Who works, on which streams, how far each is applied, and which api decides. */

import type { WorkerTag } from '@spillway/shared/api/worker-protocol';
import { sql } from 'drizzle-orm';
import { bigint, boolean, check, integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core';
import { instant, oneOf } from './columns.ts';

export const workers = pgTable(
  'workers',
  {
    id: text('id').primaryKey(),
    role: text('role').$type<'replay' | 'apply' | 'feed'>().notNull(),
    pid: integer('pid').notNull(),
    host: text('host').notNull(),
    version: text('version').notNull(),
    /** Null: it joined before this was kept. */
    protocolVersion: integer('protocol_version'),
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

/** Of the streams that this installation works on, as the first worker told it. Removed by hand where they are meant to be others from now on. */
export const streamIdentity = pgTable(
  'stream_identity',
  {
    one: integer('one').primaryKey().default(1),
    id: text('id').notNull(),
    name: text('name').notNull(),
    since: instant('since').notNull().defaultNow(),
  },
  (t) => [check('stream_identity_is_one_row', sql`${t.one} = 1`)],
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
