/**
 * Is what was measured within its target?
 *
 * A signal without a target is shown and governs nothing. One that cannot be read, or is older than it may be, is unknown, and
 * counts as its fail mode says: `bad` unless someone chose otherwise.
 *
 * Hysteresis: it is breached beyond its target and well again only when it is a fifth within it. In between it is `near`: nothing
 * grows and nothing is cut, so a signal that trembles at its target moves nothing. One of which replay is held to a part is breached, for the
 * governor, beyond that part already, though it is shown as near.
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

const NEAR_PART = 0.8;
const GROSS_PART = 2;

export function verdictOf(reading: SignalReading): SignalVerdict {
  const { value, ageMs, staleAfterMs, target } = reading;
  if (target === null) return 'ungoverned';
  if (value === null || !Number.isFinite(value) || ageMs === null || ageMs > staleAfterMs) return 'unknown';
  const part = partOfTarget(reading);
  if (part > 1) return 'breached';
  return part > NEAR_PART ? 'near' : 'ok';
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
  /** Part of the way to where a signal is near its target that is left, of the worst that governs, 0..1. */
  readonly room: number;
  /** One is at twice what is held of its target or worse, or cannot be read: nothing to wait and see. */
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
  let room = 1;
  let gross = false;
  for (const reading of readings) {
    const verdict = heldVerdict(reading);
    if (verdict === 'ungoverned' || (verdict === 'unknown' && reading.failMode === 'ignore')) continue;
    gross ||= verdict === 'unknown' || heldParts(reading) >= GROSS_PART;
    room = Math.min(room, verdict === 'ok' ? 1 - partOfTarget(reading) / NEAR_PART : 0);
    if (severity[verdict] <= worst.severity) continue;
    worst.severity = severity[verdict];
    worst.health = verdict === 'unknown' ? 'breached' : verdict;
    worst.because = verdict === 'ok' ? null : reading;
  }
  return { health: worst.health, room: worst.health === 'off' ? 0 : room, gross, because: worst.because };
}

/** As it is shown, but breached as soon as it is beyond what replay is held to. */
function heldVerdict(reading: SignalReading): SignalVerdict {
  const verdict = verdictOf(reading);
  return (verdict === 'ok' || verdict === 'near') && heldParts(reading) > 1 ? 'breached' : verdict;
}

/** Of what replay is held to; beyond 1 is beyond it. */
function heldParts(reading: SignalReading): number {
  return partOfTarget(reading) / (reading.heldPart ?? 1);
}

/** Not to know is worse than to know the worst: a breach can be steered by. */
const severity = { ok: 1, near: 2, breached: 3, unknown: 4 } as const;
