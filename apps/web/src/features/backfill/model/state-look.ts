import type { BackfillState } from '@spillway/shared/backfill/state-machine';
import type { Tone } from '../../../components/badge.tsx';

/** How each state reads. What was asked and has not happened yet ends in "…". */
export const stateWords: Readonly<Record<BackfillState, string>> = {
  queued: 'Queued',
  running: 'Running',
  pausing: 'Pausing…',
  paused: 'Paused',
  verifying: 'Verifying',
  completed: 'Completed',
  cancelling: 'Cancelling…',
  cancelled: 'Cancelled',
  failed: 'Failed',
};

export const stateTones: Readonly<Record<BackfillState, Tone>> = {
  queued: 'quiet',
  running: 'replay',
  pausing: 'warn',
  paused: 'warn',
  verifying: 'replay',
  completed: 'good',
  cancelling: 'quiet',
  cancelled: 'quiet',
  failed: 'bad',
};
