/** All a quote is made of: looked up by the caller, never read from the sources. */
import type { PriceBook } from '../api/cost.ts';
import type { Quote } from '../api/quote.ts';
import type { Coefficients } from '../cost/coefficients.ts';
import type { PipelineModel } from '../simulation/model.ts';
import type { LaneEvents } from './event-range.ts';
import type { Goal } from './solve.ts';
import type { Retention } from './stream-plan.ts';

export interface QuoteInputs {
  /** Epoch ms. */
  readonly nowMs: number;
  readonly subwindows: number;
  readonly planWarnings: readonly {
    readonly code: 'window_clipped' | 'source_left_out';
    readonly detail: string;
  }[];
  readonly lanes: readonly LaneEvents[];
  /** As asked, defaults filled in. */
  readonly limits: Quote['limits'];
  /** Where neither rate nor share is asked for. */
  readonly replayShare: number;
  readonly goal: Goal | null;
  /** Null: unknown; then there is no model, and nothing but counts is quoted. */
  readonly capacityEventsPerSecond: number | null;
  /** With the pipeline's own route. */
  readonly model: PipelineModel | null;
  /** Null: not known now. */
  readonly liveEventsPerSecond: number | null;
  readonly replayAmplification: number;
  /** What live leaves of the capacity, events/s: no rate gets more. Null: unknown. */
  readonly ceilingEventsPerSecond: number | null;
  readonly safeRate: Quote['safeRate'];
  /** It is read by isolated workers alone. */
  readonly isolated: boolean;
  /** Those at work that may read for it. */
  readonly replayWorkers: number;
  readonly coefficients: Coefficients;
  /** Null: there is none, and nothing has a price. */
  readonly priceBook: PriceBook | null;
  readonly liveUse: PriceBook['provisioned'];
  readonly bytesPerEntry: number;
  readonly retention: Retention;
  readonly overlaps: Quote['overlaps'];
  readonly validForMs: number;
}
