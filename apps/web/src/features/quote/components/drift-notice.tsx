import { Button } from '@mantine/core';
import type { BrokenQuote } from '../model/quote-words.ts';
import styles from './drift-notice.module.css';

/** The start was refused, and another quote is what it takes. */
export function DriftNotice({
  broken,
  onQuoteAgain,
  busy,
}: {
  readonly broken: BrokenQuote;
  readonly onQuoteAgain: () => void;
  readonly busy: boolean;
}) {
  return (
    <div className={styles.drift} role="alert">
      <strong>Not started: {broken.title}.</strong>
      <ul>
        {broken.reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
      <Button onClick={onQuoteAgain} loading={busy}>
        Quote again
      </Button>
    </div>
  );
}
