import type { PriceBook } from '@spillway/shared/api/cost';
import type { Pipeline } from '@spillway/shared/api/pipeline';

/** Null: there is none, and nothing has a price. */
export function priceBookOf(
  pipeline: Pipeline & { readonly priceBook?: PriceBook | null },
): PriceBook | null {
  return pipeline.priceBook ?? null;
}
