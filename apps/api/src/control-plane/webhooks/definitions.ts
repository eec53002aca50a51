/** One file for the verbs of a definition: each takes the caller's unit of work, and writes its audit row in it. */
import type {
  CreatedWebhook,
  CreateWebhook,
  PatchWebhook,
  Webhook,
  WebhookPage,
  WebhookTest,
} from '@spillway/shared/api/webhook';
import { webhookEvents } from '@spillway/shared/webhooks/events';
import { and, asc, count, eq, gt, or } from 'drizzle-orm';
import { redactText } from '../access/redaction.ts';
import type { Seal } from '../access/seal.ts';
import { newId, newWebhookSecret } from '../access/secrets.ts';
import { appendAudit } from '../audit/append.ts';
import type { Actor, ControlContext } from '../context.ts';
import type { Transaction, UnitOfWork } from '../database/database.ts';
import { webhookMessages, webhooks } from '../database/schema.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { ProblemError } from '../problem-error.ts';
import { complaintsAbout } from './definition-check.ts';
import { tellWebhook } from './enqueue.ts';
import { newsOfTest } from './news.ts';
import { definitionOf, readWebhookRow, toWebhook, toWebhooks, type WebhookRow } from './resource.ts';

/** Each has a connection of its own when all are sent to at once. */
const WEBHOOKS_MAX = 20;

type Clocked = Pick<ControlContext, 'clock'>;

/** The only moment at which the secret leaves: it goes into the answer, sealed into the table. Errors: `invalid_webhook`. */
export async function createWebhook(
  ctx: Clocked,
  work: UnitOfWork,
  actor: Actor,
  body: CreateWebhook,
  { seal, named }: { readonly seal: Seal; readonly named: readonly string[] },
): Promise<CreatedWebhook> {
  refuse(body, named);
  const secret = newWebhookSecret();
  const row: WebhookRow = {
    id: newId('wh'),
    title: redactText(body.title),
    url: body.url,
    events: body.events ?? [...webhookEvents],
    enabled: body.enabled ?? true,
    sealedSecret: seal.close(secret),
    createdBy: actor.name,
    createdAt: new Date(ctx.clock.now()),
    revision: 1,
    delivered: 0,
    givenUp: 0,
    dropped: 0,
    lastAttempt: null,
  };
  await work.tx.insert(webhooks).values(row);
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'webhook.create',
    target: row.id,
    before: null,
    after: definitionOf(row),
  });
  // The audit lets one at a time come this far: of two that make the last one, the second is refused.
  const [made] = await work.tx.select({ rows: count() }).from(webhooks);
  if ((made?.rows ?? 0) > WEBHOOKS_MAX)
    throw new ProblemError('invalid_webhook', `There are at most ${WEBHOOKS_MAX} webhooks.`, { pointer: '' });
  return { ...(await toWebhook(work.tx, row)), secret };
}

/** Errors: `not_found`, `stale_revision` with the webhook as it is now, `invalid_webhook`. */
export async function patchWebhook(
  ctx: Clocked,
  work: UnitOfWork,
  actor: Actor,
  id: string,
  patch: PatchWebhook,
  { named, ifMatchRevision }: { readonly named: readonly string[]; readonly ifMatchRevision: number },
): Promise<Webhook> {
  const { tx } = work;
  const before = await lockWebhook(tx, id);
  if (before.revision !== ifMatchRevision)
    throw new ProblemError(
      'stale_revision',
      `Webhook ${id} is at revision ${before.revision}, not ${ifMatchRevision}.`,
      { pointer: 'if-match', current: await toWebhook(tx, before) },
    );
  refuse(patch, named);
  const [after] = await tx
    .update(webhooks)
    .set({
      ...(patch.title === undefined ? {} : { title: redactText(patch.title) }),
      ...(patch.url === undefined ? {} : { url: patch.url }),
      ...(patch.events === undefined ? {} : { events: patch.events }),
      ...(patch.enabled === undefined ? {} : { enabled: patch.enabled }),
      revision: before.revision + 1,
    })
    .where(eq(webhooks.id, id))
    .returning();
  if (after === undefined) throw unknownWebhook(id);
  // Whoever switches it on again does not want last week's alerts.
  if (!after.enabled) await tx.delete(webhookMessages).where(eq(webhookMessages.webhookId, id));
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'webhook.update',
    target: id,
    before: definitionOf(before),
    after: { ...definitionOf(after), url: shownAfter(before, after) },
  });
  return toWebhook(tx, after);
}

