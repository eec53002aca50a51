import { useQuery } from '@tanstack/react-query';
import { isoDuration } from '../../../lib/duration.ts';
import { isoInstant } from '../../../lib/instant.ts';
import { coverageQuery } from '../../pipeline/api/get-coverage.ts';
import type { Span } from '../model/brush.ts';
import { countingSteps, sumOf, type WindowCount } from '../model/window-count.ts';

/**
 * What the window holds of the ticked sources. Asked when the brush has come to `rested`, not at every step it passes. Undefined: not
 * answered yet; null: the store has not said, or nothing is asked.
 */
export function useWindowCount(
  pipelineId: string,
  /** None: all. Null: nobody's are asked for. */
  sources: readonly string[] | null,
  {
    window,
    rested,
    range,
  }: { readonly window: Span | null; readonly rested: Span | null; readonly range: Span },
): WindowCount | null | undefined {
  const asks = rested !== null && rested.toMs > rested.fromMs && sources !== null;
  const span = rested ?? { fromMs: 0, toMs: 0 };
  const { stepMs, isExact } = countingSteps(span, range);
  const { data, isError } = useQuery({
    ...coverageQuery({
      pipelineId,
      from: isoInstant(span.fromMs),
      to: isoInstant(span.toMs),
      step: isoDuration(stepMs),
      sources: sources ?? [],
    }),
    enabled: asks,
  });
  if (window === null || window.toMs <= window.fromMs || sources === null) return null;
  if (window !== rested) return undefined;
  if (data === undefined) return isError ? null : undefined;
  const { items } = data;
  return {
    ...sumOf(items.map(({ start, ...counts }) => ({ startMs: Date.parse(start), ...counts }))),
    isOfAll: data.sources.uncounted.length === 0,
    roundedToMs: isExact ? null : stepMs,
  };
}
