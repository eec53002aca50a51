/**
 * Is what was measured within its target?
 *
 * A signal without a target is shown and governs nothing. One that cannot be read, or is older than it may be, is unknown, and
 * counts as its fail mode says: `bad` unless someone chose otherwise.
 *
 * Hysteresis: it is breached beyond its target and well again only when it is a fifth within it. In between it is `near`: nothing
 * grows and nothing is cut, so a signal that trembles at its target moves nothing.
 */
import type { FailMode, SignalVerdict } from '../api/governor.ts';

export interface SignalReading {
  readonly name: string;
  /** Null: it could not be read. */
  readonly value: number | null;
  /** Since it was measured, ms; null when it never was. */
  readonly ageMs: number | null;
  /** Older than this it is unknown, ms. */
  readonly staleAfterMs: number;
  readonly target: number | null;
  readonly worseWhen: 'above' | 'below';
  readonly failMode: FailMode;
  /** Part of the target that replay is held to, (0, 1]; 1 when it is not given. What is shown is compared with the whole target. */
  readonly heldPart?: number;
}

const NEAR_PART = 0.2;
const EASY_PART = 0.5;
const GROSS_PART = 2;

export function verdictOf(reading: SignalReading): SignalVerdict {
  const { value, ageMs, staleAfterMs, target } = reading;
  if (target === null) return 'ungoverned';
  if (value === null || !Number.isFinite(value) || ageMs === null || ageMs > staleAfterMs) return 'unknown';
  const part = partOfTarget(reading);
  if (part > 1) return 'breached';
  return part > 1 - NEAR_PART ? 'near' : 'ok';
}

/** Beyond 1 is beyond the target, whichever way it is worse. */
function partOfTarget({ value, target, worseWhen }: SignalReading): number {
  if (value === null || target === null) return Number.POSITIVE_INFINITY;
  if (worseWhen === 'above') return value / target;
  return value <= 0 ? Number.POSITIVE_INFINITY : target / value;
}

/** What replay is held to of a signal's target. */
export function heldTarget({ target, worseWhen, heldPart = 1 }: SignalReading): number | null {
  if (target === null) return null;
  return worseWhen === 'above' ? target * heldPart : target / heldPart;
}

/** All signals together, as the adaptive ceiling hears them. `off`: none has a target. */
export type Health = 'off' | 'ok' | 'near' | 'breached';

export interface HealthReport {
  readonly health: Health;
  /** All that govern are less than half way to their targets: there is room to be quick. */
  readonly easy: boolean;
  /** One is at twice its target or worse, or cannot be read: nothing to wait and see. */
  readonly gross: boolean;
  /** The signal that made it so; null when all are well. */
  readonly because: SignalReading | null;
}

export function healthOf(readings: readonly SignalReading[]): HealthReport {
  const worst: { severity: number; health: Health; because: SignalReading | null } = {
    severity: 0,
    health: 'off',
    because: null,
  };
  let easy = true;
  let gross = false;
  for (const reading of readings) {
    const held = { ...reading, target: heldTarget(reading) };
    const verdict = verdictOf(held);
    if (verdict === 'ungoverned' || (verdict === 'unknown' && reading.failMode === 'ignore')) continue;
    gross ||= verdict === 'unknown' || (verdict === 'breached' && partOfTarget(held) >= GROSS_PART);
    easy &&= verdict === 'ok' && partOfTarget(held) <= EASY_PART;
    if (severity[verdict] <= worst.severity) continue;
    worst.severity = severity[verdict];
    worst.health = verdict === 'unknown' ? 'breached' : verdict;
    worst.because = verdict === 'ok' ? null : reading;
  }
  return { health: worst.health, easy: easy && worst.health === 'ok', gross, because: worst.because };
}

/** Not to know is worse than to know the worst: a breach can be steered by. */
const severity = { ok: 1, near: 2, breached: 3, unknown: 4 } as const;