/** Where messages go is changed also by what is not shown of it: the audit says at least that. */
function shownAfter(before: WebhookRow, after: WebhookRow): string {
  const [was, is] = [definitionOf(before).url, definitionOf(after).url];
  return was === is && before.url !== after.url ? `${is} (another one)` : is;
}

/** What waits for it goes with it. Errors: `not_found`. */
export async function deleteWebhook(ctx: Clocked, work: UnitOfWork, actor: Actor, id: string): Promise<void> {
  const [row] = await work.tx.delete(webhooks).where(eq(webhooks.id, id)).returning();
  if (row === undefined) throw unknownWebhook(id);
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'webhook.delete',
    target: id,
    before: definitionOf(row),
    after: null,
  });
}

/** A message by the same way as all others, once; also to one that is switched off. Errors: `not_found`. */
export async function testWebhook(
  ctx: Clocked,
  work: UnitOfWork,
  actor: Actor,
  id: string,
): Promise<WebhookTest> {
  await lockWebhook(work.tx, id);
  const messageId = await tellWebhook(work.tx, id, newsOfTest(id, actor.name, ctx.clock.now()));
  await appendAudit(work, ctx.clock, {
    actor,
    action: 'webhook.test',
    target: id,
    before: null,
    after: { messageId },
  });
  return { messageId };
}

/** Errors: `not_found`. */
export async function readWebhook(ctx: Pick<ControlContext, 'database'>, id: string): Promise<Webhook> {
  const row = await readWebhookRow(ctx.database, id);
  if (row === null) throw unknownWebhook(id);
  return toWebhook(ctx.database, row);
}

/** In the order in which they were made. */
export async function listWebhooks(
  ctx: Pick<ControlContext, 'database'>,
  query: { readonly limit?: number; readonly cursor?: string },
): Promise<WebhookPage> {
  const limit = query.limit ?? 50;
  const after = query.cursor === undefined ? null : decodeCursor(query.cursor, ['number', 'string']);
  const afterTime = after === null ? null : new Date(after[0]);
  const rows = await ctx.database
    .select()
    .from(webhooks)
    .where(
      after === null || afterTime === null
        ? undefined
        : or(
            gt(webhooks.createdAt, afterTime),
            and(eq(webhooks.createdAt, afterTime), gt(webhooks.id, after[1])),
          ),
    )
    .orderBy(asc(webhooks.createdAt), asc(webhooks.id))
    .limit(limit + 1);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: await toWebhooks(ctx.database, page),
    nextCursor:
      rows.length > limit && last !== undefined ? encodeCursor([last.createdAt.getTime(), last.id]) : null,
  };
}

async function lockWebhook(tx: Transaction, id: string): Promise<WebhookRow> {
  const [row] = await tx.select().from(webhooks).where(eq(webhooks.id, id)).for('update');
  if (row === undefined) throw unknownWebhook(id);
  return row;
}

function refuse(body: { readonly url?: string }, named: readonly string[]): void {
  const complaints = complaintsAbout(body, named);
  const [first] = complaints;
  if (first !== undefined)
    throw new ProblemError('invalid_webhook', `${first.pointer} ${first.detail}`, { errors: complaints });
}

function unknownWebhook(id: string): ProblemError {
  return new ProblemError('not_found', `There is no webhook ${id}`);
}
