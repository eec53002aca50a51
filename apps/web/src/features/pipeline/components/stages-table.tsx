import type { Stages } from '@spillway/shared/api/pipeline';
import { Badge } from '../../../components/badge.tsx';
import { Meter } from '../../../components/meter.tsx';
import { CellNote, type Column, RowTable } from '../../../components/row-table.tsx';
import { formatCount, formatMs, formatRate, formatRatio, known } from '../../../lib/format.ts';
import {
  pressureTones,
  pressureWords,
  queueTone,
  rateNote,
  type Stage,
  stageWords,
} from '../model/stage-look.ts';
import { pressureIcons } from './pressure-icons.ts';
import { StageBar } from './stage-bar.tsx';

/** Every figure of every stage; what is not measured says so. `hurting`: live is at risk, and high pressure is as red as on Now. */
export function StagesTable({
  stages,
  stale,
  hurting,
}: {
  readonly stages: Stages;
  readonly stale: boolean;
  readonly hurting: boolean;
}) {
  const columns: readonly Column<Stage>[] = [
    {
      title: 'Stage',
      head: true,
      cell: ({ stage }) => (
        <>
          {stageWords[stage]}
          {stages.bottleneck === stage ? <CellNote>bottleneck</CellNote> : null}
        </>
      ),
    },
    {
      title: 'Pressure',
      cell: ({ pressure }) => (
        <Badge
          tone={hurting && pressure === 'high' ? 'bad' : pressureTones[pressure]}
          icon={pressureIcons[pressure]}
          state={pressure}
        >
          {pressureWords[pressure]}
        </Badge>
      ),
    },
    {
      title: 'Rate',
      cell: (stage) => (
        <span>
          {formatRate(stage.eventsPerSecond)}
          <CellNote>{rateNote(stage)}</CellNote>
        </span>
      ),
    },
    { title: 'Time', cell: Time },
    { title: 'Queue', cell: Queue },
    {
      title: 'Latency',
      cell: ({ latencyMsP50, latencyMsP99 }) =>
        known(latencyMsP50) || known(latencyMsP99) ? (
          <span>
            p99 {formatMs(latencyMsP99)}
            <CellNote>p50 {formatMs(latencyMsP50)}</CellNote>
          </span>
        ) : (
          <CellNote>not measured</CellNote>
        ),
    },
  ];
  return (
    <RowTable
      caption="Stages"
      columns={columns}
      rows={stages.stages}
      idOf={({ stage }) => stage}
      stale={stale}
    />
  );
}

function Time({ busyRatio, blockedRatio, idleRatio }: Stage) {
  return known(busyRatio) || known(blockedRatio) || known(idleRatio) ? (
    <div style={{ width: '100%', minWidth: 180 }}>
      <StageBar busy={busyRatio} blocked={blockedRatio} idle={idleRatio} />
    </div>
  ) : (
    <CellNote>not measured</CellNote>
  );
}

function Queue(stage: Stage) {
  const { queueLength, queueLimit } = stage;
  if (!known(queueLength)) return <CellNote>not measured</CellNote>;
  return (
    <div style={{ width: '100%', minWidth: 130 }}>
      {formatCount(queueLength)}
      {known(queueLimit) ? ` of ${formatCount(queueLimit)} (${formatRatio(queueLength / queueLimit)})` : ''}
      {known(queueLimit) ? (
        <Meter
          percent={(queueLength / queueLimit) * 100}
          label={`${stageWords[stage.stage]}: queue against its limit`}
          tone={queueTone(stage)}
        />
      ) : null}
    </div>
  );
}
