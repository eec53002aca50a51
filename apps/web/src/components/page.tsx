import type { ReactNode } from 'react';
import styles from './page.module.css';

/** Parts below each other, at one distance: a screen, or one side of a pair. */
export function Column({ children }: { readonly children: ReactNode }) {
  return <div className={styles.column}>{children}</div>;
}

interface PageHeadProps {
  readonly title: string;
  /** Above the title: where this screen belongs. */
  readonly crumb?: ReactNode;
  /** In the line of the title: what state it is in. */
  readonly beside?: ReactNode;
  /** Below the title, in full voice. */
  readonly children?: ReactNode;
  /** What the screen is about, in one quiet line. */
  readonly about?: ReactNode;
  /** What can be done or chosen for the whole screen. */
  readonly aside?: ReactNode;
  /** What stands beside the title is no longer the present. */
  readonly stale?: boolean;
}

export function PageHead({ title, crumb, beside, children, about, aside, stale = false }: PageHeadProps) {
  return (
    <header className={styles.head}>
      <div className={styles.what}>
        {crumb === undefined ? null : (
          <nav aria-label="Breadcrumb" className={styles.crumb}>
            {crumb}
          </nav>
        )}
        <div className={styles.title} data-stale={stale || undefined}>
          <h1>{title}</h1>
          {beside}
        </div>
        {children}
        {about === undefined ? null : <p className={styles.about}>{about}</p>}
      </div>
      {aside}
    </header>
  );
}

/** Two parts beside each other where there is room, else below each other. */
export function Pair({
  split = 'even',
  children,
}: {
  /** `major`: the first is what the screen is about. `chart`: the first is a chart, and both end at one line. */
  readonly split?: 'even' | 'major' | 'chart';
  readonly children: ReactNode;
}) {
  return (
    <div className={styles.pair} data-split={split}>
      {children}
    </div>
  );
}
