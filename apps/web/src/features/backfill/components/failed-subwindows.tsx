import { Button, Skeleton } from '@mantine/core';
import type { Backfill } from '@spillway/shared/api/backfill';
import { IconRefresh } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Failed } from '../../../components/failed.tsx';
import { Inset, Panel } from '../../../components/panel.tsx';
import { CellNote, type Column, RowTable } from '../../../components/row-table.tsx';
import { reportFailure } from '../../../components/undo-toast.tsx';
import { formatWindow } from '../../../lib/instant.ts';
import { backfillKeys } from '../api/keys.ts';
import { type FailedSubwindow, failedSubwindowsQuery, retrySubwindow } from '../api/list-subwindows.ts';

/** Runs of subwindows that failed for good, each with its address. One alone can be retried here; several are, with their backfill. */
export function FailedSubwindows({ backfill }: { readonly backfill: Backfill }) {
  const queryClient = useQueryClient();
  const failed = useQuery(failedSubwindowsQuery(backfill.id));
  const retry = useMutation({
    mutationFn: (runId: string) => retrySubwindow(backfill.id, runId),
    onError: (error) => reportFailure('Retrying the subwindow', error),
    onSettled: () => queryClient.invalidateQueries({ queryKey: backfillKeys.one(backfill.id) }),
  });
  const mayRetry = backfill.allowedActions.includes('retry');
  const several = (failed.data?.items.length ?? 0) > 1;
  const columns: readonly Column<FailedSubwindow>[] = [
    {
      title: 'Subwindow',
      head: true,
      cell: ({ sourceId, window }) => (
        <>
          {sourceId}
          <CellNote>{formatWindow(window)}</CellNote>
        </>
      ),
    },
    {
      title: 'Why',
      cell: ({ failure }) => (
        <span>
          {failure?.detail ?? 'unknown'}
          {failure?.address == null ? null : <CellNote>{failure.address}</CellNote>}
        </span>
      ),
    },
    { title: 'Attempts', cell: ({ attempt }) => <span>{attempt}</span> },
    ...(mayRetry && !several
      ? [
          {
            title: 'Verb',
            end: true,
            cell: ({ id, sourceId, window }: FailedSubwindow) => (
              <Button
                size="xs"
                variant="default"
                aria-label={`Retry ${sourceId}, ${formatWindow(window)}`}
                leftSection={<IconRefresh aria-hidden size={14} />}
                loading={retry.isPending && retry.variables === id}
                onClick={() => retry.mutate(id)}
              >
                Retry
              </Button>
            ),
          },
        ]
      : []),
  ];
  return (
    <Panel
      title="Failed subwindows"
      {...(mayRetry && several ? { hint: 'Retry of the backfill runs all of them again' } : {})}
      flush
    >
      {failed.isPending ? (
        <Inset>
          <Skeleton height={60} />
        </Inset>
      ) : failed.isLoadingError ? (
        <Inset>
          <Failed what="The failed subwindows" error={failed.error} onRetry={() => void failed.refetch()} />
        </Inset>
      ) : failed.data.items.length === 0 ? (
        <Inset>
          <p>No subwindow failed; the reason stands above.</p>
        </Inset>
      ) : (
        <RowTable
          caption="Failed subwindows"
          columns={columns}
          rows={failed.data.items}
          idOf={({ id }) => id}
        />
      )}
    </Panel>
  );
}
