import { VisuallyHidden } from '@mantine/core';
import { Hint } from '../../../components/hint.tsx';
import { formatSpan } from '../../../lib/format.ts';
import { useLooksBack } from '../../past/components/past-context.ts';
import styles from './data-age.module.css';
import { useFreshness } from './live-context.ts';

/** How old what is on the screen is; of a past moment its band says so. Announced when it changes between live and stale, not every second. */
export function DataAge() {
  const { stale, ageMs, snapshot } = useFreshness();
  const past = useLooksBack();
  const never = ageMs === null;
  const connecting = never && snapshot.connection !== 'dropped';
  const loud = stale && !connecting && !past;
  const label = past
    ? 'Past moment'
    : connecting
      ? snapshot.connection === 'open'
        ? 'No telemetry yet'
        : 'Connecting…'
      : never
        ? 'Not connected'
        : stale
          ? `Stale: ${formatSpan(ageMs)} old`
          : ageMs < 1_500
            ? 'Live, now'
            : `Live, ${formatSpan(ageMs)} ago`;
  return (
    <Hint
      label={
        loud
          ? `The event stream is ${snapshot.connection === 'open' ? 'silent' : 'down'}; it is being opened again. Values on this page are the last known ones.`
          : past
            ? 'What is shown was recorded; nothing of it is the present.'
            : 'Telemetry arrives once a second.'
      }
    >
      <span
        className={styles.age}
        data-stale={loud || undefined}
        data-connecting={connecting || past || undefined}
        data-testid="data-age"
      >
        <span className={styles.dot} aria-hidden />
        <span className={styles.text}>{label}</span>
        <VisuallyHidden role="status">
          {loud ? 'The event stream has dropped; values are stale' : ''}
        </VisuallyHidden>
      </span>
    </Hint>
  );
}
