import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import styles from './filter-bar.module.css';

/** What a list is narrowed by, and the way back to all of it. The fields keep their places when that comes and goes. */
export function FilterBar({
  label,
  narrowed,
  onClear,
  children,
}: {
  readonly label: string;
  /** Not all of the list is asked for. */
  readonly narrowed: boolean;
  readonly onClear: () => void;
  readonly children: ReactNode;
}) {
  return (
    <search className={styles.filters} aria-label={label} data-screen-filter>
      {children}
      <div className={styles.clear} data-idle={!narrowed || undefined}>
        <ClearFilters onClear={onClear} />
      </div>
    </search>
  );
}

/** Also offered where nothing fits them. */
export function ClearFilters({ onClear }: { readonly onClear: () => void }) {
  return (
    <Button variant="default" onClick={onClear}>
      Clear filters
    </Button>
  );
}
