/**
 * Delivers what waits in the queues.
 *
 * Each webhook has a lane: one message under way at a time, so that a receiver that hangs holds up nobody else, and there are never more
 * connections than webhooks. A message is removed in the transaction that writes down its outcome; a process that dies in between sends it
 * again (at least once, with the same id). One that failed waits for its next attempt and lets later ones pass: order is not promised,
 * every message carries its time. A lane whose receiver fails rests before it tries anything else.
 *
 * What waits is looked for when something may have been put there (a change was told, a test asked for), when a retry or a rest is due,
 * and every few seconds in any case. Nothing here is awaited by the governor or by a request.
 */
import type { WebhookAttempt } from '@spillway/shared/api/webhook';
import { eq, sql } from 'drizzle-orm';
import { redactText } from '../access/redaction.ts';
import type { Seal } from '../access/seal.ts';
import type { Change, ControlContext } from '../context.ts';
import { unitOfWork } from '../database/database.ts';
import { webhookMessages, webhooks } from '../database/schema.ts';
import { type DueMessage, dueMessages } from './due.ts';
import { type Posted, post } from './post.ts';
import { nextAttemptMs, restMs } from './retry.ts';

/** Also when nobody says anything: what another process put there, what a failed look has left. */
const LOOK_EVERY_MS = 5_000;
const STOP_WAIT_MS = 1_000;
/** A lane that has had nothing to do for so long is forgotten. */
const LANE_KEPT_MS = 10 * 60_000;

export interface WebhookRunner {
  start(): void;
  /** Ends what is under way, within a second; it is sent again by whoever starts next. */
  stop(): Promise<void>;
  /** Something waits for this webhook: it is tried at once, even while its lane rests. */
  tryNow(webhookId: string): void;
}

interface Lane {
  /** Null: nothing is under way. */
  attempt: { readonly abort: AbortController; readonly ended: Promise<void> } | null;
  failuresInARow: number;
  restUntilMs: number;
}

