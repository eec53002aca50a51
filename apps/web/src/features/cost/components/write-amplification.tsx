import type { MeteredCost } from '@spillway/shared/api/cost';
import { Meter } from '../../../components/meter.tsx';
import { SpokenCaption } from '../../../components/spoken-caption.tsx';
import { formatBytes, formatCount, formatRatio, known } from '../../../lib/format.ts';
import { walPerRow } from '../model/write-amplification.ts';
import styles from './cost.module.css';

/** Rows sent to the store, those it took, those it had already; and the log they wrote. */
export function WriteAmplification({
  metered,
}: {
  readonly metered: Pick<MeteredCost, 'writeAmplification' | 'items'>;
}) {
  const { rowsAttempted, rowsInserted, rowsNoop, walBytes } = metered.writeAmplification;
  const part = (rows: number | null) =>
    known(rows) && known(rowsAttempted) && rowsAttempted > 0 ? rows / rowsAttempted : null;
  if (rowsAttempted === null && rowsInserted === null && rowsNoop === null && walBytes === null)
    return <p className={styles.soft}>Write amplification: unknown, no rows have been reported.</p>;
  const apportioned = metered.items.some((item) => item.item === 'store_wal' && item.apportioned);
  const rows: readonly (readonly [string, number | null, 'replay' | 'good' | 'warn'])[] = [
    ['Attempted', rowsAttempted, 'replay'],
    ['Inserted', rowsInserted, 'good'],
    ['No-op: there already', rowsNoop, 'warn'],
  ];
  return (
    <div className={styles.stack} style={{ gap: 8 }}>
      <h3 className={styles.subtitle}>Write amplification</h3>
      <table className={styles.table}>
        <SpokenCaption>Rows attempted, inserted and there already</SpokenCaption>
        <tbody>
          {rows.map(([title, count, tone]) => (
            <tr key={title}>
              <th scope="row">{title}</th>
              <td style={{ width: '30%', verticalAlign: 'middle' }}>
                <Meter
                  percent={count === null ? null : (part(count) ?? 0) * 100}
                  label={`${title}, of the rows attempted`}
                  tone={tone}
                />
              </td>
              <td>
                {formatCount(count)}
                {count === null ? '' : ' rows'}
                <span className={styles.note}>
                  {title === 'Attempted' || part(count) === null ? '' : formatRatio(part(count))}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className={styles.soft}>
        Write-ahead log: {formatBytes(walBytes)}
        {walPerRow(metered.writeAmplification)}
        {apportioned ? ' · apportioned: a share of the whole store’s' : ''}
      </p>
    </div>
  );
}
