import type { ReactNode } from 'react';
import styles from './rest-line.module.css';

/** Below a table that does not show all: how many more there are, and where. */
export function RestLine({ children }: { readonly children: ReactNode }) {
  return <p className={styles.rest}>{children}</p>;
}
