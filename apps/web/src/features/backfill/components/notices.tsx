import { Button, Skeleton } from '@mantine/core';
import type { Backfill } from '@spillway/shared/api/backfill';
import { IconRefresh } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Failed } from '../../../components/failed.tsx';
import { Panel } from '../../../components/panel.tsx';
import { reportFailure } from '../../../components/undo-toast.tsx';
import { formatClock, formatInstant, formatWindow } from '../../../lib/instant.ts';
import { backfillKeys } from '../api/keys.ts';
import { failedSubwindowsQuery, retrySubwindow } from '../api/list-subwindows.ts';
import styles from './figures.module.css';

const holdWords = {
  operator: 'Paused by',
  budget: 'Held: its budget is spent; set by',
  brake: 'Held by the emergency brake; pulled by',
  storm: 'Held by storm protection;',
} as const;

/** What a person has to know before anything else: the failure with its address, why it is held, what was odd about the request. */
export function Notices({ backfill }: { readonly backfill: Backfill }) {
  const { failure, holds, warnings } = backfill;
  if (failure === null && holds.length === 0 && warnings.length === 0) return null;
  return (
    <div className={styles.stack}>
      {failure === null ? null : (
        <div className={styles.notice} data-tone="bad" role="alert">
          <strong>Failed: {failure.detail}</strong>
          <span>
            {failure.code}
            {failure.address === null ? '' : ` at ${failure.address}`}
          </span>
        </div>
      )}
      {holds.map((hold) => (
        <div key={`${hold.reason} ${hold.at}`} className={styles.notice}>
          <strong>
            {holdWords[hold.reason]} {hold.by} at {formatClock(hold.at)} UTC
          </strong>
          {hold.detail === null ? null : <span>{hold.detail}</span>}
        </div>
      ))}
      {warnings.map((warning) => (
        <div key={warning.code} className={styles.notice}>
          <strong>{warning.detail}</strong>
          <span className={styles.soft}>{warning.code}</span>
        </div>
      ))}
    </div>
  );
}

/** Runs of subwindows that failed for good, each with its address and a retry of its own. */
export function FailedSubwindows({ backfill }: { readonly backfill: Backfill }) {
  const queryClient = useQueryClient();
  const failed = useQuery(failedSubwindowsQuery(backfill.id));
  const retry = useMutation({
    mutationFn: (runId: string) => retrySubwindow(backfill.id, runId),
    onError: (error) => reportFailure('Retrying the subwindow', error),
    onSettled: () => queryClient.invalidateQueries({ queryKey: backfillKeys.one(backfill.id) }),
  });
  return (
    <Panel title="Failed subwindows">
      {failed.isPending ? (
        <Skeleton height={60} />
      ) : failed.isLoadingError ? (
        <Failed what="The failed subwindows" error={failed.error} onRetry={() => void failed.refetch()} />
      ) : failed.data.items.length === 0 ? (
        <p className={styles.soft}>No subwindow failed; the reason stands above.</p>
      ) : (
        <div className={styles.wide}>
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">Subwindow</th>
                <th scope="col">Why</th>
                <th scope="col">Attempts</th>
                <th scope="col">Verb</th>
              </tr>
            </thead>
            <tbody>
              {failed.data.items.map((run) => (
                <tr key={run.id}>
                  <th scope="row">
                    {run.sourceId}
                    <br />
                    {formatWindow(run.window)}
                  </th>
                  <td>
                    {run.failure?.detail ?? 'unknown'}
                    {run.failure?.address == null ? null : (
                      <>
                        <br />
                        <code>{run.failure.address}</code>
                      </>
                    )}
                  </td>
                  <td>{run.attempt}</td>
                  <td>
                    {backfill.allowedActions.includes('retry') ? (
                      <Button
                        size="xs"
                        variant="default"
                        leftSection={<IconRefresh aria-hidden size={14} />}
                        loading={retry.isPending}
                        onClick={() => retry.mutate(run.id)}
                      >
                        Retry
                      </Button>
                    ) : (
                      '—'
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
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
