import { Button } from '@mantine/core';
import { formatClock } from '../lib/instant.ts';
import styles from './stale-edit.module.css';

interface StaleEditProps {
  /** "this backfill". */
  readonly what: string;
  /** Who it was and when, where that is known. `several`: the changes say each. */
  readonly by: { readonly actor: string; readonly at: string } | 'several' | undefined;
  readonly changes: readonly string[];
  readonly onMine: () => void;
  readonly onTheirs: () => void;
}

/** Somebody changed it while this edit was open: who, when, what, and both ways out. */
export function StaleEdit({ what, by, changes, onMine, onTheirs }: StaleEditProps) {
  return (
    <div className={styles.stale} role="alert">
      <strong>
        {by === undefined || by === 'several'
          ? `${by === undefined ? 'Somebody' : 'Several people'} changed ${what} while you were editing.`
          : `${by.actor} changed ${what} at ${formatClock(by.at)} UTC, while you were editing.`}
      </strong>
      <ul>
        {changes.map((change) => (
          <li key={change}>{change}</li>
        ))}
      </ul>
      <div className={styles.buttons}>
        <Button variant="default" onClick={onTheirs}>
          Keep theirs
        </Button>
        <Button onClick={onMine}>Apply mine instead</Button>
      </div>
    </div>
  );
}
