import { Skeleton } from '@mantine/core';
import type { Backfill } from '@spillway/shared/api/backfill';
import { activeStates } from '@spillway/shared/backfill/state-machine';
import { useQuery } from '@tanstack/react-query';
import { Failed } from '../../../components/failed.tsx';
import { Meter } from '../../../components/meter.tsx';
import { formatMs } from '../../../lib/format.ts';
import { ledgerQuery } from '../api/get-ledger.ts';
import { ceilingWords } from '../model/ceilings.ts';
import styles from './figures.module.css';

/** How long each reason has held this run back. */
export function Ledger({ backfill }: { readonly backfill: Backfill }) {
  const ledger = useQuery(ledgerQuery(backfill.id, activeStates.includes(backfill.state)));
  if (ledger.isPending) return <Skeleton height={90} />;
  if (ledger.isLoadingError)
    return <Failed what="The ledger" error={ledger.error} onRetry={() => void ledger.refetch()} />;
  const rows = ledger.data.items.filter(({ seconds }) => seconds > 0).sort((a, b) => b.seconds - a.seconds);
  if (rows.length === 0) return <p className={styles.soft}>Nothing has held this run back so far.</p>;
  const longest = rows[0]?.seconds ?? 1;
  return (
    <table className={styles.table}>
      <tbody>
        {rows.map(({ reason, seconds }) => (
          <tr key={reason}>
            <th scope="row">{ceilingWords[reason]}</th>
            <td style={{ width: '50%' }}>
              <Meter
                percent={(seconds / longest) * 100}
                label={`Share of the longest: ${ceilingWords[reason]}`}
                tone="quiet"
              />
            </td>
            <td className={styles.number}>{formatMs(seconds * 1_000)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
