import { Button } from '@mantine/core';
import styles from './drift-notice.module.css';

/** The start was refused: what the quote rested on has changed. */
export function DriftNotice({
  drifts,
  onQuoteAgain,
  busy,
}: {
  readonly drifts: readonly string[];
  readonly onQuoteAgain: () => void;
  readonly busy: boolean;
}) {
  return (
    <div className={styles.drift} role="alert">
      <strong>Not started: what the quote rested on has changed.</strong>
      <ul>
        {drifts.map((drift) => (
          <li key={drift}>{drift}</li>
        ))}
      </ul>
      <Button onClick={onQuoteAgain} loading={busy}>
        Quote again
      </Button>
    </div>
  );
}
