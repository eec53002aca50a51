import type { GovernorView } from '@spillway/shared/api/governor';

/**
 * What the governor does now, in one word, the strongest first. `blind`: a signal that counts as bad cannot be read, which holds
 * replay to its floor; `unwatched`: none with a target is read, so that nothing can be told to be well.
 */
export type Standing = 'hard_stop' | 'storm' | 'blind' | 'cutting' | 'unwatched' | 'calm';

export function standingOf({
  hardStop,
  storm,
  signals,
}: Pick<GovernorView, 'hardStop' | 'storm' | 'signals'>): Standing {
  if (hardStop !== null) return 'hard_stop';
  if (storm) return 'storm';
  if (signals.some(({ verdict, failMode }) => verdict === 'unknown' && failMode === 'bad')) return 'blind';
  if (signals.some(({ verdict }) => verdict === 'breached')) return 'cutting';
  return signals.some(({ verdict }) => verdict === 'ok' || verdict === 'near') ? 'calm' : 'unwatched';
}
