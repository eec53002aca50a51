import { Button } from '@mantine/core';
import { IconAlertTriangle, IconRefresh } from '@tabler/icons-react';
import { ProblemError } from '../lib/http.ts';
import styles from './notice.module.css';

interface FailedProps {
  /** The subject of "… could not be loaded". */
  readonly what: string;
  /** `h1` where it stands in the place of a whole screen. */
  readonly heading?: 'h1' | 'p';
  readonly error: unknown;
  readonly onRetry?: () => void;
}

/** What could not be loaded, why, what to quote when asking for help, and a way to try again. */
export function Failed({ what, heading: Title = 'p', error, onRetry }: FailedProps) {
  const problem = error instanceof ProblemError ? error.problem : null;
  return (
    <div className={styles.failed} role="alert">
      <IconAlertTriangle aria-hidden size={22} className={styles.icon} />
      <div className={styles.text}>
        <Title className={styles.title}>{what} could not be loaded</Title>
        <p>{error instanceof Error ? error.message : 'Something failed here.'}</p>
        {problem === null ? null : (
          <p className={styles.small}>
            {problem.code} · request <code>{problem.requestId}</code>
          </p>
        )}
      </div>
      {onRetry === undefined ? null : (
        <Button variant="default" leftSection={<IconRefresh aria-hidden size={16} />} onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}
