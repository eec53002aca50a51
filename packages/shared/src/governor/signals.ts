/**
 * Is what was measured within its target?
 *
 * A signal without a target is shown and governs nothing. One that cannot be read, or is older than it may be, is unknown, and
 * counts as its fail mode says: `bad` unless someone chose otherwise.
 *
 * Hysteresis: it is breached beyond its target and well again only when it is a tenth within it. In between it is `near`: nothing
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
}

const NEAR_PART = 0.1;
const EASY_PART = 0.5;

export function verdictOf(reading: SignalReading): SignalVerdict {
  const { value, ageMs, staleAfterMs, target, worseWhen } = reading;
  if (target === null) return 'ungoverned';
  if (value === null || !Number.isFinite(value) || ageMs === null || ageMs > staleAfterMs) return 'unknown';
  const part = partOf(value, target, worseWhen);
  if (part > 1) return 'breached';
  return part > 1 - NEAR_PART ? 'near' : 'ok';
}

/** Of its target: beyond 1 is beyond the target, whichever way it is worse. */
function partOf(value: number, target: number, worseWhen: SignalReading['worseWhen']): number {
  if (worseWhen === 'above') return value / target;
  return value <= 0 ? Number.POSITIVE_INFINITY : target / value;
}

/** All signals together, as the adaptive ceiling hears them. `off`: none has a target. */
export type Health = 'off' | 'ok' | 'near' | 'breached';

export interface HealthReport {
  readonly health: Health;
  /** All that govern are less than half way to their targets: there is room to be quick. */
  readonly easy: boolean;
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
  for (const reading of readings) {
    const verdict = verdictOf(reading);
    if (verdict === 'ungoverned' || (verdict === 'unknown' && reading.failMode === 'ignore')) continue;
    easy &&= verdict === 'ok' && isEasy(reading);
    if (severity[verdict] <= worst.severity) continue;
    worst.severity = severity[verdict];
    worst.health = verdict === 'unknown' ? 'breached' : verdict;
    worst.because = verdict === 'ok' ? null : reading;
  }
  return { health: worst.health, easy: easy && worst.health === 'ok', because: worst.because };
}

function isEasy({ value, target, worseWhen }: SignalReading): boolean {
  return value !== null && target !== null && partOf(value, target, worseWhen) <= EASY_PART;
}

/** Not to know is worse than to know the worst: a breach can be steered by. */
const severity = { ok: 1, near: 2, breached: 3, unknown: 4 } as const;
