import type { Drill } from '@spillway/shared/api/governor';
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconFlame,
  IconRefresh,
  type TablerIcon,
} from '@tabler/icons-react';
import { Badge, type Tone } from '../../../components/badge.tsx';
import { formatCount, formatMs, known } from '../../../lib/format.ts';
import { formatClock } from '../../../lib/instant.ts';
import { useNow } from '../../../lib/use-now.ts';
import { underWay } from '../api/drills.ts';
import { type DrillOutcome, outcomeOf } from '../model/drill-words.ts';
import { timelineOf } from '../model/timeline.ts';
import styles from './drill-report.module.css';

const looks: Readonly<
  Record<DrillOutcome, { readonly tone: Tone; readonly word: string; readonly icon: TablerIcon }>
> = {
  stalling: { tone: 'bad', word: 'Store stalled', icon: IconFlame },
  recovering: { tone: 'warn', word: 'Recovering', icon: IconRefresh },
  finished: { tone: 'good', word: 'Finished', icon: IconCircleCheck },
  not_recovered: { tone: 'warn', word: 'Ended, not recovered', icon: IconAlertTriangle },
  failed: { tone: 'bad', word: 'Failed', icon: IconAlertTriangle },
};

/** What a drill showed: the chain filling from the store back to the reader, and how long until all was normal. */
export function DrillReport({ drill }: { readonly drill: Drill }) {
  const nowMs = useNow();
  const look = looks[outcomeOf(drill)];
  const pending = underWay(drill);
  return (
    <article className={styles.report} aria-label={`Drill of ${formatClock(drill.requestedAt)} UTC`}>
      <header className={styles.head}>
        <h3 className={styles.title}>
          {formatMs(drill.forMs)} stall at {formatClock(drill.requestedAt)} UTC
        </h3>
        <Badge tone={look.tone} icon={look.icon} state={drill.state}>
          {look.word}
        </Badge>
        <span className={styles.soft}>by {drill.startedBy}</span>
      </header>
      {drill.detail === null ? null : <p className={styles.soft}>{drill.detail}</p>}
      <ol className={styles.line}>
        {timelineOf(drill, nowMs).map(({ name, afterMs, place }) => (
          <li key={name} data-unseen={afterMs === null || undefined}>
            <span className={styles.name}>{name}</span>
            <span className={styles.track} aria-hidden>
              {place === null ? null : <i style={{ left: `${place * 100}%` }} />}
            </span>
            <span className={styles.time}>
              {afterMs !== null ? `+${formatMs(afterMs)}` : pending ? 'not yet' : 'not seen'}
            </span>
          </li>
        ))}
      </ol>
      <p className={styles.soft}>
        Most entries in the replay stream: {formatCount(drill.peakBacklog)}
        {known(drill.peakBacklog) ? '' : ' (nothing was replayed, or it was not seen)'}
      </p>
    </article>
  );
}
