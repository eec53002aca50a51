import type { BackfillState } from '@spillway/shared/backfill/state-machine';
import {
  IconAlertTriangle,
  IconBan,
  IconCircleCheck,
  IconClockHour4,
  IconPlayerPause,
  IconPlayerPlay,
  IconShieldSearch,
} from '@tabler/icons-react';
import { stateTones, stateWords } from '../model/state-look.ts';
import styles from './state-badge.module.css';

const icons: Readonly<Record<BackfillState, typeof IconBan>> = {
  queued: IconClockHour4,
  running: IconPlayerPlay,
  pausing: IconPlayerPause,
  paused: IconPlayerPause,
  verifying: IconShieldSearch,
  completed: IconCircleCheck,
  cancelling: IconBan,
  cancelled: IconBan,
  failed: IconAlertTriangle,
};

/** A state is always colour, icon and word. */
export function StateBadge({
  state,
  size = 'small',
}: {
  readonly state: BackfillState;
  readonly size?: 'small' | 'large';
}) {
  const Icon = icons[state];
  return (
    <span className={styles.badge} data-tone={stateTones[state]} data-size={size} data-state={state}>
      <Icon aria-hidden size={size === 'large' ? 18 : 14} stroke={2.2} />
      {stateWords[state]}
    </span>
  );
}
