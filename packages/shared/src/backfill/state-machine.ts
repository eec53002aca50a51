/**
 * The life of a backfill. This table is the specification: the server enforces it, a database CHECK mirrors its
 * states, and the control room offers the verbs it allows. Illegal edges vanish by omission.
 *
 * `pausing` and `cancelling` are what the operator asked; `paused` and `cancelled` are what the workers have done.
 */
export const backfillStates = [
  'queued',
  'running',
  'pausing',
  'paused',
  'verifying',
  'completed',
  'cancelling',
  'cancelled',
  'failed',
] as const;
export type BackfillState = (typeof backfillStates)[number];

export const transitions: Readonly<Record<BackfillState, readonly BackfillState[]>> = {
  // A source slot of the pipeline became free; or the operator changed their mind before anything ran.
  queued: ['running', 'cancelled'],
  // A hold was placed; every subwindow is applied; a subwindow failed for good; cancelled by the operator.
  running: ['pausing', 'verifying', 'failed', 'cancelling'],
  // The last worker has stopped; the hold was lifted before it did; cancelled meanwhile.
  pausing: ['paused', 'running', 'cancelling'],
  // The last hold was lifted.
  paused: ['running', 'cancelling'],
  // Proof matched; proof found a difference; cancelled while it looked.
  verifying: ['completed', 'failed', 'cancelling'],
  // The last worker has stopped.
  cancelling: ['cancelled'],
  // Retry: what is done stays done, failed subwindows run again. Or given up.
  failed: ['queued', 'cancelling'],
  completed: [],
  cancelled: [],
};

export const finalStates: readonly BackfillState[] = ['completed', 'cancelled'];

/** States in which the backfill may hold leases. */
export const activeStates: readonly BackfillState[] = ['running', 'pausing', 'verifying', 'cancelling'];

export const verbs = ['throttle', 'pause', 'resume', 'cancel', 'retry'] as const;
export type BackfillVerb = (typeof verbs)[number];

/** From which states an operator may use a verb. Automation uses the same table. */
export const verbStates: Readonly<Record<BackfillVerb, readonly BackfillState[]>> = {
  throttle: ['queued', 'running', 'pausing', 'paused'],
  pause: ['running'],
  resume: ['pausing', 'paused'],
  cancel: ['queued', 'running', 'pausing', 'paused', 'verifying', 'failed'],
  retry: ['failed'],
};

export function canTransition(from: BackfillState, to: BackfillState): boolean {
  return transitions[from].includes(to);
}

export function isFinal(state: BackfillState): boolean {
  return finalStates.includes(state);
}

/** Its state, and by what it is held. */
export interface Held {
  readonly state: BackfillState;
  readonly holds: readonly { readonly reason: string }[];
}

/** The table; and resuming, which lifts the operator's hold and no other, only where there is one. */
export function isPossible(verb: BackfillVerb, { state, holds }: Held): boolean {
  if (!verbStates[verb].includes(state)) return false;
  return verb !== 'resume' || holds.some(({ reason }) => reason === 'operator');
}

/** What the caller may do now: what is possible, narrowed by the caller's rights. A viewer may do nothing. */
export function allowedVerbs(held: Held, mayOperate: boolean): BackfillVerb[] {
  return mayOperate ? verbs.filter((verb) => isPossible(verb, held)) : [];
}
