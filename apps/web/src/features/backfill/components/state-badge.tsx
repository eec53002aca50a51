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
import { Badge } from '../../../components/badge.tsx';
import { stateTones, stateWords } from '../model/state-look.ts';

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

export function StateBadge({
  state,
  size = 'small',
}: {
  readonly state: BackfillState;
  readonly size?: 'small' | 'large';
}) {
  return (
    <Badge tone={stateTones[state]} icon={icons[state]} size={size} state={state}>
      {stateWords[state]}
    </Badge>
  );
}
