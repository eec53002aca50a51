import { useQuery } from '@tanstack/react-query';
import { isoDuration } from '../../../lib/duration.ts';
import { isoInstant } from '../../../lib/instant.ts';
import { coverageQuery } from '../../pipeline/api/get-coverage.ts';
import { countWithin, coverageStepMs, type Span } from '../model/brush.ts';

/** Events that the ticked sources are expected to hold in the window; null while unknown. Whole steps at its edges count. */
export function useWindowCount(
  pipelineId: string,
  /** None: all. Null: nobody's are asked for. */
  sources: readonly string[] | null,
  window: Span | null,
): number | null {
  const asks = window !== null && window.toMs > window.fromMs && sources !== null;
  const span = window ?? { fromMs: 0, toMs: 0 };
  const stepMs = coverageStepMs(Math.max(1, span.toMs - span.fromMs));
  const { data } = useQuery({
    ...coverageQuery({
      pipelineId,
      from: isoInstant(span.fromMs),
      to: isoInstant(span.toMs),
      step: isoDuration(stepMs),
      sources: sources ?? [],
    }),
    enabled: asks,
  });
  // Of some of them it would pass for the whole.
  if (!asks || data === undefined || data.sources.uncounted.length > 0) return null;
  const steps = data.items.map(({ start, expected, stored }) => ({
    startMs: Date.parse(start),
    expected,
    stored,
  }));
  return countWithin({ ...span, stepMs }, steps, span).expected;
}
