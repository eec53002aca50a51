import type { Backfill } from '@spillway/shared/api/backfill';
import { formatSpan } from '../../../lib/format.ts';
import { formatClock, formatInstant, plainTimes } from '../../../lib/instant.ts';
import { shownWarnings } from '../model/spent-budget.ts';
import styles from './figures.module.css';

const holdWords = {
  operator: 'Paused by',
  budget: 'Held: its budget is spent; set by',
  brake: 'Held by the emergency brake; pulled by',
  storm: 'Held by storm protection;',
} as const;

/** What lifts it, where no button on its screen does: lifting one lifts only that one. */
const liftWords = {
  budget: 'A higher budget lifts it, or none.',
  brake: 'Resume replay, on Now, lifts it for all backfills of the pipeline.',
  storm: 'It is lifted when live has caught up.',
} as const;

/** What a person has to know before anything else: the failure with its address, why it is held, what was odd about the request. */
export function Notices({ backfill }: { readonly backfill: Backfill }) {
  const { failure, holds } = backfill;
  const warnings = shownWarnings(backfill);
  if (failure === null && holds.length === 0 && warnings.length === 0) return null;
  return (
    <div className={styles.stack}>
      {failure === null ? null : (
        <div className={styles.notice} data-tone="bad" role="alert">
          <strong>Failed: {plainTimes(failure.detail)}</strong>
          {failure.address === null ? null : <code>{failure.address}</code>}
          <span className={styles.soft}>{failure.code}</span>
        </div>
      )}
      {holds.map((hold) => (
        <div key={`${hold.reason} ${hold.at}`} className={styles.notice}>
          <strong>
            {holdWords[hold.reason]} {hold.by} at {formatClock(hold.at)} UTC
          </strong>
          {hold.detail === null ? null : <span>{plainTimes(hold.detail)}</span>}
          {hold.reason === 'operator' ? null : <span className={styles.soft}>{liftWords[hold.reason]}</span>}
        </div>
      ))}
      {warnings.map((warning) => (
        <div key={warning.code} className={styles.notice}>
          <strong>{plainTimes(warning.detail)}</strong>
          <span className={styles.soft}>{warning.code}</span>
        </div>
      ))}
    </div>
  );
}

/** Where a backfill comes from, when not from a person. */
export const originWords: Readonly<Record<Backfill['origin'], string>> = {
  operator: '',
  automation: ' (automation)',
  reconnect: ' (after a reconnect)',
};

export function createdLine(backfill: Backfill): string {
  return `started by ${backfill.createdBy}${originWords[backfill.origin]} on ${formatInstant(backfill.createdAt)} UTC`;
}

/** When it came to its end, and after how long; null: it has not. */
export function endedLine({ state, startedAt, endedAt }: Backfill): string | null {
  if (endedAt === null) return null;
  const took = startedAt === null ? '' : `, after ${formatSpan(Date.parse(endedAt) - Date.parse(startedAt))}`;
  return `${state} on ${formatInstant(endedAt)} UTC${took}`;
}
