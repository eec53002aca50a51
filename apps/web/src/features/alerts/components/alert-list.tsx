import type { Alert } from '@spillway/shared/api/governor';
import { IconAlertTriangle, IconCircleCheck, IconUrgent } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { shortId } from '../../backfill/model/short-id.ts';
import { alertWords, sinceWords } from '../model/alert-words.ts';
import styles from './alert-list.module.css';

/** What is wrong, each with icon, word, how long and what of it; what is over says when. */
export function AlertList({
  alerts,
  nowMs,
}: {
  readonly alerts: readonly Alert[];
  readonly nowMs: number | null;
}) {
  return (
    <ul className={styles.list}>
      {alerts.map((alert) => (
        <li
          key={alert.id}
          className={styles.alert}
          data-severity={alert.clearedAt === null ? alert.severity : 'cleared'}
        >
          <SeverityIcon alert={alert} />
          <p className={styles.text}>
            <strong>{alertWords[alert.code]}</strong>{' '}
            <span className={styles.word}>{alert.clearedAt === null ? alert.severity : 'cleared'}</span>
            <span className={styles.detail}>{alert.detail}</span>
            {alert.backfillId === null ? null : (
              <Link
                to="/backfills/$backfillId"
                params={{ backfillId: alert.backfillId }}
                title={alert.backfillId}
              >
                {shortId(alert.backfillId)}
              </Link>
            )}
          </p>
          <p className={styles.since}>{sinceWords(alert, nowMs)}</p>
        </li>
      ))}
    </ul>
  );
}

function SeverityIcon({ alert }: { readonly alert: Alert }) {
  const Icon =
    alert.clearedAt !== null
      ? IconCircleCheck
      : alert.severity === 'critical'
        ? IconUrgent
        : IconAlertTriangle;
  return <Icon aria-hidden size={18} className={styles.icon} />;
}
