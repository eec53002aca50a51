/** Each pass of the governor: where the budgets stand, and how fast what is left of them lets replay go. Reads only what is in memory. */
import { tickMs } from '@spillway/shared/api/worker-protocol';
import { type BudgetVerdict, checkBudget } from '@spillway/shared/cost/budget';
import { type Coefficients, RUN_EVENTS_MIN } from '@spillway/shared/cost/coefficients';
import { type Priced, type Prices, pricesOf, priceUsage } from '@spillway/shared/cost/items';
import { type Atoms, atomsOf, moneyOf, priceOf } from '@spillway/shared/cost/money';
import { moneyText, partOfMoneyText } from '@spillway/shared/cost/money-text';
import { keptForProof, proofCost } from '@spillway/shared/cost/proof-cost';
import type { RecentGrants } from '@spillway/shared/cost/recent-grants';
import type { Usage, UsageCounter } from '@spillway/shared/cost/usage';
import { type EventCounts, eventsDone, eventsHandled } from '../backfill/events-done.ts';
import type { ControlContext } from '../context.ts';
import type { Governed } from '../governor/governed.ts';
import { type BookSight, lastingMs } from '../governor/grant-book.ts';
import { liveAccount, observeLive } from './live-cost.ts';
import { bookOf, type Meter, meterBook } from './meter-book.ts';
import { spendHistory } from './spend-history.ts';

export interface BudgetLook {
  readonly verdict: BudgetVerdict;
  /** In words: how much of how much. */
  readonly detail: string;
}

/** Between two passes, and from a decision to the last event published at the rate before it, at worst. */
const LOOK_EVERY_MS = 300;
const STOP_MS = 300;
/** The log is read once a second: so much older is its part of the spend. */
const LOG_AGE_MS = 1_000;
/** What has not been told of for longer is told of by nobody who spends: a lease is over by then. */
const OLDEST_MS = 10_000;
const MILLION = 1_000_000n;

/** What of the workers' doing is known, and since when. */
interface Told {
  readonly recentGrants: ReadonlyMap<string, RecentGrants>;
  /** Before what is governed was read. */
  readonly sight: BookSight;
}

/** By backfill, of those with a budget. Keeps the history of spend on the way. */
export function lookAtBudgets(
  ctx: ControlContext,
  governed: readonly Governed[],
  coefficients: ReadonlyMap<string, Coefficients>,
  { recentGrants, sight }: Told,
): Map<string, BudgetLook> {
  const book = meterBook(ctx);
  const history = spendHistory(ctx);
  const nowMs = ctx.clock.monotonic();
  const looks = new Map<string, BudgetLook>();
  for (const backfill of governed) {
    const meter = book.loaded(backfill.pipelineId);
    const priceBook = meter === null ? null : bookOf(meter, backfill.priceBookVersion);
    if (meter === null || priceBook === null) continue;
    const usage = book.usageOf(backfill.pipelineId, backfill.id);
    const prices = pricesOf(priceBook);
    const priced = usage === null ? null : priceUsage(usage, prices);
    const spent = priced?.spend ?? 0n;
    history.observe(backfill.id, spent, nowMs);
    if (backfill.budgetAmount === null) continue;
    const limit = atomsOf({ amount: backfill.budgetAmount });
    // Of leases that have just ended all was told when they did, or it was lost with the last tick.
    const toldMs = sight.backfills.get(backfill.id)?.toldMs ?? sight.atMs - tickMs;
    const toldAgeMs = Math.min(OLDEST_MS, Math.max(tickMs, nowMs - toldMs));
    const meterAge = Math.min(OLDEST_MS, Math.max(toldAgeMs, meterAgeMs(ctx, meter, backfill.id)));
    const recent = recentGrants.get(backfill.id);
    const unknown =
      recent?.unknown({
        atMs: nowMs,
        toldAgeMs,
        meterAgeMs: meterAge + LOG_AGE_MS * logPart(priced),
        stopMs: STOP_MS,
      }) ?? null;
    const handled = eventsHandled(backfill, backfill.external);
    const onStream = eventsOnStream(recent, backfill, backfill.external);
    const eventsMetered = handled - (unknown?.unmetered ?? 0);
    const perEvent = spendPerEvent(
      eventsMetered,
      priced?.total ?? 0n,
      prices,
      coefficients.get(backfill.pipelineId),
    );
    const kept = keptForProof(
      {
        done: eventsDone(backfill, backfill.external),
        onStream,
        isReplaying: !backfill.external && backfill.state !== 'verifying',
      },
      prices,
      priced,
    );
    const verdict = checkBudget({
      limit,
      spent,
      unknown,
      toldAgeMs,
      lookEveryMs: LOOK_EVERY_MS,
      standsMs: lastingMs,
      stopMs: STOP_MS,
      onStream: BigInt(onStream),
      spendPerEvent: perEvent,
      leastPerEvent: handled > 0 ? priceOf(priced?.total ?? 0n, 1n, BigInt(handled)) : null,
      meteredPerEvent: eventsMetered >= RUN_EVENTS_MIN ? priceOf(spent, 1n, BigInt(eventsMetered)) : null,
      keptForProof: kept,
      proofPerEvent: backfill.external ? 0n : proofCost(1, prices, null),
    });
    const detail = `${partOfMoneyText(spent, limit, priceBook.currency)} spent`;
    looks.set(backfill.id, {
      verdict,
      detail:
        kept > 0n ? `${detail}, ${moneyText(moneyOf(kept, priceBook.currency))} kept for its proof` : detail,
    });
  }
  observeLives(ctx, governed, nowMs);
  return looks;
}

