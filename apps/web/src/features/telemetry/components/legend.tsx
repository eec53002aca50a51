import styles from './legend.module.css';

export interface LegendItem {
  readonly name: string;
  readonly tone: 'live' | 'replay' | 'limit' | 'quiet' | 'good' | 'warn' | 'bad' | 'pending' | 'hole';
  readonly value?: string;
  /** As its line is. */
  readonly dotted?: true;
}

/** Names beside colours, with the newest value: the chart in words. */
export function Legend({ items }: { readonly items: readonly LegendItem[] }) {
  return (
    <ul className={styles.legend}>
      {items.map(({ name, tone, value, dotted }) => (
        <li key={name}>
          <i className={styles.key} data-tone={tone} data-dotted={dotted} aria-hidden />
          <span className={styles.name}>{name}</span>
          {value === undefined ? null : <span className={styles.value}>{value}</span>}
        </li>
      ))}
    </ul>
  );
}
