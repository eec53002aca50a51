import type { Quote } from '@spillway/shared/api/quote';
import { type KeyboardEvent, type PointerEvent, useRef } from 'react';
import { formatCompact, formatCount, formatEstimate, formatRate } from '../../../lib/format.ts';
import { doubleText } from '../../../lib/money.ts';
import { useWidth } from '../../../lib/use-width.ts';
import {
  fractionOfRate,
  rateAtFraction,
  rateAxis,
  rateByKey,
  rateTicks,
  readingAt,
} from '../model/frontier.ts';
import { CostBand, FinishBand, LineBand, moneyWords } from './frontier-bands.tsx';
import styles from './frontier-chart.module.css';

interface FrontierChartProps {
  readonly quote: Quote;
  /** As the form has it: ahead of the quote while somebody drags. Null: nobody knows yet. */
  readonly eventsPerSecond: number | null;
  readonly currency: string;
  readonly onRate: (eventsPerSecond: number) => void;
}

const band = { height: 64, gap: 30 };
const inset = { top: 22, right: 12, bottom: 26, left: 58 };

/**
 * Every rate there is, and what it comes to: when it ends, what it costs and how much of that is overage, the busiest hour, the longest stream. The rate is
 * dragged along the axis, or moved with the arrow keys (page up and down: five steps); what it comes to is told beneath in words.
 */
export function FrontierChart({ quote, eventsPerSecond, currency, onRate }: FrontierChartProps) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const dragging = useRef(false);
  const { frontier, safeRate } = quote;
  const axis = rateAxis(frontier);
  if (axis === null) return <p className={styles.readout}>There is only one rate to choose from.</p>;

  const plot = { width: Math.max(1, width - inset.left - inset.right), height: band.height };
  const tall = 4 * band.height + 3 * band.gap;
  const chosen = eventsPerSecond ?? quote.peak?.eventsPerSecond ?? axis.lowEventsPerSecond;
  const at = fractionOfRate(chosen, axis);
  const reading = readingAt(frontier, chosen);
  const safe = safeRate.eventsPerSecond;
  const safeAt = safe === null || safe <= 0 ? null : fractionOfRate(safe, axis);
  const price = (amount: number, whole = amount) => `${doubleText(amount, whole)} ${currency}`;
  const words =
    reading === null
      ? ''
      : chosen <= 0
        ? 'never ends, and nothing is spent'
        : `ends after ${formatEstimate(reading.durationSeconds)}, ${price(reading.cost)}, of it ${price(reading.overage, reading.cost)} overage, at most ${price(reading.peakSpendPerHour)} an hour and ${formatCount(Math.ceil(reading.peakStreamLength))} entries on the stream`;

  const rateUnder = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return rateAtFraction((event.clientX - box.left) / box.width, axis);
  };
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    dragging.current = true;
    onRate(rateUnder(event));
  };
  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    if (dragging.current) onRate(rateUnder(event));
  };
  const onPointerUp = () => {
    dragging.current = false;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const next = rateByKey(event.key, chosen, axis);
    if (next === null) return;
    event.preventDefault();
    onRate(next);
  };

  const ticks = rateTicks(axis, plot.width < 360 ? 4 : 7)
    .map((tick) => ({ tick, x: fractionOfRate(tick, axis) * plot.width }))
    // At the very left is their unit.
    .filter(({ x }) => x > 16);

  return (
    <div ref={ref}>
      <div className={styles.chart} style={{ height: inset.top + tall + inset.bottom }}>
        {width > 0 ? (
          <svg
            width={width}
            height={inset.top + tall + inset.bottom}
            role="img"
            aria-label="Finish, cost, peak spend per hour and peak length of the stream by rate; the chosen rate is told in words below"
          >
            <g transform={`translate(${inset.left} ${inset.top})`}>
              {/* Behind the bands, whose names would be crossed out by them. */}
              {safeAt === null ? null : (
                <line className={styles.safe} x1={safeAt * plot.width} x2={safeAt * plot.width} y2={tall} />
              )}
              <line className={styles.chosen} x1={at * plot.width} x2={at * plot.width} y2={tall} />
              <FinishBand {...plot} frontier={frontier} axis={axis} />
              <g transform={`translate(0 ${band.height + band.gap})`}>
                <CostBand {...plot} frontier={frontier} axis={axis} currency={currency} />
              </g>
              <g transform={`translate(0 ${2 * (band.height + band.gap)})`}>
                <LineBand
                  {...plot}
                  frontier={frontier}
                  axis={axis}
                  name={`Peak spend, ${currency} an hour`}
                  of="peakSpendPerHour"
                  words={moneyWords}
                />
              </g>
              <g transform={`translate(0 ${3 * (band.height + band.gap)})`}>
                <LineBand
                  {...plot}
                  frontier={frontier}
                  axis={axis}
                  name="Peak on the stream, entries"
                  of="peakStreamLength"
                  words={formatCompact}
                />
              </g>
              {ticks.map(({ tick, x }) => (
                <text key={tick} x={x} y={tall + 20} textAnchor="middle">
                  {formatCompact(tick)}
                </text>
              ))}
              <text x={-inset.left} y={tall + 20}>
                events/s
              </text>
            </g>
          </svg>
        ) : null}
        <div
          className={styles.drag}
          data-testid="frontier"
          style={{ left: inset.left, right: inset.right, top: inset.top, height: tall }}
          onPointerDown={onPointerDown}
          onPointerMove={onPointerMove}
          onPointerUp={onPointerUp}
          onPointerCancel={onPointerUp}
        >
          <div
            className={styles.handle}
            style={{ left: `${at * 100}%` }}
            role="slider"
            tabIndex={0}
            aria-label="Rate, events per second"
            aria-valuemin={Math.ceil(axis.lowEventsPerSecond)}
            aria-valuemax={Math.floor(axis.highEventsPerSecond)}
            aria-valuenow={Math.round(chosen)}
            aria-valuetext={`${formatRate(chosen)}: ${words}`}
            onKeyDown={onKeyDown}
          />
        </div>
      </div>
      <p className={styles.readout} aria-hidden>
        {formatRate(chosen)}: {words}
      </p>
    </div>
  );
}
