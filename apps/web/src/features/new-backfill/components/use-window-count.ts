import { useQueries } from '@tanstack/react-query';
import { isoDuration } from '../../../lib/duration.ts';
import { isoInstant } from '../../../lib/instant.ts';
import { coverageQuery } from '../../pipeline/api/get-coverage.ts';
import { countWithin, coverageStepMs, type Span } from '../model/brush.ts';

/** Events that the chosen sources are expected to hold in the window; null while unknown. Whole steps at its edges count. */
export function useWindowCount(
  pipelineId: string,
  sourceIds: readonly string[],
  allIds: readonly string[],
  window: Span | null,
): number | null {
  const every = sourceIds.length === allIds.length;
  const asked = window === null || window.toMs <= window.fromMs ? [] : every ? [undefined] : sourceIds;
  const span = window ?? { fromMs: 0, toMs: 0 };
  const stepMs = coverageStepMs(Math.max(1, span.toMs - span.fromMs));
  return useQueries({
    queries: asked.map((source) =>
      coverageQuery({
        pipelineId,
        from: isoInstant(span.fromMs),
        to: isoInstant(span.toMs),
        step: isoDuration(stepMs),
        ...(source === undefined ? {} : { source }),
      }),
    ),
    combine: (answers) => {
      if (answers.length === 0) return null;
      let sum = 0;
      for (const { data } of answers) {
        // Of some of them it would pass for the whole.
        if (data === undefined || data.sources.uncounted.length > 0) return null;
        const steps = data.items.map(({ start, expected, stored }) => ({
          startMs: Date.parse(start),
          expected,
          stored,
        }));
        const { expected } = countWithin({ ...span, stepMs }, steps, span);
        if (expected === null) return null;
        sum += expected;
      }
      return sum;
    },
  });
}
