/** What live has used and come to, each part of it at the prices it was metered under. */
import type { PriceBook } from '@spillway/shared/api/cost';
import { type MeteredUsage, type Priced, pricesOf } from '@spillway/shared/cost/items';
import { priceWithPast } from '@spillway/shared/cost/priced-past';
import { LIVE } from '@spillway/shared/cost/slots';
import type { ControlContext } from '../context.ts';
import { bookInForce, meterBook } from './meter-book.ts';
import { livePast } from './priced-by.ts';
import { spendHistory } from './spend-history.ts';

export interface LiveCost {
  readonly usage: MeteredUsage;
  readonly priced: Priced;
  /** In force. */
  readonly book: PriceBook;
}

/** Null: not metered yet, or there is no price book in force. The meter of the pipeline is loaded. */
export function liveCostOf(ctx: ControlContext, pipelineId: string): LiveCost | null {
  const meter = meterBook(ctx).loaded(pipelineId);
  const usage = meterBook(ctx).usageOf(pipelineId, LIVE);
  if (meter === null || usage === null) return null;
  const book = bookInForce(meter);
  if (book === undefined) return null;
  return { usage, book, priced: priceWithPast(usage, pricesOf(book), livePast(meter.durable)) };
}

export function observeLive(ctx: ControlContext, pipelineId: string, nowMs: number): void {
  const live = liveCostOf(ctx, pipelineId);
  if (live !== null) spendHistory(ctx).observe(liveAccount(pipelineId), live.priced.spend, nowMs);
}

/** Its name in the history of spend. */
export function liveAccount(pipelineId: string): string {
  return `${LIVE} ${pipelineId}`;
}
