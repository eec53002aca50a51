import { Skeleton } from '@mantine/core';
import type { Source } from '@spillway/shared/api/pipeline';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Empty } from '../../../components/empty.tsx';
import { Failed } from '../../../components/failed.tsx';
import { Inset, Panel } from '../../../components/panel.tsx';
import { CellNote, type Column, RowTable } from '../../../components/row-table.tsx';
import { formatCount, known } from '../../../lib/format.ts';
import { formatInstant, formatWindow } from '../../../lib/instant.ts';
import { sourcesQuery } from '../../pipeline/api/list-sources.ts';
import { eventsText, quarantineNote, retentionNote } from '../model/source-words.ts';
import { FeedBadge } from './feed-badge.tsx';
import { SourceFailure } from './source-failure.tsx';

const columns: readonly Column<Source>[] = [
  {
    title: 'Source',
    head: true,
    cell: ({ id, title }) => (
      <>
        {id}
        {title.toLowerCase() === id ? null : <CellNote>{title}</CellNote>}
      </>
    ),
  },
  { title: 'Kind', cell: ({ connector }) => <span>{connector}</span> },
  {
    title: 'Range',
    cell: (source) => <HeldRange source={source} />,
  },
  {
    title: 'Events',
    cell: (source) => <Counted source={source} />,
  },
  {
    title: 'Live feed',
    cell: (source) => <FeedBadge source={source} />,
  },
  {
    title: 'Pipeline',
    end: true,
    cell: ({ pipelineId }) => (
      <Link to="/pipeline" search={{ pipeline: pipelineId }}>
        {pipelineId}
      </Link>
    ),
  },
];

function Counted({ source }: { readonly source: Source }) {
  const { events, failure, statistics } = source;
  const quarantine = quarantineNote(source);
  return (
    <div>
      {known(events) ? formatCount(events) : eventsText(source)}
      {quarantine === null ? null : <CellNote>{quarantine}</CellNote>}
      {statistics === null ? null : <CellNote>as of {formatInstant(statistics.countedAt)} UTC</CellNote>}
      {failure === null ? null : <SourceFailure failure={failure} />}
    </div>
  );
}

function HeldRange({ source }: { readonly source: Source }) {
  const retention = retentionNote(source);
  return (
    <span>
      {source.range === null ? 'unknown' : formatWindow(source.range)}
      {retention === null ? null : <CellNote>{retention}</CellNote>}
    </span>
  );
}

/** What there is to replay, of every pipeline. Feeds are disconnected and reconnected on the Pipeline screen. */
export function SourceList() {
  const sources = useQuery(sourcesQuery);
  return (
    <Panel
      title="Sources"
      hint="What there is to replay; event times are UTC. Feeds are disconnected and reconnected on the Pipeline screen."
      flush
    >
      {sources.isLoadingError ? (
        <Inset>
          <Failed what="The sources" error={sources.error} onRetry={() => void sources.refetch()} />
        </Inset>
      ) : sources.data === undefined ? (
        <Inset>
          <Skeleton height={100} />
        </Inset>
      ) : sources.data.length === 0 ? (
        <Empty
          title="There is no source"
          action={
            <a href="/docs" target="_blank" rel="noreferrer">
              Open the API reference
            </a>
          }
        >
          A source is what history is read from: files, a table, a bucket or a topic. An admin adds one with
          POST /v1/sources.
        </Empty>
      ) : (
        <RowTable
          caption="Sources"
          columns={columns}
          rows={sources.data}
          idOf={({ id }) => id}
          stale={sources.isError}
        />
      )}
    </Panel>
  );
}
