import type { BackfillState } from '@spillway/shared/backfill/state-machine';

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

/** Few tones, each with one meaning: replay moves, somebody waits, proven, needs a hand, over. */
export type Tone = 'replay' | 'warn' | 'good' | 'bad' | 'quiet';

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
