/** A backfill as it was quoted and as it came out: for the arms that hold the one against the other. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Backfill } from '@spillway/shared/api/backfill';
import type { MeteredCost } from '@spillway/shared/api/cost';
import type { Quote, QuoteRequest } from '@spillway/shared/api/quote';
import { accepted } from '../apps/api/test/system/api-client.ts';
import { appliedIn, readBackfill, startBackfill, untilState } from '../apps/api/test/system/backfills.ts';
import type { StartedSystem } from '../apps/api/test/system/started-system.ts';
import { until } from '../apps/api/test/system/until.ts';
import { watchStolenTime } from './stolen-time.ts';

type Called = Pick<StartedSystem, 'call'>;
export type Asked = Pick<QuoteRequest, 'window' | 'sourceIds' | 'subwindow' | 'limits'>;

export interface EndedRun {
  readonly backfill: Backfill;
  readonly metered: MeteredCost;
  /** From start to completion, the proof included. */
  readonly seconds: number;
  /** Of them until everything was applied, as seen by asking. */
  readonly replayedSeconds: number;
  /** Seconds that each reason has cost. */
  readonly lost: Readonly<Record<string, number>>;
  /** By the machine's host until everything was applied. */
  readonly stolenMs: number | null;
}

export async function quoteBackfill(system: Called, asked: Asked): Promise<Quote> {
  return accepted(
    'quote',
    201,
    await system.call('POST', '/v1/quotes', { pipelineId: 'flights', reason: 'bench', ...asked }),
  );
}

const LONGEST_RUN_MS = 900_000;

/** To its end, and until the last of it has been metered. */
export async function runToEnd(
  system: Called,
  asked: Asked & { readonly quoteId?: string },
): Promise<EndedRun> {
  const stolen = watchStolenTime();
  const { id } = await startBackfill(system, asked);
  await untilState(system, id, ['verifying', 'completed'], LONGEST_RUN_MS);
  const appliedMs = Date.now();
  const stolenMs = stolen();
  await untilState(system, id, 'completed');
  const backfill = await meteredAtRest(system, id);
  const startedMs = Date.parse(backfill.startedAt ?? '');
  const { items } = accepted('ledger', 200, await system.call('GET', `/v1/backfills/${id}/ledger`));
  return {
    backfill,
    metered: meteredOf(backfill),
    seconds: (Date.parse(backfill.endedAt ?? '') - startedMs) / 1000,
    replayedSeconds: (appliedMs - startedMs) / 1000,
    lost: Object.fromEntries(
      items.map(({ reason, seconds }: { reason: string; seconds: number }) => [reason, seconds]),
    ),
    stolenMs,
  };
}

/** Longer than the log is left unread. */
const AT_REST_MS = 1_500;

/** Every row that is counted has been metered, and nothing has come since for a while. */
export async function meteredAtRest(system: Called, id: string): Promise<Backfill> {
  let seen = '';
  return until('the meter to rest', async () => {
    const backfill = await readBackfill(system, id);
    const { items, writeAmplification } = meteredOf(backfill);
    const before = seen;
    seen = JSON.stringify(items);
    if (writeAmplification.rowsAttempted !== handledOf(backfill)) return false;
    if (seen !== before) await delay(AT_REST_MS);
    return seen === before && backfill;
  });
}

/** Events whose way has ended: inserted, there already, or parked. */
export function handledOf(backfill: Backfill): number {
  return appliedIn(backfill) + backfill.progress.eventsQuarantined;
}

export function meteredOf({ id, cost }: Backfill): MeteredCost {
  const metered = cost?.metered ?? null;
  if (metered === null) throw new Error(`${id} is not metered`);
  return metered;
}

export function amountOf(money: { readonly amount: string }): number {
  return Number(money.amount);
}

/** In the unit of its counter; NaN when it is unknown. */
export function quantityOf({ items }: MeteredCost, name: MeteredCost['items'][number]['item']): number {
  return Number(items.find(({ item }) => item === name)?.quantity ?? Number.NaN);
}
