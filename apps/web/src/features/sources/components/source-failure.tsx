import type { Source } from '@spillway/shared/api/pipeline';
import { IconAlertTriangle } from '@tabler/icons-react';
import { Badge } from '../../../components/badge.tsx';
import { failureWords } from '../model/failure-words.ts';
import styles from './source-failure.module.css';

/** That its history cannot be read: why, and what to do. */
export function SourceFailure({ failure }: { readonly failure: NonNullable<Source['failure']> }) {
  const { what, todo } = failureWords(failure);
  return (
    <div className={styles.failure}>
      <Badge tone="bad" icon={IconAlertTriangle} state="failed">
        Failed
      </Badge>
      <p className={styles.what}>{what}</p>
      <p className={styles.soft}>
        {todo} <code>{failure.code}</code>
      </p>
    </div>
  );
}
