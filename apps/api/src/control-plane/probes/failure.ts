import { OutboundFailure } from '../outbound/failure.ts';

/** Why a probe has no number. */
export class ProbeFailure extends OutboundFailure {}

/** Not to be tried again: by itself it would do the same harm once more. */
export class ProbeSuspension extends ProbeFailure {}
