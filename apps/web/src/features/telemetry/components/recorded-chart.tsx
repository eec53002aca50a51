import { Skeleton } from '@mantine/core';
import { Empty } from '../../../components/empty.tsx';
import { Failed } from '../../../components/failed.tsx';
import { useWidth } from '../../../lib/use-width.ts';
import type { MarkerEntry } from '../model/live-store.ts';
import { type ChartLine, LineChart } from './line-chart.tsx';
import type { useRecorded } from './use-recorded.ts';

const heightPx = 260;

/** What {@link useRecorded} has found, as wide as there is room; or why there is nothing to draw. */
export function RecordedChart({
  recorded: { rows, toMs, fromMs, history, seen },
  ...chart
}: {
  readonly recorded: ReturnType<typeof useRecorded>;
  readonly label: string;
  readonly lines: readonly ChartLine[];
  readonly markers: readonly MarkerEntry[];
  readonly mark?: number;
  readonly format?: (value: number) => string;
}) {
  const [widthRef, width] = useWidth<HTMLDivElement>();
  // This tab has just been opened: a dot at the edge of an empty chart says that nothing has been.
  const isBare = rows.filter((row) => chart.lines.some(({ metric }) => row[metric] != null)).length < 3;
  return (
    <div ref={widthRef} style={{ minHeight: heightPx, marginTop: 8 }}>
      {history.isError && toMs === null ? (
        <Failed what="The recorded telemetry" error={history.error} onRetry={() => void history.refetch()} />
      ) : history.isPending && (toMs === null || isBare) ? (
        <Skeleton height={heightPx} />
      ) : toMs === null ? (
        <Empty title="No telemetry yet">The workers report once a second as soon as they have joined.</Empty>
      ) : seen && width > 0 ? (
        <>
          {history.isLoadingError ? (
            <Failed what="What was before" error={history.error} onRetry={() => void history.refetch()} />
          ) : null}
          <LineChart {...chart} rows={rows} width={width} height={heightPx} fromMs={fromMs} toMs={toMs} />
        </>
      ) : null}
    </div>
  );
}