export function createWebhookRunner(
  ctx: Pick<ControlContext, 'database' | 'clock' | 'changes' | 'log'>,
  options: {
    readonly seal: Seal;
    readonly named: readonly string[];
    /** In [0, 1). */
    readonly chance?: () => number;
  },
): WebhookRunner {
  const { seal, named, chance = Math.random } = options;
  const lanes = new Map<string, Lane>();
  let running = false;
  let looking: Promise<void> | null = null;
  let lookAgain = false;
  let timer: NodeJS.Timeout | undefined;
  let unsubscribe = () => {};

  /** One look at a time; who asks meanwhile is answered by another one after it. */
  function look(): void {
    if (!running) return;
    if (looking !== null) {
      lookAgain = true;
      return;
    }
    clearTimeout(timer);
    looking = lookOnce()
      .catch((error: unknown) => ctx.log.warn({ err: error }, 'the queues of the webhooks could not be read'))
      .finally(() => {
        looking = null;
        if (!running) return;
        if (lookAgain) look();
        else timer = setTimeout(look, untilNextRest()).unref();
      });
  }

  async function lookOnce(): Promise<void> {
    lookAgain = false;
    const nowMs = ctx.clock.monotonic();
    for (const [id, { attempt, restUntilMs }] of lanes)
      if (attempt === null && restUntilMs + LANE_KEPT_MS < nowMs) lanes.delete(id);
    const busy = [...lanes].flatMap(([id, lane]) =>
      lane.attempt !== null || lane.restUntilMs > nowMs ? [id] : [],
    );
    for (const message of await dueMessages(ctx.database, ctx.clock.now(), busy)) {
      const lane = lanes.get(message.webhookId) ?? { attempt: null, failuresInARow: 0, restUntilMs: nowMs };
      lanes.set(message.webhookId, lane);
      if (running && lane.attempt === null) begin(lane, message);
    }
  }

  function untilNextRest(): number {
    const nowMs = ctx.clock.monotonic();
    const rests = [...lanes.values()].map(({ restUntilMs }) => restUntilMs - nowMs).filter((ms) => ms > 0);
    return Math.min(LOOK_EVERY_MS, ...rests);
  }

  function begin(lane: Lane, message: DueMessage): void {
    const abort = new AbortController();
    const ended = attempt(lane, message, abort.signal).finally(() => {
      lane.attempt = null;
      look();
    });
    lane.attempt = { abort, ended };
  }

  async function attempt(lane: Lane, message: DueMessage, end: AbortSignal): Promise<void> {
    const at = ctx.clock.now();
    const beganMs = ctx.clock.monotonic();
    const posted = await postOnce(message, at, end);
    if (end.aborted) return;
    const endedMs = ctx.clock.monotonic();
    tell(lane, message, posted);
    lane.failuresInARow = posted.error === null ? 0 : lane.failuresInARow + 1;
    try {
      await writeDown(outcomeOf(message, posted, { at, latencyMs: Math.round(endedMs - beganMs) }), message);
    } catch (error) {
      // It has been sent and still waits: not again and again while the database is away.
      lane.failuresInARow = Math.max(1, lane.failuresInARow);
      ctx.log.warn({ webhookId: message.webhookId, err: error }, 'how a webhook went was not written down');
    }
    lane.restUntilMs = ctx.clock.monotonic() + restMs(lane.failuresInARow);
  }

  async function postOnce(message: DueMessage, nowMs: number, end: AbortSignal): Promise<Posted> {
    const secret = seal.open(message.sealedSecret);
    if (typeof secret !== 'string')
      return {
        status: null,
        error:
          'its secret was kept under an earlier admin token, which is not known any more: make the webhook anew',
      };
    return post(message, { url: message.url, secret, named }, nowMs, end);
  }

  function outcomeOf(
    { id, event, attempts, createdAt }: DueMessage,
    { status, error }: Posted,
    { at, latencyMs }: { readonly at: number; readonly latencyMs: number },
  ): WebhookAttempt {
    const attempt = attempts + 1;
    // Whoever asked for a test looks at it now.
    const nextMs =
      error === null || event === 'webhook.test'
        ? null
        : nextAttemptMs({ attempts: attempt, createdAtMs: createdAt.getTime() }, ctx.clock.now(), chance());
    return {
      messageId: id,
      event,
      at: new Date(at).toISOString(),
      outcome: error === null ? 'delivered' : nextMs === null ? 'given_up' : 'retrying',
      attempt,
      status,
      latencyMs,
      error: error === null ? null : redactText(error),
      nextAttemptAt: nextMs === null ? null : new Date(nextMs).toISOString(),
    };
  }

  async function writeDown(lastAttempt: WebhookAttempt, { id, webhookId }: DueMessage): Promise<void> {
    const { outcome, attempt, nextAttemptAt } = lastAttempt;
    await unitOfWork(ctx.database, async ({ tx }) => {
      // Whoever changes or removes a webhook locks it before what waits for it: in another order one of the two would be called off.
      await tx.select({ id: webhooks.id }).from(webhooks).where(eq(webhooks.id, webhookId)).for('key share');
      if (nextAttemptAt === null) await tx.delete(webhookMessages).where(eq(webhookMessages.id, id));
      else
        await tx
          .update(webhookMessages)
          .set({ attempts: attempt, nextAttemptAt: new Date(nextAttemptAt) })
          .where(eq(webhookMessages.id, id));
      await tx
        .update(webhooks)
        .set({
          lastAttempt,
          ...(outcome === 'delivered' ? { delivered: sql`${webhooks.delivered} + 1` } : {}),
          ...(outcome === 'given_up' ? { givenUp: sql`${webhooks.givenUp} + 1` } : {}),
        })
        .where(eq(webhooks.id, webhookId));
    });
  }

  /** Logged when it changes, not every time; never where it goes. */
  function tell(lane: Lane, { webhookId }: DueMessage, { status, error }: Posted): void {
    if (error !== null && lane.failuresInARow === 0)
      ctx.log.warn({ webhookId, status, why: error }, 'a webhook cannot be delivered');
    if (error === null && lane.failuresInARow > 0)
      ctx.log.info({ webhookId }, 'a webhook can be delivered again');
  }

  return {
    start() {
      running = true;
      unsubscribe = ctx.changes.subscribe((change) => {
        if (mayBeNews(change)) look();
      });
      look();
    },
    async stop() {
      running = false;
      clearTimeout(timer);
      unsubscribe();
      const attempts = [...lanes.values()].flatMap(({ attempt }) => attempt ?? []);
      for (const { abort } of attempts) abort.abort();
      const { promise: waited, resolve } = Promise.withResolvers<void>();
      const late = setTimeout(resolve, STOP_WAIT_MS);
      await Promise.race([Promise.allSettled([looking, ...attempts.map(({ ended }) => ended)]), waited]);
      clearTimeout(late);
    },
    tryNow(webhookId) {
      const lane = lanes.get(webhookId);
      if (lane !== undefined) lane.restUntilMs = 0;
      look();
    },
  };
}

function mayBeNews(change: Change): boolean {
  return change.event === 'alert' || (change.event === 'backfill' && change.data.backfill.endedAt !== null);
}
