import { Skeleton } from '@mantine/core';
import { Pair } from '../../../components/page.tsx';
import styles from './cost.module.css';

const tiles = ['an hour', 'live', 'replay', 'overage'];

/** Until the meter has answered: where its tiles, its table and its panels will stand. */
export function CostPending() {
  return (
    <div className={styles.pending} role="status" aria-label="Loading">
      <div className={styles.tiles}>
        {tiles.map((tile) => (
          <Skeleton key={tile} height={146} radius={12} />
        ))}
      </div>
      <Skeleton height={200} radius={12} />
      <Pair split="major">
        <Skeleton height={480} radius={12} />
        <Skeleton height={480} radius={12} />
      </Pair>
    </div>
  );
}
