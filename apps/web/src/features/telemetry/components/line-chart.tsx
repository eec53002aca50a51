import { memo } from 'react';
import { formatCompact } from '../../../lib/format.ts';
import { formatClock } from '../../../lib/instant.ts';
import type { MarkerEntry } from '../model/live-store.ts';
import { type Frame, linePath, xOf, yOf } from '../model/paths.ts';
import { type Row, timeTicks, valueTicks } from '../model/series.ts';
import styles from './line-chart.module.css';

export interface ChartLine {
  readonly metric: string;
  readonly tone: 'live' | 'replay' | 'limit';
  /** Beside a line of the same tone: how far behind it is. */
  readonly dotted?: true;
}

interface LineChartProps {
  /** What is drawn, and where the values stand in words. */
  readonly label: string;
  readonly lines: readonly ChartLine[];
  readonly rows: readonly Row[];
  readonly width: number;
  readonly height: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly markers: readonly MarkerEntry[];
  /** A limit: one level across the chart, always in sight. */
  readonly mark?: number;
  /** Of the values at the left. */
  readonly format?: (value: number) => string;
}

const inset = { top: 10, right: 10, bottom: 26, left: 50 };

/** Drawn by hand: a tick replaces the `d` of three paths, and a chart library would be a third of the screen's script. */
export const LineChart = memo(function LineChart({
  label,
  lines,
  rows,
  width,
  height,
  fromMs,
  toMs,
  markers,
  mark,
  format = formatCompact,
}: LineChartProps) {
  const values = valueTicks(Math.max(mark ?? 0, highest(rows, lines)));
  const frame: Frame = {
    fromMs,
    toMs,
    max: values.at(-1) ?? 1,
    width: Math.max(1, width - inset.left - inset.right),
    height: Math.max(1, height - inset.top - inset.bottom),
  };
  const shortTimes = toMs - fromMs > 600_000;
  return (
    <svg className={styles.chart} width={width} height={height} role="img" aria-label={label}>
      <g transform={`translate(${inset.left} ${inset.top})`}>
        {values.map((value) => (
          <g key={value} transform={`translate(0 ${yOf(value, frame)})`}>
            <line className={value === 0 ? styles.axis : styles.grid} x2={frame.width} />
            <text x={-8} dy="0.32em" textAnchor="end">
              {format(value)}
            </text>
          </g>
        ))}
        {timeTicks(fromMs, toMs, width < 480 ? 3 : 6)
          .filter((at) => fits(xOf(at, frame), frame))
          .map((at) => (
            <text key={at} x={xOf(at, frame)} y={frame.height + 18} textAnchor="middle">
              {shortTimes ? formatClock(at).slice(0, 5) : formatClock(at)}
            </text>
          ))}
        {markers.map((marker) => {
          const x = xOf(Date.parse(marker.at), frame);
          return (
            <g key={`${marker.at}${marker.action}${marker.backfillId}`} className={styles.marker}>
              <line x1={x} x2={x} y2={frame.height} />
              <path d={`M${x - 4} -6h8l-4 6z`} />
            </g>
          );
        })}
        {mark === undefined ? null : (
          <line
            className={styles.line}
            data-tone="limit"
            x2={frame.width}
            y1={yOf(mark, frame)}
            y2={yOf(mark, frame)}
          />
        )}
        {lines.map(({ metric, tone, dotted }) => (
          <path
            key={metric}
            className={styles.line}
            data-tone={tone}
            data-dotted={dotted}
            d={linePath(
              rows.map((row) => ({ at: Math.max(row.at, fromMs), value: row[metric] ?? null })),
              frame,
            )}
          />
        ))}
      </g>
    </svg>
  );
});

/** A time that would reach over an edge is left out: the next one stands inside soon enough. */
function fits(x: number, { width }: Frame): boolean {
  return x > 4 && x < width - 20;
}

/** Of what is drawn: the rows may hold more. */
function highest(rows: readonly Row[], lines: readonly ChartLine[]): number {
  let max = 0;
  for (const row of rows) for (const { metric } of lines) max = Math.max(max, row[metric] ?? 0);
  return max;
}
