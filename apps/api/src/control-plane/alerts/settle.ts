/**
 * When a concern becomes an alert, and when an alert is over: pure, with the clock passed in.
 *
 * A concern is raised once it has held without a break for its rule's `raiseAfterMs`, and an alert is cleared once its concern has
 * been gone without a break for `clearAfterMs`: one that comes and goes neither fills the list nor hides a lasting one. The
 * memory is dispensable: after a restart a raised alert stays raised until it has been calm for as long again.
 */
import { type AlertPlace, alertRules, type Concern } from './rules.ts';

export interface AlertMemory {
  /** Concerns not raised yet: since when they hold, ms. */
  readonly heldSince: ReadonlyMap<string, number>;
  /** Raised alerts whose concern is gone: since when, ms. */
  readonly calmSince: ReadonlyMap<string, number>;
}

export interface Settled<Raised extends AlertPlace> {
  readonly raise: readonly Concern[];
  readonly clear: readonly Raised[];
  readonly memory: AlertMemory;
}

export const nothingSeen: AlertMemory = { heldSince: new Map(), calmSince: new Map() };

/** `raised`: those of the database that can be judged now. The clock is monotonic. */
export function settleAlerts<Raised extends AlertPlace>(
  nowMs: number,
  concerns: readonly Concern[],
  raised: readonly Raised[],
  before: AlertMemory,
): Settled<Raised> {
  const concerned = new Map(concerns.map((concern) => [keyOf(concern), concern]));
  const standing = new Set(raised.map(keyOf));

  const heldSince = new Map<string, number>();
  const raise: Concern[] = [];
  for (const [key, concern] of concerned) {
    if (standing.has(key)) continue;
    const since = before.heldSince.get(key) ?? nowMs;
    heldSince.set(key, since);
    if (nowMs - since >= alertRules[concern.code].raiseAfterMs) raise.push(concern);
  }

  const calmSince = new Map<string, number>();
  const clear: Raised[] = [];
  for (const alert of raised) {
    const key = keyOf(alert);
    if (concerned.has(key)) continue;
    const since = before.calmSince.get(key) ?? nowMs;
    calmSince.set(key, since);
    if (nowMs - since >= alertRules[alert.code].clearAfterMs) clear.push(alert);
  }
  return { raise, clear, memory: { heldSince, calmSince } };
}

function keyOf({ pipelineId, code, subject, backfillId }: AlertPlace): string {
  return JSON.stringify([pipelineId, code, subject, backfillId]);
}
