import type { Timeline } from '@spillway/shared/api/past';
import { memo } from 'react';
import { type Mark, placeOf, rangeOf } from '../model/time-bar.ts';
import styles from './time-bar.module.css';

const height = 24;
const baseHeight = 3;
const replayHeight = 12;
const alertHeight = 7;

/** Where anything was recorded, how much was replayed, what was wrong, who did what. A moving handle draws none of it again. */
export const TimeLanes = memo(function TimeLanes({
  timeline,
  width,
  marks,
}: {
  readonly timeline: Timeline;
  readonly width: number;
  readonly marks: readonly Mark[];
}) {
  const range = rangeOf(timeline);
  const x = (ms: number) => placeOf(ms, range) * width;
  const most = Math.max(1, ...timeline.bins.map(({ replayEventsPerSecond }) => replayEventsPerSecond ?? 0));
  const bars = timeline.bins.map(({ at, replayEventsPerSecond }) => {
    const from = x(at);
    const tall = ((replayEventsPerSecond ?? 0) / most) * replayHeight;
    return { at, from, wide: x(at + timeline.binMs) - from + 0.5, tall };
  });
  return (
    <svg className={styles.lanes} width={width} height={height} aria-hidden>
      {bars.map(({ at, from, wide, tall }) => (
        <g key={at}>
          <rect
            className={styles.recorded}
            x={from}
            y={height - baseHeight}
            width={wide}
            height={baseHeight}
          />
          <rect
            className={styles.replay}
            x={from}
            y={height - baseHeight - tall}
            width={wide}
            height={tall}
          />
        </g>
      ))}
      {marks.map(({ atMs, untilMs, kind }, index) =>
        untilMs === null ? null : (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: marks have no id, and are drawn anew together.
            key={index}
            className={styles.alert}
            data-severity={kind}
            x={x(atMs)}
            width={Math.max(3, x(untilMs) - x(atMs))}
            height={alertHeight}
          />
        ),
      )}
      {marks.map(({ atMs, untilMs }, index) =>
        untilMs === null ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: as above.
          <path key={index} className={styles.deed} d={`M${x(atMs) - 4.5} 0h9l-4.5 8z`} />
        ) : null,
      )}
    </svg>
  );
});
