import type { ReactNode } from 'react';
import styles from './panel.module.css';

interface PanelProps {
  /** For addresses that point at it. */
  readonly id?: string;
  readonly title: string;
  /** What the numbers are, in a few words. */
  readonly hint?: ReactNode;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
  /** The content goes to the edges (tables, lists). */
  readonly flush?: boolean;
  /** What it shows is no longer the present. */
  readonly stale?: boolean;
}

/** A titled part of a screen; a landmark, so that it can be jumped to. */
export function Panel({ id, title, hint, aside, children, flush = false, stale = false }: PanelProps) {
  return (
    <section id={id} className={styles.panel} aria-label={title}>
      <header className={styles.header}>
        <div>
          <h2 className={styles.title}>{title}</h2>
          {hint === undefined ? null : <p className={styles.hint}>{hint}</p>}
        </div>
        {aside}
      </header>
      <div className={flush ? styles.flush : styles.body} data-stale={stale || undefined}>
        {children}
      </div>
    </section>
  );
}

/** In a panel whose content goes to the edges: what does not. */
export function Inset({ children }: { readonly children: ReactNode }) {
  return <div className={styles.inset}>{children}</div>;
}
