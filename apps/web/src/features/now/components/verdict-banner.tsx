import { Button } from '@mantine/core';
import type { Backfill } from '@spillway/shared/api/backfill';
import type { Drill, GovernorView } from '@spillway/shared/api/governor';
import type { Pipeline } from '@spillway/shared/api/pipeline';
import {
  IconAlertTriangle,
  IconArrowBarToDown,
  IconArrowsSplit2,
  IconCircleCheck,
  IconHelpCircle,
  IconPlayerPause,
  IconPlayerPlay,
  IconUrgent,
} from '@tabler/icons-react';
import { useState } from 'react';
import { formatRate } from '../../../lib/format.ts';
import { useSettling } from '../../../lib/use-settling.ts';
import { ReceiptLine } from '../../backfill/components/receipt-line.tsx';
import { useBackfillCommand } from '../../backfill/components/use-backfill-command.tsx';
import { useSafeThrottle } from '../../backfill/components/use-safe-throttle.tsx';
import { throttleSteps } from '../../backfill/model/safe-rate.ts';
import { shortId } from '../../backfill/model/short-id.ts';
import { ReleaseButton } from '../../drills/components/release-button.tsx';
import { drillNote } from '../../drills/model/drill-words.ts';
import { plainWords } from '../../governor/model/plain-words.ts';
import { useBrake } from '../../pipeline/components/use-brake.tsx';
import { pauseChoice } from '../model/pause-choice.ts';
import type { Verdict, VerdictLevel } from '../model/verdict.ts';
import styles from './verdict-banner.module.css';

const icons: Readonly<Record<VerdictLevel, typeof IconUrgent>> = {
  safe: IconCircleCheck,
  watch: IconAlertTriangle,
  risk: IconUrgent,
  unknown: IconHelpCircle,
  elsewhere: IconArrowsSplit2,
};
const words: Readonly<Record<VerdictLevel, string>> = {
  safe: 'Safe',
  watch: 'Watch',
  risk: 'At risk',
  unknown: 'Unknown',
  elsewhere: 'Elsewhere',
};

/** The answer to "is the live path safe?", and beside it the way to make it safe. */
export function VerdictBanner({
  verdict,
  pipeline,
  backfills,
  governor,
  outage,
  drill,
}: {
  readonly verdict: Verdict;
  readonly pipeline: Pipeline;
  readonly backfills: readonly Backfill[];
  readonly governor: GovernorView | null;
  /** Feeds whose events are not among live; null: none. */
  readonly outage: string | null;
  /** Under way. */
  readonly drill: Drill | undefined;
}) {
  const Icon = icons[verdict.level];
  const brake = useBrake();
  const { order } = useBackfillCommand();
  const mayPauseAll = pipeline.allowedActions.includes('pause_replay');
  const safe = useSafeThrottle();
  const safeRate = governor?.safeRate ?? null;
  const why = plainWords(safeRate?.why ?? '', governor?.signals ?? []);
  const loud = verdict.level === 'risk';
  const uneasy = loud || verdict.level === 'watch';
  const steps = uneasy ? throttleSteps(backfills, pipeline, safeRate?.eventsPerSecond ?? null) : [];
  const pausable = usePauseChoice(backfills, verdict.suspects);
  const braked = pipeline.replayPaused;
  const settling = useSettling(`${pipeline.id} ${braked ? 'resume' : 'pause'}`);
  // One that has been paused leaves its place to the next: what stands behind it is not to be pressed by the same double click.
  const shifting = useSettling(pausable.map(({ id }) => id).join(' '));
  const throttles = steps.length > 0 || safe.busy;
  const grantsAny = backfills.some(({ effective }) => effective.eventsPerSecond > 0);
  const throttling = useSettling(throttles ? 'throttle' : '');

  return (
    <section className={styles.banner} data-level={verdict.level} aria-label="Verdict">
      <Icon aria-hidden size={30} className={styles.icon} />
      <div className={styles.body}>
        <div className={styles.text}>
          <p className={styles.level}>{words[verdict.level]}</p>
          <h1 className={styles.sentence}>{verdict.sentence}</h1>
          {verdict.reasons.length === 0 ? null : (
            <ul className={styles.reasons}>
              {verdict.reasons.map((reason) => (
                <li key={reason.replace(/\d/g, '#')}>{reason}</li>
              ))}
            </ul>
          )}
          {outage === null ? null : <p className={styles.brake}>{outage}</p>}
          {drill === undefined ? null : <p className={styles.brake}>{drillNote(drill)}</p>}
          {braked ? (
            <p className={styles.brake}>
              The emergency brake is on: no backfill of this pipeline runs until it is released.
            </p>
          ) : null}
          {uneasy && safeRate !== null && backfills.some(({ state }) => state === 'running') ? (
            <p className={styles.safe}>
              {safeRate.eventsPerSecond === null
                ? `The safe rate is unknown: ${why}.`
                : `Safe rate for all replay: ${formatRate(safeRate.eventsPerSecond)}. Why: ${why}.`}
            </p>
          ) : null}
          {safe.receipts.map(({ receipt, asked }) => (
            <ReceiptLine key={receipt.id} receipt={receipt} asked={asked} />
          ))}
        </div>
        <div className={styles.actions}>
          {/* What comes and goes stands behind what stays: nothing already there moves. */}
          {braked && pipeline.allowedActions.includes('resume_replay') ? (
            <Button
              leftSection={<IconPlayerPlay aria-hidden size={16} />}
              loading={brake.busy}
              disabled={settling}
              onClick={() => brake.resume(pipeline)}
            >
              Resume replay
            </Button>
          ) : null}
          {!braked && mayPauseAll ? (
            <Button
              {...(loud ? { color: 'alarm' } : {})}
              variant={loud ? 'filled' : 'default'}
              leftSection={<IconPlayerPause aria-hidden size={16} />}
              loading={brake.busy}
              onClick={() => brake.pause(pipeline)}
            >
              Pause all replay
            </Button>
          ) : null}
          {pausable.map((backfill) => (
            <Button
              key={backfill.id}
              variant="default"
              title={backfill.id}
              disabled={shifting}
              leftSection={<IconPlayerPause aria-hidden size={16} />}
              onClick={() => order({ backfill, verb: 'pause' })}
            >
              Pause {shortId(backfill.id)}
            </Button>
          ))}
          {throttles ? (
            <Button
              // Where nothing is let through, as after a lost worker, it eases nothing now.
              variant={grantsAny ? 'filled' : 'default'}
              leftSection={<IconArrowBarToDown aria-hidden size={16} />}
              loading={safe.busy}
              disabled={shifting}
              onClick={() => safe.throttle(steps)}
            >
              Throttle to safe rate
            </Button>
          ) : null}
          {/* For as long as it is told of, off once it has been pressed: its end moves nothing either. */}
          {drill !== undefined && pipeline.allowedActions.includes('release_drill') ? (
            <ReleaseButton drill={drill} disabled={shifting || throttling} />
          ) : null}
        </div>
      </div>
    </section>
  );
}

function usePauseChoice(backfills: readonly Backfill[], suspects: readonly Backfill[]): readonly Backfill[] {
  const [before, setBefore] = useState('');
  const choice = pauseChoice(backfills, suspects, before.split(' '));
  const ids = choice.map(({ id }) => id).join(' ');
  if (ids !== before) setBefore(ids);
  return choice;
}
