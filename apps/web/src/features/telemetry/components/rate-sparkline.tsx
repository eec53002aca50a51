import type { Backfill } from '@spillway/shared/api/backfill';
import { useSyncExternalStore } from 'react';
import { usePast } from '../../past/components/past-context.ts';
import { type Frame, type LinePoint, linePath, xOf, yOf } from '../model/paths.ts';
import { rateHistoryMs } from '../model/rate-history.ts';
import { rateStretchMs } from '../model/recorded-rates.ts';
import { upToNow } from '../model/up-to-now.ts';
import { useLiveStore } from './live-context.ts';
import styles from './rate-sparkline.module.css';

const width = 72;
const height = 14;

/**
 * The shape of the last two minutes, or of those before the moment that is looked at; the number beside it, which is its newest point, says how much. Renders
 * with its row, and when what was recorded has come.
 */
export function RateSparkline({
  backfill: { id, pipelineId },
  eventsPerSecond,
  before,
}: {
  readonly backfill: Pick<Backfill, 'id' | 'pipelineId'>;
  /** As it is shown beside it. */
  readonly eventsPerSecond: number | null;
  /** What was recorded before the past moment that is looked at; undefined while it is on its way. */
  readonly before: readonly LinePoint[] | undefined;
}) {
  const { rates, getSnapshot } = useLiveStore();
  useSyncExternalStore(rates.subscribe, rates.fills);
  const past = usePast();
  const at = past === null ? getSnapshot().pipelines[pipelineId]?.atMs : past.atMs;
  const told = past === null ? rates.of(id) : (before ?? []);
  const points = at == null ? told : upToNow(told, { at, value: eventsPerSecond });
  const stretchMs = past === null ? rateHistoryMs : rateStretchMs(past.atMs, Date.now());
  const newest = points.at(-1);
  const max = Math.max(0, ...points.map(({ value }) => value ?? 0));
  const frame: Frame = {
    fromMs: (newest?.at ?? 0) - stretchMs,
    toMs: newest?.at ?? 0,
    max,
    width,
    height,
  };
  return (
    <svg
      className={styles.spark}
      width={width + 6}
      height={height + 6}
      viewBox={`-3 -3 ${width + 6} ${height + 6}`}
      aria-hidden
    >
      <line className={styles.base} y1={height} x2={width} y2={height} />
      <path className={styles.line} d={linePath(points, frame)} />
      {newest?.value == null ? null : (
        <circle className={styles.newest} cx={xOf(newest.at, frame)} cy={yOf(newest.value, frame)} r={2.5} />
      )}
    </svg>
  );
}
