import { ActionIcon, Button, Skeleton } from '@mantine/core';
import type { GovernorView, Probe } from '@spillway/shared/api/governor';
import type { Pipeline } from '@spillway/shared/api/pipeline';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useEffectEvent, useState } from 'react';
import { ConsequencesDialog } from '../../../components/consequences-dialog.tsx';
import { Empty } from '../../../components/empty.tsx';
import { Failed } from '../../../components/failed.tsx';
import { Hint } from '../../../components/hint.tsx';
import { Inset, Panel } from '../../../components/panel.tsx';
import { CellNote, type Column, RowTable } from '../../../components/row-table.tsx';
import { reportFailure } from '../../../components/undo-toast.tsx';
import { formatMs } from '../../../lib/format.ts';
import { VerdictBadge } from '../../governor/components/verdict-badge.tsx';
import { formatSignal } from '../../governor/model/signal-words.ts';
import { deleteProbe, probesQuery } from '../api/probes.ts';
import { kindWords } from '../model/probe-draft.ts';

/** Fetched by those who add one. */
const ProbeDialog = lazy(() =>
  import('./probe-dialog.tsx').then((module) => ({ default: module.ProbeDialog })),
);

/** Signals of one's own: where each is read, how often, and what it says now. */
export function ProbesPanel({
  pipeline,
  governor,
  stale,
}: {
  readonly pipeline: Pipeline;
  readonly governor: GovernorView | null;
  readonly stale: boolean;
}) {
  const queryClient = useQueryClient();
  const probes = useQuery(probesQuery(pipeline.id));
  const [adding, setAdding] = useState(false);
  const [leaving, setLeaving] = useState<Probe | null>(null);
  const remove = useMutation({
    mutationFn: (probe: Probe) => deleteProbe(pipeline.id, probe.id),
    onError: (error, probe) => reportFailure(`Deleting ${probe.title}`, error),
    onSettled: () => queryClient.invalidateQueries({ queryKey: probesQuery(pipeline.id).queryKey }),
  });
  useReadAgain(governor, probes.data, () => void probes.refetch());
  const mayEdit = pipeline.allowedActions.includes('configure');
  const signalOf = ({ id }: Probe) => governor?.signals.find(({ name }) => name === id);
  const columns: readonly Column<Probe>[] = [
    {
      title: 'Probe',
      head: true,
      cell: ({ title, kind, url }) => (
        <>
          {title}
          <CellNote>
            {kindWords[kind]} · {url}
          </CellNote>
        </>
      ),
    },
    {
      title: 'Says',
      cell: (probe) => {
        const signal = signalOf(probe);
        return signal === undefined ? (
          <CellNote>not read yet</CellNote>
        ) : (
          <span>
            <VerdictBadge signal={signal} /> {formatSignal(signal.name, signal.value)}
            {signal.detail === null ? null : <CellNote>{signal.detail}</CellNote>}
          </span>
        );
      },
    },
    {
      title: 'Target',
      cell: ({ id, target, worseWhen, failMode }) => (
        <span>
          {target === null ? 'none' : `${worseWhen === 'above' ? '≤' : '≥'} ${formatSignal(id, target)}`}
          <CellNote>{failMode === 'bad' ? 'unknown counts as bad' : 'left out while unknown'}</CellNote>
        </span>
      ),
    },
    {
      title: 'Asks for',
      cell: ({ query, pointer }) => <code>{query ?? (pointer === '' ? 'the document' : pointer)}</code>,
    },
    {
      title: 'Read',
      cell: ({ intervalMs, timeoutMs }) => (
        <span>
          every {formatMs(intervalMs)}
          <CellNote>gives up after {formatMs(timeoutMs)}</CellNote>
        </span>
      ),
    },
    ...(mayEdit
      ? [
          {
            title: 'Delete',
            end: true,
            cell: (probe: Probe) => (
              <Hint label={`Delete ${probe.title}`}>
                <ActionIcon
                  variant="default"
                  size={34}
                  aria-label={`Delete ${probe.title}`}
                  onClick={() => setLeaving(probe)}
                >
                  <IconTrash aria-hidden size={17} />
                </ActionIcon>
              </Hint>
            ),
          },
        ]
      : []),
  ];
  return (
    <Panel
      title="Probes"
      hint="Signals of your own: SQL, PromQL or HTTP JSON"
      flush
      aside={
        mayEdit ? (
          <Button
            variant="default"
            leftSection={<IconPlus aria-hidden size={16} />}
            onClick={() => setAdding(true)}
          >
            Add probe
          </Button>
        ) : undefined
      }
    >
      {probes.isPending ? (
        <Inset>
          <Skeleton height={60} />
        </Inset>
      ) : probes.isLoadingError ? (
        <Inset>
          <Failed what="The probes" error={probes.error} onRetry={() => void probes.refetch()} />
        </Inset>
      ) : probes.data.length === 0 ? (
        <Empty title="No probe yet">
          What hurts first may be beside the pipeline: a dashboard’s query, a queue’s depth, a bill. A probe
          makes it a signal that the governor hears.
        </Empty>
      ) : (
        <RowTable caption="Probes" columns={columns} rows={probes.data} idOf={({ id }) => id} stale={stale} />
      )}
      {adding ? (
        <Suspense>
          <ProbeDialog pipelineId={pipeline.id} onClose={() => setAdding(false)} />
        </Suspense>
      ) : null}
      <ConsequencesDialog
        opened={leaving !== null}
        title={`Delete ${leaving?.title ?? 'the probe'}?`}
        consequences={[
          leaving?.target == null
            ? 'It governs nothing; its value is no longer shown.'
            : 'The governor no longer hears it: replay is not cut when it passes its target.',
          'Its address and query are gone; the audit keeps that it was there.',
        ]}
        safeWord="Keep it"
        actWord="Delete the probe"
        onClose={() => setLeaving(null)}
        onAct={() => {
          if (leaving !== null) remove.mutate(leaving);
          setLeaving(null);
        }}
      />
    </Panel>
  );
}

/** Somebody else added or deleted one: the signals know it first. Once for each difference, since a new one is heard a moment later. */
function useReadAgain(
  governor: GovernorView | null,
  known: readonly Probe[] | undefined,
  readAgain: () => void,
): void {
  const inOrder = (ids: readonly string[]) => [...ids].sort().join(' ');
  const heard =
    governor === null
      ? null
      : inOrder(governor.signals.filter(({ kind }) => kind === 'probe').map(({ name }) => name));
  const differs = heard !== null && known !== undefined && heard !== inOrder(known.map(({ id }) => id));
  const onDifference = useEffectEvent(readAgain);
  useEffect(() => {
    if (heard !== null && differs) onDifference();
  }, [heard, differs]);
}
