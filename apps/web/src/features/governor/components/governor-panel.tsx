import type { GovernorView } from '@spillway/shared/api/governor';
import { IconAlertTriangle, IconCircleCheck, IconHandStop, IconTornado } from '@tabler/icons-react';
import { Badge } from '../../../components/badge.tsx';
import styles from '../../../components/form.module.css';
import { Panel } from '../../../components/panel.tsx';
import { formatRate } from '../../../lib/format.ts';
import { CeilingBars } from '../../backfill/components/ceiling-bars.tsx';
import { aboveFloor, bindingOf, phaseWords } from '../model/governor-words.ts';
import { plainWords } from '../model/plain-words.ts';

/** What all replay of the pipeline together may use now, and why not more. */
export function GovernorPanel({
  governor,
  replayEventsPerSecond,
}: {
  readonly governor: GovernorView;
  readonly replayEventsPerSecond: number | null;
}) {
  const { hardStop, storm, safeRate } = governor;
  const ceilings = [...aboveFloor(governor)];
  return (
    <Panel title="Governor" hint="What all replay together may use" aside={<Standing governor={governor} />}>
      <div className={styles.form}>
        <dl className={styles.facts}>
          <div>
            <dt>Safe rate</dt>
            <dd>{formatRate(safeRate.eventsPerSecond)}</dd>
            <dd className={styles.note}>{plainWords(safeRate.why, governor.signals)}</dd>
          </div>
          <div>
            <dt>Floor</dt>
            <dd>{formatRate(governor.floorEventsPerSecond)}</dd>
            <dd className={styles.note}>
              {hardStop === null ? 'kept whatever live needs' : 'not now: the hard stop goes before it'}
            </dd>
          </div>
          <div>
            <dt>Adaptive ceiling</dt>
            <dd>{phaseWords[governor.adaptivePhase].word}</dd>
            <dd className={styles.note}>{phaseWords[governor.adaptivePhase].meaning}</dd>
          </div>
        </dl>
        {hardStop === null ? null : <p>Nothing is replayed: {hardStop}.</p>}
        {storm ? (
          <p>Live lag has been growing while replay ran. Replay is cut to its floor until it falls.</p>
        ) : null}
        <div>
          <CeilingBars
            signals={governor.signals}
            effective={{ ceilings, binding: bindingOf(ceilings) }}
            reached={{ label: 'Replayed now', eventsPerSecond: replayEventsPerSecond }}
          />
        </div>
      </div>
    </Panel>
  );
}

function Standing({ governor }: { readonly governor: GovernorView }) {
  if (governor.hardStop !== null)
    return (
      <Badge tone="bad" icon={IconHandStop} state="hard_stop">
        Hard stop
      </Badge>
    );
  if (governor.storm)
    return (
      <Badge tone="bad" icon={IconTornado} state="storm">
        Storm
      </Badge>
    );
  const breached = governor.signals.some(({ verdict }) => verdict === 'breached');
  return breached ? (
    <Badge tone="warn" icon={IconAlertTriangle} state="cutting">
      Cutting replay
    </Badge>
  ) : (
    <Badge tone="good" icon={IconCircleCheck} state="calm">
      Calm
    </Badge>
  );
}
