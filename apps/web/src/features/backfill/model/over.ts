import type { Backfill } from '@spillway/shared/api/backfill';
import { verbStates } from '@spillway/shared/backfill/state-machine';
import { stateWords } from './state-look.ts';

const cannot = { cancel: 'it cannot be cancelled', throttle: 'its limit cannot be changed' } as const;

/** Why a dialog that asks about this verb has nothing to ask any more, in a sentence; null: the verb is still allowed. */
export function overWords(
  { state, allowedActions }: Pick<Backfill, 'state' | 'allowedActions'>,
  verb: keyof typeof cannot,
): string | null {
  if (allowedActions.includes(verb)) return null;
  // By its state it could be: then it is the caller who may not.
  if (verbStates[verb].includes(state)) return `By your rights ${cannot[verb]} any more.`;
  return `It is ${stateWords[state].replace('…', '').toLowerCase()} now: ${cannot[verb]} any more.`;
}
