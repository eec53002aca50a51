import { Skeleton } from '@mantine/core';
import type { WorkerResource } from '@spillway/shared/api/session';
import { useQuery } from '@tanstack/react-query';
import { Badge } from '../../../components/badge.tsx';
import { Empty } from '../../../components/empty.tsx';
import { Failed } from '../../../components/failed.tsx';
import { Inset, Panel } from '../../../components/panel.tsx';
import { CellNote, type Column, RowTable } from '../../../components/row-table.tsx';
import { formatBytes, formatSpan } from '../../../lib/format.ts';
import { useNow } from '../../../lib/use-now.ts';
import { useLiveStore } from '../../telemetry/components/live-context.ts';
import { workersQuery } from '../api/list-workers.ts';
import { workerLooks, workOf } from '../model/worker-words.ts';

/** Who works, on which machine, at what. */
export function WorkersPanel() {
  const workers = useQuery(workersQuery);
  // Joined and heard are the server's times: by a clock of this computer that is wrong nobody who works is silent.
  const hereMs = useNow();
  const nowMs = useLiveStore().serverMs(hereMs) ?? hereMs;
  const columns: readonly Column<WorkerResource>[] = [
    {
      title: 'Worker',
      head: true,
      cell: ({ id, role, host, pid }) => (
        <>
          {role} on {host}
          <CellNote>
            process {pid}, {id}
          </CellNote>
        </>
      ),
    },
    {
      title: 'State',
      cell: ({ state, lastTickAt }) => {
        const { tone, icon, word } = workerLooks[state];
        return (
          <span>
            <Badge tone={tone} icon={icon} state={state}>
              {word}
            </Badge>
            <CellNote>
              {lastTickAt === null
                ? 'not heard yet'
                : `heard ${formatSpan(Math.max(0, nowMs - Date.parse(lastTickAt)))} ago`}
            </CellNote>
          </span>
        );
      },
    },
    { title: 'In hand', cell: (worker) => <span>{workOf(worker)}</span> },
    { title: 'Tags', cell: ({ tags }) => <span>{tags.length === 0 ? 'none' : tags.join(', ')}</span> },
    { title: 'Memory', cell: ({ rssBytes }) => <span>{formatBytes(rssBytes)}</span> },
    {
      title: 'Joined',
      end: true,
      cell: ({ joinedAt, version }) => (
        <span>
          {formatSpan(Math.max(0, nowMs - Date.parse(joinedAt)))} ago
          <CellNote>version {version}</CellNote>
        </span>
      ),
    },
  ];
  return (
    <Panel
      id="workers"
      title="Workers"
      hint="Those at work on any machine, and those lost within the hour"
      flush
    >
      {workers.isLoadingError ? (
        <Inset>
          <Failed what="The workers" error={workers.error} onRetry={() => void workers.refetch()} />
        </Inset>
      ) : workers.data === undefined ? (
        <Inset>
          <Skeleton height={100} />
        </Inset>
      ) : workers.data.length === 0 ? (
        <Empty title="No worker is here">
          A worker joins from any machine with <code>pnpm worker --api URL --role replay</code> and a token of
          the role worker.
        </Empty>
      ) : (
        <RowTable
          caption="Workers"
          columns={columns}
          rows={workers.data}
          idOf={({ id }) => id}
          stale={workers.isError}
        />
      )}
    </Panel>
  );
}
