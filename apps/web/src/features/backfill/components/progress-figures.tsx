import type { Backfill } from '@spillway/shared/api/backfill';
import { Link } from '@tanstack/react-router';
import { Meter } from '../../../components/meter.tsx';
import { formatCount, formatEta, formatPercent, formatRate } from '../../../lib/format.ts';
import { usePast } from '../../past/components/past-context.ts';
import { useReplayRate } from '../../telemetry/components/use-replay-rate.ts';
import { appliedWords, duplicateWords, usedRate } from '../model/applied.ts';
import { bindingWords } from '../model/ceilings.ts';
import { expectedWords } from '../model/expected.ts';
import { proofLooks } from '../model/proof-look.ts';
import { differenceText } from '../model/proof-words.ts';
import { stateTones } from '../model/state-look.ts';
import styles from './figures.module.css';

/** What was expected, read, published and applied; a duplicate was there already, a quarantined event could not be used. */
export function ProgressFigures({
  backfill,
  stale,
}: {
  readonly backfill: Backfill;
  readonly stale: boolean;
}) {
  const { progress } = backfill;
  const rate = useReplayRate(backfill);
  // Which events are set aside is listed as of now.
  const listed = usePast() === null && progress.eventsQuarantined > 0;
  const figures: (readonly [string, string, string])[] = [
    ['Expected', ...expectedWords(progress)],
    ['Read', formatCount(progress.eventsRead), 'events'],
    ['Published', formatCount(progress.eventsPublished), 'events, every attempt counted'],
    ['Applied', ...appliedWords(progress)],
    ['Duplicate', ...duplicateWords(progress)],
    ['Quarantined', formatCount(progress.eventsQuarantined), 'events set aside'],
  ];
  const moving = backfill.state === 'running' || backfill.state === 'pausing';
  return (
    <div data-stale={stale || undefined} className={styles.frame}>
      <div className={styles.headline}>
        <span className={styles.percent}>{formatPercent(progress.percent)}</span>
        <span className={styles.soft}>
          {formatCount(progress.subwindowsDone)} of {formatCount(progress.subwindowsTotal)} subwindows done
        </span>
        {moving ? (
          <>
            <span className={styles.soft}>
              {rate.of}: {formatRate(rate.eventsPerSecond)},{' '}
              {bindingWords(backfill, usedRate(rate.eventsPerSecond, progress))}
            </span>
            <span className={styles.soft}>
              {progress.etaSeconds === null ? 'when it ends: ' : 'ends in '}
              {formatEta(progress.etaSeconds)}
            </span>
          </>
        ) : null}
      </div>
      {backfill.verification.state === 'mismatched' ? (
        <p className={styles.verdict} data-tone={proofLooks.mismatched.tone}>
          <proofLooks.mismatched.icon aria-hidden size={20} />
          {differenceText(backfill.verification) ?? proofLooks.mismatched.words}
        </p>
      ) : null}
      <Meter percent={progress.percent} label="Progress" tone={stateTones[backfill.state]} />
      <dl className={styles.figures}>
        {figures.map(([name, value, note]) => (
          <div key={name} data-loud={(name === 'Quarantined' && progress.eventsQuarantined > 0) || undefined}>
            <dt>{name}</dt>
            <dd className={styles.value}>
              {name === 'Quarantined' && listed ? (
                <QuarantineLink id={backfill.id}>{value}</QuarantineLink>
              ) : (
                value
              )}
            </dd>
            <dd className={styles.soft}>{note}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function QuarantineLink({ id, children }: { readonly id: string; readonly children: string }) {
  return (
    <Link
      to="/backfills/$backfillId"
      params={{ backfillId: id }}
      hash="quarantine"
      className={styles.toRows}
      aria-label={`${children}: see which`}
    >
      {children}
    </Link>
  );
}
