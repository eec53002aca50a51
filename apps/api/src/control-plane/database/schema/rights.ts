/** Who may, and who did. */

import { sql } from 'drizzle-orm';
import {
  bigint,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import { instant, oneOf } from './columns.ts';

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
