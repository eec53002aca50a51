import type { Receipt } from '@spillway/shared/api/backfill';
import { useQuery } from '@tanstack/react-query';
import { formatMs } from '../../../lib/format.ts';
import { formatClockMs } from '../../../lib/instant.ts';
import { receiptQuery } from '../api/get-receipt.ts';
import styles from './throttle-panel.module.css';

/** Requested → acknowledged → effective, each with its time: a command is not done before the workers have done it. */
export function ReceiptLine({ receipt, asked }: { readonly receipt: Receipt; readonly asked: string }) {
  const { data } = useQuery(receiptQuery(receipt));
  const requestedMs = Date.parse(data.requestedAt);
  const since = (at: string) => `+${formatMs(Date.parse(at) - requestedMs)}`;
  return (
    <div className={styles.receipt} role="status" data-effective={data.effectiveAt !== null || undefined}>
      <strong>
        {data.effectiveAt === null ? `Requested: ${asked}; waiting for the workers…` : `In effect: ${asked}`}
      </strong>
      <span className={styles.soft}>
        requested {formatClockMs(data.requestedAt)} UTC →{' '}
        {data.acknowledgedAt === null ? 'acknowledged…' : `acknowledged ${since(data.acknowledgedAt)}`} →{' '}
        {data.effectiveAt === null ? 'effective…' : `effective ${since(data.effectiveAt)}`}
      </span>
    </div>
  );
}
