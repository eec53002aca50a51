import type { ReactNode } from 'react';
import styles from './notice.module.css';

/** Nothing is here: why, and what to do next. */
export function Empty({
  title,
  heading: Title = 'p',
  children,
  action,
}: {
  readonly title: string;
  /** `h1` where it stands in the place of a whole screen. */
  readonly heading?: 'h1' | 'p';
  readonly children: ReactNode;
  readonly action?: ReactNode;
}) {
  return (
    <div className={styles.empty}>
      <Title className={styles.title}>{title}</Title>
      <p className={styles.soft}>{children}</p>
      {action}
    </div>
  );
}
