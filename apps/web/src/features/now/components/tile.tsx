import type { ReactNode } from 'react';
import { unknown } from '../../../lib/format.ts';
import styles from './tile.module.css';

interface TileProps {
  readonly label: string;
  readonly value: string;
  readonly unit: string;
  readonly children?: ReactNode;
  readonly tone?: 'calm' | 'watch' | 'risk';
  readonly stale: boolean;
}

/** One number that answers one question. Unknown reads "unknown"; what is stale is grey. */
export function Tile({ label, value, unit, children, tone = 'calm', stale }: TileProps) {
  return (
    <section
      className={styles.tile}
      aria-label={label}
      data-tone={stale ? 'calm' : tone}
      data-stale={stale || undefined}
    >
      <h2 className={styles.label}>{label}</h2>
      <p className={styles.value} data-unknown={value === unknown || undefined}>
        {value}
        {unit === '' ? null : <span className={styles.unit}> {unit}</span>}
      </p>
      <div className={styles.note}>{children}</div>
    </section>
  );
}
