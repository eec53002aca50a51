import { ActionIcon } from '@mantine/core';
import type { Backfill } from '@spillway/shared/api/backfill';
import { isFinal } from '@spillway/shared/backfill/state-machine';
import { IconAdjustmentsHorizontal, IconPlayerPause, IconPlayerPlay, IconRefresh } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { memo, type ReactNode } from 'react';
import { Hint } from '../../../components/hint.tsx';
import { Meter } from '../../../components/meter.tsx';
import { etaParts, formatPercent, formatRate, known } from '../../../lib/format.ts';
import { formatInstant, formatWindow, plainTimes } from '../../../lib/instant.ts';
import { useSettling } from '../../../lib/use-settling.ts';
import { RateSparkline } from '../../telemetry/components/rate-sparkline.tsx';
import { useReplayRate } from '../../telemetry/components/use-replay-rate.ts';
import type { LinePoint } from '../../telemetry/model/paths.ts';
import { doneWords, usedRate } from '../model/applied.ts';
import { bindingWords } from '../model/ceilings.ts';
import { ofExpected } from '../model/expected.ts';
import { stateTones } from '../model/state-look.ts';
import styles from './backfill-table.module.css';
import { originWords } from './notices.tsx';
import { WaitsFor } from './starts-at.tsx';
import { StateBadge } from './state-badge.tsx';
import { useBackfillCommand } from './use-backfill-command.tsx';

interface BackfillRowProps {
  readonly backfill: Backfill;
  /** Whether there is a column for them. */
  readonly verbs: boolean;
  /** Of a past moment: its rate until then, as it was recorded. */
  readonly ratesBefore: readonly LinePoint[] | undefined;
  /** Where rows can be chosen: the box of this one. */
  readonly choice?: ReactNode;
}

/** One backfill: what it is, how far it is, how fast and why, when it ends, and the verbs that can be undone. */
export const BackfillRow = memo(function BackfillRow({
  backfill,
  verbs,
  ratesBefore,
  choice,
}: BackfillRowProps) {
  const { order } = useBackfillCommand();
  const { progress } = backfill;
  const rate = useReplayRate(backfill);
  const may = (verb: Backfill['allowedActions'][number]) => backfill.allowedActions.includes(verb);
  const mayResume = may('resume') && backfill.state === 'paused';
  const settling = useSettling(mayResume ? 'resume' : 'pause');
  const over = isFinal(backfill.state) || backfill.state === 'failed';
  return (
    <tr className={styles.row} data-backfill-id={backfill.id}>
      {choice === undefined ? null : <td className={styles.choose}>{may('pause') ? choice : null}</td>}
      <td className={styles.what}>
        <Link
          to="/backfills/$backfillId"
          params={{ backfillId: backfill.id }}
          className={styles.id}
          data-row-link
        >
          {backfill.id}
        </Link>
        <p className={styles.soft}>{formatWindow(backfill.window)}</p>
        <p className={styles.reason}>
          {backfill.reason === null ? `started by ${backfill.createdBy}` : plainTimes(backfill.reason)}
          {originWords[backfill.origin]}
        </p>
      </td>
      <td className={styles.state}>
        <StateBadge state={backfill.state} />
      </td>
      <td className={styles.progress}>
        <span className={styles.figure}>{formatPercent(progress.percent)}</span>
        <Meter
          percent={progress.percent}
          label={`Progress of ${backfill.id}`}
          tone={stateTones[backfill.state]}
        />
        <p className={styles.soft}>
          {doneWords(progress)}
          {ofExpected(progress)}
        </p>
      </td>
      <td className={styles.rate}>
        {over ? (
          <span className={styles.dash}>—</span>
        ) : backfill.state === 'queued' || backfill.state === 'paused' ? (
          <p className={styles.soft}>
            <WaitsFor backfill={backfill} />
          </p>
        ) : (
          <>
            <div className={styles.rateNow}>
              <span className={styles.figure}>{formatRate(rate.eventsPerSecond)}</span>
              <RateSparkline
                backfill={backfill}
                eventsPerSecond={rate.eventsPerSecond}
                before={ratesBefore}
              />
            </div>
            <p className={styles.soft}>{bindingWords(backfill, usedRate(rate.eventsPerSecond, progress))}</p>
          </>
        )}
      </td>
      <td className={styles.eta}>
        {over && backfill.endedAt !== null ? (
          <span className={styles.soft}>ended {formatInstant(backfill.endedAt)}</span>
        ) : backfill.state === 'verifying' ? (
          <span className={styles.soft}>proving</span>
        ) : !over && known(progress.etaSeconds?.likely) ? (
          <EtaLines {...etaParts(progress.etaSeconds)} />
        ) : backfill.state === 'running' ? (
          <span className={styles.unknown}>unknown</span>
        ) : (
          <span className={styles.dash}>—</span>
        )}
      </td>
      {verbs ? (
        <td className={styles.verbs}>
          <div>
            {may('pause') ? (
              <Verb
                label={`Pause ${backfill.id}`}
                icon={<IconPlayerPause aria-hidden size={17} />}
                action="pause"
                onClick={() => order({ backfill, verb: 'pause' })}
              />
            ) : null}
            {mayResume ? (
              <Verb
                label={`Resume ${backfill.id}`}
                icon={<IconPlayerPlay aria-hidden size={17} />}
                action="resume"
                disabled={settling}
                onClick={() => order({ backfill, verb: 'resume' })}
              />
            ) : null}
            {may('retry') ? (
              <Verb
                label={`Retry ${backfill.id}`}
                icon={<IconRefresh aria-hidden size={17} />}
                action="retry"
                onClick={() => order({ backfill, verb: 'retry' })}
              />
            ) : null}
            {/* While it pauses there is none of these; throttling does not come to stand where Pause was. */}
            {may('pause') || mayResume || may('retry') || !may('throttle') ? null : (
              <span className={styles.noVerb} />
            )}
            {may('throttle') ? (
              <Hint label={`Throttle ${backfill.id}`}>
                <ActionIcon
                  variant="default"
                  size={34}
                  aria-label={`Throttle ${backfill.id}`}
                  data-verb="throttle"
                  renderRoot={(props) => (
                    <Link
                      to="/backfills/$backfillId"
                      params={{ backfillId: backfill.id }}
                      hash="throttle"
                      {...props}
                    />
                  )}
                >
                  <IconAdjustmentsHorizontal aria-hidden size={17} />
                </ActionIcon>
              </Hint>
            ) : null}
          </div>
        </td>
      ) : null}
    </tr>
  );
});

function EtaLines({ likely, range }: ReturnType<typeof etaParts>) {
  return (
    <>
      {likely}
      {range === null ? null : <p className={styles.range}>{range}</p>}
    </>
  );
}

function Verb({
  label,
  icon,
  action,
  disabled = false,
  onClick,
}: {
  readonly label: string;
  readonly icon: ReactNode;
  readonly action: string;
  readonly disabled?: boolean;
  readonly onClick: () => void;
}) {
  return (
    <Hint label={label}>
      <ActionIcon
        variant="default"
        size={34}
        aria-label={label}
        data-verb={action}
        disabled={disabled}
        onClick={onClick}
      >
        {icon}
      </ActionIcon>
    </Hint>
  );
}
