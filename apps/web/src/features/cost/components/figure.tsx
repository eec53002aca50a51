import type { ReactNode } from 'react';
import { unknown } from '../../../lib/format.ts';
import styles from './cost.module.css';

/** One figure with its name, and a quieter line about it; inside a `dl`. */
export function Figure({
  title,
  value,
  quiet = false,
  children,
}: {
  readonly title: string;
  readonly value: string;
  readonly quiet?: boolean;
  readonly children?: ReactNode;
}) {
  return (
    <div>
      <dt>{title}</dt>
      <dd className={styles.value} data-unknown={value === unknown || quiet || undefined}>
        {value}
      </dd>
      {children === undefined || children === '' ? null : <dd className={styles.soft}>{children}</dd>}
    </div>
  );
}
