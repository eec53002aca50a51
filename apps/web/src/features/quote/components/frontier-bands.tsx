import type { FrontierPoint } from '@spillway/shared/api/quote';
import { memo, type ReactNode } from 'react';
import { formatSpan } from '../../../lib/format.ts';
import { valueTicks } from '../../telemetry/model/series.ts';
import { durationTicks, fractionOfRate, type RateAxis, type Reading, readingOf } from '../model/frontier.ts';
import styles from './frontier-chart.module.css';

interface BandProps {
  readonly frontier: readonly FrontierPoint[];
  readonly axis: RateAxis;
  readonly width: number;
  readonly height: number;
}

/** When it ends: a logarithm both ways, so twice the rate is a fixed step down. */
export const FinishBand = memo(function FinishBand({ frontier, axis, width, height }: BandProps) {
  const seconds = frontier.map(({ durationSeconds }) => durationSeconds);
  const low = Math.min(...seconds);
  const high = Math.max(...seconds);
  const y = (value: number) =>
    high > low ? height - (Math.log(value / low) / Math.log(high / low)) * height : height / 2;
  const ticks = durationTicks(low, high, 3);
  return (
    <Band
      name="Takes"
      width={width}
      height={height}
      ticks={(ticks.length > 0 ? ticks : [low]).map((tick) => [y(tick), formatSpan(tick * 1_000)])}
    >
      <path
        className={styles.line}
        d={pathOf(frontier, axis, width, ({ durationSeconds }) => y(durationSeconds))}
      />
    </Band>
  );
});

/** What it costs, from zero: below the line what capacity that is paid for absorbs, and the overage. */
export const CostBand = memo(function CostBand({
  frontier,
  axis,
  width,
  height,
  currency,
}: BandProps & { readonly currency: string }) {
  const { ticks, y } = fromZero(
    frontier.map((point) => readingOf(point).cost),
    height,
    moneyWords,
  );
  const top = pathOf(frontier, axis, width, (point) => y(readingOf(point).cost));
  const overage = pathOf(frontier, axis, width, (point) => y(readingOf(point).overage));
  const area = (d: string) => `${d}V${height}H${(first(frontier, axis) * width).toFixed(1)}Z`;
  return (
    <Band name={`Costs, ${currency}`} width={width} height={height} ticks={ticks}>
      <path className={styles.absorbed} d={area(top)} />
      <path className={styles.overage} d={area(overage)} />
      <path className={styles.line} data-tone="cost" d={top} />
    </Band>
  );
});

/** One line, from zero up. */
export const LineBand = memo(function LineBand({
  frontier,
  axis,
  width,
  height,
  name,
  of,
  words,
}: BandProps & {
  readonly name: string;
  readonly of: keyof Reading;
  /** Of a tick. */
  readonly words: (value: number) => string;
}) {
  const { ticks, y } = fromZero(
    frontier.map((point) => readingOf(point)[of]),
    height,
    words,
  );
  return (
    <Band name={name} width={width} height={height} ticks={ticks}>
      <path className={styles.line} d={pathOf(frontier, axis, width, (point) => y(readingOf(point)[of]))} />
    </Band>
  );
});

function Band({
  name,
  width,
  height,
  ticks,
  children,
}: {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly ticks: readonly (readonly [y: number, words: string])[];
  readonly children: ReactNode;
}) {
  return (
    <>
      <text className={styles.name} y={-8}>
        {name}
      </text>
      {ticks.map(([y, words]) => (
        <g key={words} transform={`translate(0 ${y.toFixed(1)})`}>
          <line className={styles.grid} x2={width} />
          <text x={-8} dy="0.32em" textAnchor="end">
            {words}
          </text>
        </g>
      ))}
      <line className={styles.axis} x2={width} y1={height} y2={height} />
      {children}
    </>
  );
}

const figures = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 3 });

/** Its currency stands in the name of the band. */
export function moneyWords(amount: number): string {
  return figures.format(amount);
}

/** Half of a value has half of the height. */
function fromZero(values: readonly number[], height: number, words: (value: number) => string) {
  const steps = valueTicks(Math.max(...values), 2);
  const top = steps.at(-1) ?? 1;
  const y = (value: number) => height - (value / top) * height;
  return { ticks: steps.map((tick) => [y(tick), words(tick)] as const), y };
}

function pathOf(
  frontier: readonly FrontierPoint[],
  axis: RateAxis,
  width: number,
  y: (point: FrontierPoint) => number,
): string {
  return frontier
    .map((point, index) => {
      const x = fractionOfRate(point.eventsPerSecond, axis) * width;
      return `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y(point).toFixed(1)}`;
    })
    .join('');
}

function first(frontier: readonly FrontierPoint[], axis: RateAxis): number {
  return fractionOfRate(frontier[0]?.eventsPerSecond ?? 0, axis);
}
