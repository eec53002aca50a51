import { Button, Skeleton } from '@mantine/core';
import type { Pipeline, Source } from '@spillway/shared/api/pipeline';
import { IconPlugConnected, IconPlugConnectedX } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Failed } from '../../../components/failed.tsx';
import { Inset, Panel } from '../../../components/panel.tsx';
import { CellNote, type Column, Dash, RowTable } from '../../../components/row-table.tsx';
import { reportFailure } from '../../../components/undo-toast.tsx';
import { every } from '../../../lib/every.ts';
import { formatSpan } from '../../../lib/format.ts';
import { formatInstant, formatWindow } from '../../../lib/instant.ts';
import { backfillKeys } from '../../backfill/api/keys.ts';
import { sourcesQuery } from '../../pipeline/api/list-sources.ts';
import { useStale } from '../../telemetry/components/live-context.ts';
import { reportFeed } from '../api/feed-outage.ts';
import { gapMs } from '../model/gap.ts';
import { eventsText, quarantineNote, retentionNote } from '../model/source-words.ts';
import { FeedBadge } from './feed-badge.tsx';
import { ReconnectQueue } from './reconnect-queue.tsx';
import { SourceFailure } from './source-failure.tsx';

/** The feeds: how far live of each has got, its outages, and the backfills that its reconnects have queued. */
export function SourcesPanel({ pipeline }: { readonly pipeline: Pipeline }) {
  const queryClient = useQueryClient();
  const stale = useStale();
  const found = useQuery({ ...sourcesQuery, refetchInterval: every(2_000) });
  const outage = useMutation({
    mutationFn: ({ source, what }: { source: Source; what: 'disconnected' | 'reconnected' }) =>
      reportFeed(source.id, what),
    onSuccess: (after) =>
      queryClient.setQueryData(sourcesQuery.queryKey, (before) =>
        before?.map((each) => (each.id === after.id ? after : each)),
      ),
    onError: (error, { source, what }) =>
      reportFailure(`${what === 'disconnected' ? 'Disconnecting' : 'Reconnecting'} ${source.id}`, error),
    onSettled: () =>
      Promise.all([
        queryClient.invalidateQueries({ queryKey: sourcesQuery.queryKey }),
        queryClient.invalidateQueries({ queryKey: backfillKeys.lists }),
      ]),
  });
  const sources = (found.data ?? []).filter(({ pipelineId }) => pipelineId === pipeline.id);
  const busy = (source: Source) => outage.isPending && outage.variables.source.id === source.id;
  const mayAct = sources.some(({ allowedActions }) => allowedActions.length > 0);
  const columns: readonly Column<Source>[] = [
    {
      title: 'Source',
      head: true,
      cell: ({ id, title }) => (
        <>
          {id}
          {title === id ? null : <CellNote>{title}</CellNote>}
        </>
      ),
    },
    {
      title: 'Live feed',
      cell: (source) => <FeedBadge source={source} />,
    },
    { title: 'Live has reached', cell: (source) => <Reached source={source} sources={sources} /> },
    {
      title: 'History',
      cell: (source) => <Held source={source} />,
    },
    {
      title: 'Outage',
      end: true,
      cell: (source) =>
        source.allowedActions.includes('disconnect') ? (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPlugConnectedX aria-hidden size={15} />}
            loading={busy(source)}
            aria-label={`Disconnect ${source.id}`}
            onClick={() => outage.mutate({ source, what: 'disconnected' })}
          >
            Disconnect
          </Button>
        ) : source.allowedActions.includes('reconnect') ? (
          <Button
            size="xs"
            leftSection={<IconPlugConnected aria-hidden size={15} />}
            loading={busy(source)}
            aria-label={`Reconnect ${source.id}`}
            onClick={() => outage.mutate({ source, what: 'reconnected' })}
          >
            Reconnect
          </Button>
        ) : (
          <Dash />
        ),
    },
  ];
  return (
    <Panel
      id="sources"
      title="Sources"
      hint="Event times are UTC; a reconnected feed queues a backfill of what it missed"
      flush
    >
      {found.isPending ? (
        <Inset>
          <Skeleton height={120} />
        </Inset>
      ) : (
        <>
          {found.isError ? (
            <Inset>
              <Failed what="The sources" error={found.error} onRetry={() => void found.refetch()} />
            </Inset>
          ) : null}
          {found.data === undefined ? null : (
            <RowTable
              caption="Sources"
              columns={mayAct ? columns : columns.filter(({ title }) => title !== 'Outage')}
              rows={sources}
              idOf={({ id }) => id}
              stale={stale || found.isError}
            />
          )}
        </>
      )}
      <ReconnectQueue pipeline={pipeline} />
    </Panel>
  );
}

function Held({ source }: { readonly source: Source }) {
  const notes = [
    source.range === null ? null : formatWindow(source.range),
    retentionNote(source),
    quarantineNote(source),
  ];
  return (
    <div>
      {eventsText(source)}
      {notes.map((note) => (note === null ? null : <CellNote key={note}>{note}</CellNote>))}
      {source.failure === null ? null : <SourceFailure failure={source.failure} />}
    </div>
  );
}

function Reached({ source, sources }: { readonly source: Source; readonly sources: readonly Source[] }) {
  const gap = gapMs(source, sources);
  // Of a source without a feed there is nothing to be known.
  if (source.historyOnly === true && source.liveWatermark === null) return <Dash />;
  return (
    <span>
      {source.liveWatermark === null ? 'unknown' : formatInstant(source.liveWatermark)}
      {source.disconnectedAt === null ? null : (
        <CellNote>
          cut at {formatInstant(source.disconnectedAt)}; gap so far:{' '}
          {gap === null ? 'unknown' : `${formatSpan(gap)} of event time`}
        </CellNote>
      )}
    </span>
  );
}
