import type { GovernorView } from '@spillway/shared/api/governor';
import type { Pipeline, ReplayRate } from '@spillway/shared/api/pipeline';
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconEye,
  IconHandStop,
  IconHelpCircle,
  IconTornado,
  type TablerIcon,
} from '@tabler/icons-react';
import { Badge, type Tone } from '../../../components/badge.tsx';
import styles from '../../../components/form.module.css';
import { Panel } from '../../../components/panel.tsx';
import { formatRate } from '../../../lib/format.ts';
import { CeilingBars } from '../../backfill/components/ceiling-bars.tsx';
import { usePast } from '../../past/components/past-context.ts';
import {
  bindingOf,
  ceilingsAsTheyAct,
  floorMeaning,
  phaseMeaning,
  phaseWords,
} from '../model/governor-words.ts';
import { plainWords } from '../model/plain-words.ts';
import { type Standing, standingOf } from '../model/standing.ts';

/** What all replay of the pipeline together may use now, and why not more. */
export function GovernorPanel({
  governor,
  capacity,
  replay,
  stale,
}: {
  readonly governor: GovernorView;
  readonly capacity: Pipeline['capacity'];
  readonly replay: ReplayRate | null;
  readonly stale: boolean;
}) {
  const { hardStop, storm, safeRate } = governor;
  const ceilings = ceilingsAsTheyAct(governor);
  const when = usePast() === null ? 'now' : 'then';
  return (
    <Panel
      title="Governor"
      hint="What all replay together may use"
      aside={<StandingBadge governor={governor} stale={stale} />}
      stale={stale}
    >
      <div className={styles.form}>
        <dl className={styles.facts}>
          <div>
            <dt>Safe rate</dt>
            <dd>{formatRate(safeRate.eventsPerSecond)}</dd>
            <dd className={styles.note}>{plainWords(safeRate.why, governor.signals)}</dd>
          </div>
          <div>
            <dt>Floor</dt>
            <dd>{formatRate(capacity.eventsPerSecond !== null ? governor.floorEventsPerSecond : null)}</dd>
            <dd className={styles.note}>
              {hardStop !== null ? 'not now: the hard stop goes before it' : floorMeaning(capacity)}
            </dd>
          </div>
          <div>
            <dt>Adaptive ceiling</dt>
            <dd>{phaseWords[governor.adaptivePhase]}</dd>
            <dd className={styles.note}>{phaseMeaning(governor)}</dd>
          </div>
        </dl>
        {hardStop === null ? null : <p>Nothing is replayed: {hardStop}.</p>}
        {storm ? (
          <p>Live lag has been growing while replay ran. Replay is cut to its floor until it falls.</p>
        ) : null}
        <div>
          <CeilingBars
            signals={governor.signals}
            effective={{ ceilings: [...ceilings], binding: bindingOf(ceilings) }}
            reached={{
              label: `${replay?.of === 'published' ? 'Published' : 'Applied'} ${when}`,
              eventsPerSecond: replay?.eventsPerSecond ?? null,
            }}
          />
        </div>
      </div>
    </Panel>
  );
}

const looks: Readonly<
  Record<Standing, { readonly tone: Tone; readonly icon: TablerIcon; readonly word: string }>
> = {
  hard_stop: { tone: 'bad', icon: IconHandStop, word: 'Hard stop' },
  storm: { tone: 'bad', icon: IconTornado, word: 'Storm' },
  blind: { tone: 'warn', icon: IconHelpCircle, word: 'Held to the floor' },
  cutting: { tone: 'warn', icon: IconAlertTriangle, word: 'Cutting replay' },
  unwatched: { tone: 'quiet', icon: IconEye, word: 'No targets' },
  calm: { tone: 'good', icon: IconCircleCheck, word: 'Calm' },
};

/** Of what was last known nothing is claimed. */
function StandingBadge({ governor, stale }: { readonly governor: GovernorView; readonly stale: boolean }) {
  if (stale)
    return (
      <Badge tone="quiet" icon={IconHelpCircle} state="stale">
        Last known
      </Badge>
    );
  const standing = standingOf(governor);
  const { tone, icon, word } = looks[standing];
  return (
    <Badge tone={tone} icon={icon} state={standing}>
      {word}
    </Badge>
  );
}
