import { Tooltip } from '@mantine/core';
import { formatSpan } from '../../../lib/format.ts';
import styles from './data-age.module.css';
import { useFreshness } from './live-context.ts';

/** How old what is on the screen is. Announced when it changes between live and stale, not every second. */
export function DataAge() {
  const { stale, ageMs, snapshot } = useFreshness();
  const never = ageMs === null;
  const label = stale
    ? never
      ? 'Connecting…'
      : `Stale: ${formatSpan(ageMs)} old`
    : `Live, ${Math.floor(ageMs ?? 0) < 1_500 ? 'now' : `${formatSpan(ageMs)} ago`}`;
  return (
    <Tooltip
      label={
        stale && !never
          ? `The event stream is ${snapshot.connection === 'open' ? 'silent' : 'down'}; it is being opened again. Values on this page are the last known ones.`
          : 'Telemetry arrives once a second.'
      }
    >
      <span className={styles.age} data-stale={stale && !never ? true : undefined} data-testid="data-age">
        <span className={styles.dot} aria-hidden />
        <span className={styles.text}>{label}</span>
        <span className={styles.spoken} role="status">
          {stale && !never ? 'The event stream has dropped; values are stale' : ''}
        </span>
      </span>
    </Tooltip>
  );
}
