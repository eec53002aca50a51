import type { Backfill, Limits } from '@spillway/shared/api/backfill';
import { useQuery } from '@tanstack/react-query';
import { Failed } from '../../../components/failed.tsx';
import { Panel } from '../../../components/panel.tsx';
import { formatMoment } from '../../../lib/instant.ts';
import { usePast } from '../../past/components/past-context.ts';
import { describeMarker } from '../../telemetry/model/markers.ts';
import { auditQuery } from '../api/list-audit.ts';
import { describeChange } from '../model/limits.ts';
import styles from './figures.module.css';

/** Who did what to this backfill. Not shown to those who may not read the audit. */
export function AuditTrail({ backfill }: { readonly backfill: Backfill }) {
  const audit = useQuery(auditQuery(backfill.id));
  const past = usePast();
  if (audit.isPending || audit.data === null) return null;
  const entries = (audit.data ?? []).filter(({ at }) => past === null || Date.parse(at) <= past.atMs);
  return (
    <Panel title="Audit" hint="Who did what, newest first; times are UTC">
      {audit.isLoadingError ? (
        <Failed what="The audit" error={audit.error} onRetry={() => void audit.refetch()} />
      ) : entries.length === 0 ? (
        <p className={styles.soft}>Nothing has been recorded for this backfill.</p>
      ) : (
        <ol className={styles.trail}>
          {entries
            .toSorted((a, b) => b.sequence - a.sequence)
            .map((entry) => (
              <li key={entry.sequence}>
                <time dateTime={entry.at}>{formatMoment(entry.at)}</time>{' '}
                {describeMarker({
                  at: entry.at,
                  actor: entry.actor,
                  action: entry.action,
                  backfillId: null,
                  detail: changeOf(entry) ?? entry.reason,
                })}
                {entry.address === null ? null : <span className={styles.soft}> from {entry.address}</span>}
              </li>
            ))}
        </ol>
      )}
    </Panel>
  );
}

/** Of a throttle: which limits it changed, and to what. */
function changeOf({
  action,
  before,
  after,
}: {
  readonly action: string;
  readonly before: unknown;
  readonly after: unknown;
}): string | null {
  if (action !== 'backfill.throttle' || before === null || after === null) return null;
  const changes = describeChange(before as Limits, after as Limits);
  return changes.length === 0 ? null : changes.join(', ');
}
