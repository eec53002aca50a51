import { Button } from '@mantine/core';
import type { Backfill } from '@spillway/shared/api/backfill';
import { formatClock } from '../../../lib/instant.ts';
import { useLivePipeline } from '../../telemetry/components/live-context.ts';
import { describeChange } from '../model/limits.ts';
import styles from './throttle-panel.module.css';

interface StaleEditProps {
  readonly before: Backfill;
  readonly current: Backfill;
  readonly onMine: () => void;
  readonly onTheirs: () => void;
}

/** Somebody changed the backfill while this edit was open: who, when, what, and both ways out. */
export function StaleEdit({ before, current, onMine, onTheirs }: StaleEditProps) {
  const markers = useLivePipeline(current.pipelineId)?.markers ?? [];
  const marker = markers.findLast(
    ({ backfillId, action }) => backfillId === current.id && action.includes('throttle'),
  );
  const changes = describeChange(before.limits, current.limits);
  return (
    <div className={styles.stale} role="alert">
      <strong>
        {marker === undefined
          ? 'Somebody changed this backfill while you were editing.'
          : `${marker.actor} changed this backfill at ${formatClock(marker.at)} UTC, while you were editing.`}
      </strong>
      <ul>
        {changes.map((change) => (
          <li key={change}>{change}</li>
        ))}
      </ul>
      <div className={styles.buttons}>
        <Button variant="default" onClick={onTheirs}>
          Keep theirs
        </Button>
        <Button onClick={onMine}>Apply mine instead</Button>
      </div>
    </div>
  );
}
