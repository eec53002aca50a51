import type { ReactNode } from 'react';
import styles from './notice.module.css';

/** Nothing is here: why, and what to do next. */
export function Empty({
  title,
  children,
  action,
}: {
  readonly title: string;
  readonly children: ReactNode;
  readonly action?: ReactNode;
}) {
  return (
    <div className={styles.empty}>
      <p className={styles.title}>{title}</p>
      <p className={styles.soft}>{children}</p>
      {action}
    </div>
  );
}
