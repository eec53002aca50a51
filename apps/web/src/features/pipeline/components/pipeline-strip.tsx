import type { Stages } from '@spillway/shared/api/pipeline';
import { IconArrowNarrowRight } from '@tabler/icons-react';
import { Meter } from '../../../components/meter.tsx';
import { formatCount, formatMs, formatRate, formatRatio, known } from '../../../lib/format.ts';
import {
  isPressed,
  pressureWords,
  queueTone,
  rateNote,
  type Stage,
  stageWords,
} from '../model/stage-look.ts';
import { CauseChain } from './cause-chain.tsx';
import styles from './pipeline-strip.module.css';
import { pressureIcons } from './pressure-icons.ts';
import { StageBar } from './stage-bar.tsx';

/** source → stream → aggregate → store: where time goes, where it queues, and which stage holds the others back. */
export function PipelineStrip({
  stages,
  stale,
  hurting,
}: {
  readonly stages: Stages;
  readonly stale: boolean;
  /** Live suffers: what is under pressure is then the cause of it. */
  readonly hurting: boolean;
}) {
  return (
    <>
      <ol className={styles.strip} data-stale={stale || undefined} data-hurting={hurting || undefined}>
        {stages.stages.map((stage) => (
          <li
            key={stage.stage}
            className={styles.stage}
            data-bottleneck={stages.bottleneck === stage.stage || undefined}
            data-pressure={stage.pressure}
          >
            <IconArrowNarrowRight aria-hidden className={styles.arrow} size={20} />
            <StageCard stage={stage} bottleneck={stages.bottleneck === stage.stage} />
          </li>
        ))}
      </ol>
      {/* A quiet page while live is well: what holds replay back is then backpressure doing its work. */}
      <CauseChain stages={stages} loud={!stale && hurting && isPressed(stages)} />
    </>
  );
}

function StageCard({ stage, bottleneck }: { readonly stage: Stage; readonly bottleneck: boolean }) {
  const Icon = pressureIcons[stage.pressure];
  const timed = known(stage.busyRatio) || known(stage.blockedRatio) || known(stage.idleRatio);
  const queue = known(stage.queueLength);
  return (
    <>
      <div className={styles.head}>
        <h3 className={styles.title}>{stageWords[stage.stage]}</h3>
        <span className={styles.pressure} data-pressure={stage.pressure}>
          <Icon aria-hidden size={14} />
          {pressureWords[stage.pressure]}
        </span>
      </div>
      {bottleneck ? <p className={styles.mark}>Bottleneck</p> : null}
      <p className={styles.rate}>{formatRate(stage.eventsPerSecond)}</p>
      <p className={styles.soft}>{rateNote(stage)}</p>
      {timed ? <StageBar busy={stage.busyRatio} blocked={stage.blockedRatio} idle={stage.idleRatio} /> : null}
      {queue ? (
        <div className={styles.queue}>
          <p className={styles.soft}>
            queue {formatCount(stage.queueLength)}
            {known(stage.queueLimit)
              ? ` of ${formatCount(stage.queueLimit)} (${formatRatio((stage.queueLength ?? 0) / stage.queueLimit)})`
              : ''}
          </p>
          {known(stage.queueLimit) ? (
            <Meter
              percent={((stage.queueLength ?? 0) / stage.queueLimit) * 100}
              label={`${stageWords[stage.stage]}: queue against its limit`}
              tone={queueTone(stage)}
            />
          ) : null}
        </div>
      ) : null}
      {known(stage.latencyMsP99) || known(stage.latencyMsP50) ? (
        <p className={styles.soft}>
          {[
            known(stage.latencyMsP50) ? `p50 ${formatMs(stage.latencyMsP50)}` : null,
            known(stage.latencyMsP99) ? `p99 ${formatMs(stage.latencyMsP99)}` : null,
          ]
            .filter((part) => part !== null)
            .join(' · ')}
        </p>
      ) : null}
      {!timed && !queue && !known(stage.latencyMsP99) ? (
        <p className={styles.soft}>its time is not measured</p>
      ) : null}
    </>
  );
}