/** Still to be applied, at most: until it is remembered what was granted, all that is published and not handled. */
export function eventsOnStream(
  recent: RecentGrants | undefined,
  counts: EventCounts,
  external: boolean,
): number {
  return recent?.onStream() ?? Math.max(0, counts.eventsPublished - eventsHandled(counts, external));
}

/**
 * At its full price, as if nothing absorbed any of it: its own once it has run for a while; before that the dearest of what it has come to and
 * of what is learned or assumed. Null: it has come to nothing yet, and nothing is known of others.
 */
function spendPerEvent(
  eventsMetered: number,
  total: Atoms,
  prices: Prices,
  learned: Coefficients | undefined,
): Atoms | null {
  const own = eventsMetered > 0 ? priceOf(total, 1n, BigInt(eventsMetered)) : null;
  if (eventsMetered >= RUN_EVENTS_MIN || learned === undefined) return own;
  const use = Object.entries(learned.counters).map(([counter, { use: perEvent, factors }]) => [
    counter,
    // Bytes × time are no events', and reads are the proof's.
    counter === 'streamByteMs' || counter === 'storeReads'
      ? 0n
      : BigInt(Math.round(perEvent * factors.high * Number(MILLION))),
  ]);
  const ofMillion = Object.fromEntries(use) as Usage;
  const most = priceOf(
    priceUsage({ total: ofMillion, absorbed: {}, apportioned: [] }, prices).total,
    1n,
    MILLION,
  );
  return own === null || most > own ? most : own;
}

/**
 * Of whoever tells least often of its events or rows: what another process has told since says nothing of them. Where nothing has been told
 * nothing has been spent.
 */
function meterAgeMs(ctx: ControlContext, { state }: Meter, backfillId: string): number {
  const told = (counter: UsageCounter) =>
    Math.max(
      0,
      ...Object.values(state.series)
        .filter(({ own }) => own[backfillId]?.[counter] !== undefined)
        .map(({ atMs }) => atMs),
    );
  const last = [told('events'), told('rowsAttempted')].filter((atMs) => atMs > 0);
  if (last.length === 0) return 0;
  return Math.max(0, ctx.clock.now() - Math.min(...last));
}

/** 0..1. */
function logPart(priced: Priced | null): number {
  const log = priced?.items.find(({ item }) => item === 'store_wal')?.total ?? null;
  if (priced === null || log === null || priced.total <= 0n) return 1;
  return Number((log * 1_000n) / priced.total) / 1_000;
}

/** Of the pipelines that replay; those that do not are read when they are asked for. */
function observeLives(ctx: ControlContext, governed: readonly Governed[], nowMs: number): void {
  const history = spendHistory(ctx);
  const pipelineIds = new Set(governed.map(({ pipelineId }) => pipelineId));
  for (const pipelineId of pipelineIds) observeLive(ctx, pipelineId, nowMs);
  history.forgetAllBut(
    new Set([...governed.map(({ id }) => id), ...meterBook(ctx).pipelineIds().map(liveAccount)]),
  );
}
