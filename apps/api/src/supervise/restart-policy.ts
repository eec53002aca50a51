/**
 * When a process that died is started again. Pure: times and chance are passed in.
 *
 * The first restart is at once in human terms (100 ms), the delay doubles with every death up to 5 s, and a process
 * that stayed healthy for 30 s starts from the beginning. 5 s, because after a fault heals progress must resume within
 * two lease periods (20 s, invariant 10). The jitter keeps processes that fell together from rising together.
 */
const FIRST_DELAY_MS = 100;
const DELAY_MAX_MS = 5_000;
const HEALTHY_AFTER_MS = 30_000;
/** A process that dies this often before it was ever ready will not become ready: the start has failed. */
const FAILED_STARTS_MAX = 3;

export interface RestartRecord {
  /** Deaths in a row without a healthy stretch between. */
  deaths: number;
  everReady: boolean;
}

export const NEVER_STARTED: RestartRecord = { deaths: 0, everReady: false };

export type RestartDecision =
  | { kind: 'restart'; afterMs: number; record: RestartRecord }
  | { kind: 'give-up'; record: RestartRecord };

/**
 * @param readyForMs how long it had been ready when it died; null when it never became ready this time
 * @param chance 0 ≤ chance < 1
 */
export function decideRestart(
  record: RestartRecord,
  readyForMs: number | null,
  chance: number,
): RestartDecision {
  const healthy = readyForMs !== null && readyForMs >= HEALTHY_AFTER_MS;
  const next = {
    deaths: healthy ? 1 : record.deaths + 1,
    everReady: record.everReady || readyForMs !== null,
  };
  if (!next.everReady && next.deaths >= FAILED_STARTS_MAX) return { kind: 'give-up', record: next };
  const ceilingMs = Math.min(DELAY_MAX_MS, FIRST_DELAY_MS * 2 ** (next.deaths - 1));
  return { kind: 'restart', afterMs: Math.round(ceilingMs * (0.5 + chance / 2)), record: next };
}
