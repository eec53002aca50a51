import { type KeyboardEvent, memo, type PointerEvent, useRef, useState } from 'react';
import { formatCount } from '../../../lib/format.ts';
import { formatInstant } from '../../../lib/instant.ts';
import { useWidth } from '../../../lib/use-width.ts';
import { brushWindow, type CoverageStep, fractionAt, nudge, type Scale, type Span } from '../model/brush.ts';
import { dateTicks, formatDateTick } from '../model/date-ticks.ts';
import styles from './coverage-map.module.css';

interface CoverageMapProps {
  readonly scale: Scale;
  readonly steps: readonly CoverageStep[];
  readonly span: Span | null;
  readonly onSpan: (span: Span) => void;
}

const heightPx = 170;
const tickCharacterPx = 7.5;

/**
 * Expected against stored, step by step; the window is brushed with the pointer, or its edges are moved with the arrow keys
 * (Shift: ten steps). The inputs beside the map say the same in numbers.
 */
export function CoverageMap({ scale, steps, span, onSpan }: CoverageMapProps) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const downAt = useRef<number | null>(null);
  const [hover, setHover] = useState<number | null>(null);

  const fraction = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return (event.clientX - box.left) / box.width;
  };
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    downAt.current = fraction(event);
    onSpan(brushWindow(scale, downAt.current, downAt.current));
  };
  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    const at = fraction(event);
    setHover(at);
    if (downAt.current !== null) onSpan(brushWindow(scale, downAt.current, at));
  };
  const onPointerUp = () => {
    downAt.current = null;
  };
  const onEdgeKey = (edge: 'from' | 'to') => (event: KeyboardEvent) => {
    if (span === null) return;
    const direction =
      event.key === 'ArrowLeft' || event.key === 'ArrowDown'
        ? -1
        : event.key === 'ArrowRight' || event.key === 'ArrowUp'
          ? 1
          : 0;
    if (direction === 0) return;
    event.preventDefault();
    onSpan(nudge(scale, span, edge, direction * (event.shiftKey ? 10 : 1)));
  };

  const hoverMs = hover === null ? null : scale.fromMs + hover * (scale.toMs - scale.fromMs);
  const under = hoverMs === null ? undefined : steps.findLast(({ startMs }) => startMs <= hoverMs);
  const left = span === null ? 0 : fractionAt(scale, span.fromMs) * 100;
  const right = span === null ? 0 : fractionAt(scale, span.toMs) * 100;

  return (
    <div className={styles.map}>
      <div ref={ref} className={styles.plot} style={{ height: heightPx }}>
        {width > 0 ? <Bars scale={scale} steps={steps} width={width} /> : null}
        <div
          className={styles.brush}
          data-testid="coverage-brush"
          onPointerDown={onPointerDown}
          onPointerMove={onPointerMove}
          onPointerUp={onPointerUp}
          onPointerCancel={onPointerUp}
          onPointerLeave={() => setHover(null)}
        />
        {span === null ? null : (
          <div className={styles.window} style={{ left: `${left}%`, width: `${right - left}%` }}>
            {(['from', 'to'] as const).map((edge) => (
              <div
                key={edge}
                className={styles.edge}
                data-edge={edge}
                role="slider"
                tabIndex={0}
                aria-label={edge === 'from' ? 'Window begins' : 'Window ends'}
                aria-valuemin={scale.fromMs}
                aria-valuemax={scale.toMs}
                aria-valuenow={edge === 'from' ? span.fromMs : span.toMs}
                aria-valuetext={`${formatInstant(edge === 'from' ? span.fromMs : span.toMs)} UTC`}
                onKeyDown={onEdgeKey(edge)}
              />
            ))}
          </div>
        )}
      </div>
      <div className={styles.axis} aria-hidden>
        {dateTicks(scale, width < 560 ? 3 : 7).map((tick) => (
          <Tick key={tick} at={fractionAt(scale, tick)} words={formatDateTick(tick, scale)} width={width} />
        ))}
      </div>
      <p className={styles.readout}>
        {under === undefined
          ? 'Drag over the map to choose a window.'
          : `${formatInstant(under.startMs)} UTC: ${formatCount(under.stored)} stored of ${under.expected === null ? 'an unknown number' : formatCount(under.expected)} expected`}
      </p>
    </div>
  );
}

/** Begins where it points, unless it would be cut off at the edge. */
function Tick({ at, words, width }: { readonly at: number; readonly words: string; readonly width: number }) {
  const atEdge = (1 - at) * width < words.length * tickCharacterPx;
  return <span style={atEdge ? { right: 0 } : { left: `${at * 100}%` }}>{words}</span>;
}

const Bars = memo(function Bars({
  scale,
  steps,
  width,
}: {
  readonly scale: Scale;
  readonly steps: readonly CoverageStep[];
  readonly width: number;
}) {
  const top = Math.max(1, ...steps.map(({ expected, stored }) => Math.max(expected ?? 0, stored ?? 0)));
  const barWidth = (width * scale.stepMs) / (scale.toMs - scale.fromMs);
  const gap = barWidth > 4 ? 1 : 0;
  const box = (step: CoverageStep, events: number, from = 0) => {
    const x = ((step.startMs - scale.fromMs) / (scale.toMs - scale.fromMs)) * width;
    const tall = ((events - from) / top) * (heightPx - 8);
    const y = heightPx - (events / top) * (heightPx - 8);
    return tall <= 0
      ? ''
      : `M${x.toFixed(2)} ${y.toFixed(2)}h${Math.max(0.5, barWidth - gap).toFixed(2)}v${tall.toFixed(2)}h${(-Math.max(0.5, barWidth - gap)).toFixed(2)}z`;
  };
  const stored = steps.map((step) => box(step, step.stored ?? 0)).join('');
  const missing = steps
    .map((step) =>
      step.expected === null || step.stored === null
        ? ''
        : box(step, step.expected, Math.min(step.stored, step.expected)),
    )
    .join('');
  const uncounted = steps
    .filter(({ expected }) => expected === null)
    .map((step) => box(step, top * 0.06))
    .join('');
  // Whether it is there, nobody here knows: it is neither stored nor missing.
  const unseen = steps
    .filter(({ stored }) => stored === null)
    .map((step) => (step.expected === null ? '' : box(step, step.expected)))
    .join('');
  const totals = steps.reduce(
    (sum, step) => ({
      expected: sum.expected + (step.expected ?? 0),
      stored: sum.stored === null || step.stored === null ? null : sum.stored + step.stored,
    }),
    { expected: 0, stored: 0 as number | null },
  );
  return (
    <svg
      width={width}
      height={heightPx}
      role="img"
      aria-label={`Coverage: ${formatCount(totals.stored)} events stored of ${formatCount(totals.expected)} expected`}
    >
      <defs>
        <pattern
          id="missing"
          width="6"
          height="6"
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(45)"
        >
          <rect width="6" height="6" fill="var(--sw-warn-wash)" />
          <rect width="2" height="6" fill="var(--sw-warn-fill)" />
        </pattern>
      </defs>
      <path d={missing} fill="url(#missing)" />
      <path d={stored} fill="var(--sw-live-fill)" />
      <path d={uncounted} fill="var(--sw-neutral-fill)" />
      <path d={unseen} fill="var(--sw-neutral-fill)" />
    </svg>
  );
});
