import { memo } from 'react';
import { formatCompact } from '../../../lib/format.ts';
import { formatClock } from '../../../lib/instant.ts';
import type { MarkerEntry } from '../model/live-store.ts';
import { type Frame, linePath, xOf, yOf } from '../model/paths.ts';
import { type Row, timeTicks, valueTicks } from '../model/series.ts';
import styles from './throughput-chart.module.css';

interface ThroughputChartProps {
  readonly rows: readonly Row[];
  readonly width: number;
  readonly height: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly markers: readonly MarkerEntry[];
}

const lines = [
  { metric: 'grantedEventsPerSecond', tone: 'limit' },
  { metric: 'replayEventsPerSecond', tone: 'replay' },
  { metric: 'liveEventsPerSecond', tone: 'live' },
] as const;
const inset = { top: 10, right: 10, bottom: 26, left: 50 };

/** Drawn by hand: a tick replaces the `d` of three paths, and a chart library would be a third of the screen's script. */
export const ThroughputChart = memo(function ThroughputChart({
  rows,
  width,
  height,
  fromMs,
  toMs,
  markers,
}: ThroughputChartProps) {
  const values = valueTicks(highest(rows));
  const frame: Frame = {
    fromMs,
    toMs,
    max: values.at(-1) ?? 1,
    width: Math.max(1, width - inset.left - inset.right),
    height: Math.max(1, height - inset.top - inset.bottom),
  };
  const shortTimes = toMs - fromMs > 600_000;
  return (
    <svg
      className={styles.chart}
      width={width}
      height={height}
      role="img"
      aria-label="Live and replay throughput over time; the newest values stand in the legend above"
    >
      <g transform={`translate(${inset.left} ${inset.top})`}>
        {values.map((value) => (
          <g key={value} transform={`translate(0 ${yOf(value, frame)})`}>
            <line className={value === 0 ? styles.axis : styles.grid} x2={frame.width} />
            <text x={-8} dy="0.32em" textAnchor="end">
              {formatCompact(value)}
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
        {lines.map(({ metric, tone }) => (
          <path
            key={metric}
            className={styles.line}
            data-tone={tone}
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

function highest(rows: readonly Row[]): number {
  let max = 0;
  for (const { at: _at, ...values } of rows)
    for (const value of Object.values(values)) if (value !== null && value > max) max = value;
  return max;
}
