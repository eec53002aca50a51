import { ActionIcon } from '@mantine/core';
import type { GovernorView, MeasuredSignal, Signal } from '@spillway/shared/api/governor';
import type { Pipeline } from '@spillway/shared/api/pipeline';
import { IconPencil } from '@tabler/icons-react';
import { useState } from 'react';
import { Hint } from '../../../components/hint.tsx';
import { Panel } from '../../../components/panel.tsx';
import { CellNote, type Column, Dash, RowTable } from '../../../components/row-table.tsx';
import { formatMs, formatSpan, known, unknown } from '../../../lib/format.ts';
import { usePast } from '../../past/components/past-context.ts';
import { formatSignal, governingFirst, signalValue } from '../model/signal-words.ts';
import { TargetDialog } from './target-dialog.tsx';
import { VerdictBadge } from './verdict-badge.tsx';

interface SignalsPanelProps {
  readonly pipeline: Pipeline;
  readonly governor: GovernorView;
  readonly stale: boolean;
}

/** Every signal with its age, its target and what it means for replay. Those without a target are shown and govern nothing. */
export function SignalsPanel({ pipeline, governor, stale }: SignalsPanelProps) {
  const [editing, setEditing] = useState<Signal | null>(null);
  const mayEdit = pipeline.allowedActions.includes('configure');
  // It may have been measured before its worker fell silent. Of a signal that governed nothing its age is not recorded.
  const noAge = usePast() === null ? unknown : 'not recorded';
  const columns: readonly Column<Signal>[] = [
    {
      title: 'Signal',
      head: true,
      cell: ({ title, kind, detail }) => (
        <>
          {title}
          {kind === 'probe' ? <CellNote>probe</CellNote> : null}
          {detail === null ? null : <CellNote>{detail}</CellNote>}
        </>
      ),
    },
    { title: 'Verdict', cell: (signal) => <VerdictBadge signal={signal} /> },
    {
      title: 'Value',
      cell: (signal) => <span>{signalValue(signal)}</span>,
    },
    {
      title: 'Age',
      cell: ({ ageMs }) => (
        <CellNote>{ageMs === null ? noAge : stale ? 'last known' : `${age(ageMs)} ago`}</CellNote>
      ),
    },
    {
      title: 'Target',
      cell: ({ name, target, worseWhen }) =>
        known(target) ? (
          <span>
            {worseWhen === 'above' ? '≤' : '≥'} {formatSignal(name, target)}
          </span>
        ) : (
          <CellNote>none</CellNote>
        ),
    },
    {
      title: 'If unknown',
      cell: ({ failMode, target }) =>
        known(target) ? <span>{failMode === 'bad' ? 'counts as bad' : 'left out'}</span> : <Dash />,
    },
    ...(mayEdit
      ? [
          {
            title: 'Edit',
            end: true,
            cell: (signal: Signal) =>
              signal.kind === 'probe' ? (
                <CellNote>see Probes</CellNote>
              ) : (
                <Hint label={`Target of ${signal.title}`}>
                  <ActionIcon
                    variant="default"
                    size={28}
                    aria-label={`Edit the target of ${signal.title}`}
                    onClick={() => setEditing(signal)}
                  >
                    <IconPencil aria-hidden size={15} />
                  </ActionIcon>
                </Hint>
              ),
          },
        ]
      : []),
  ];
  return (
    <Panel
      id="signals"
      title="Signals"
      hint="What the governor hears; one without a target is shown and governs nothing"
      flush
    >
      <RowTable
        caption="Signals"
        columns={columns}
        rows={governingFirst(governor.signals)}
        idOf={({ name }) => name}
        stale={stale}
        dense
      />
      {editing === null ? null : (
        <TargetDialog
          key={editing.name}
          pipeline={pipeline}
          signal={editing}
          name={editing.name as MeasuredSignal}
          onClose={() => setEditing(null)}
        />
      )}
    </Panel>
  );
}

function age(ms: number): string {
  return ms < 60_000 ? formatMs(ms) : formatSpan(ms);
}
