/**
 * When a process that died is started again. Pure: times and chance are passed in.
 *
 * The first restart is at once in human terms (100 ms), the delay doubles with every death up to 5 s, and a process
 * that stayed healthy for 30 s starts from the beginning. 5 s, because after a fault heals progress must resume within
 * two lease periods (20 s, invariant 10). The jitter keeps processes that fell together from rising together.
 *
 * What was refused is refused again until somebody has mended a setting: a worker whose store or streams are not the installation's, whoever cannot
 * use its settings. Nor need it be its own that are wrong, so it is tried for ever, first after 5 s, then less and less often, up to a minute. An api
 * whose address this machine has not (yet), or that another holds, is none of these: what it waits for comes by itself.
 */
import { EXIT_UNREACHABLE, EXIT_WRONG_SETTINGS } from '../exit-codes.ts';
import type { Tier } from './drain-order.ts';

const FIRST_DELAY_MS = 100;
const DELAY_MAX_MS = 5_000;
const FIRST_DELAY_REFUSED_MS = 5_000;
const DELAY_REFUSED_MAX_MS = 60_000;
const HEALTHY_AFTER_MS = 30_000;
/** A process that dies this often before it was ever ready will not become ready: the start has failed. */
const FAILED_STARTS_MAX = 3;

export interface RestartRecord {
  /** Deaths in a row without a healthy stretch between. */
  deaths: number;
  everReady: boolean;
}

export const NEVER_STARTED: RestartRecord = { deaths: 0, everReady: false };

export interface Death {
  readonly tier: Tier;
  /** Null: a signal ended it. */
  readonly exitCode: number | null;
  /** How long it had been ready; null when it never became ready this time. */
  readonly readyForMs: number | null;
}

export type RestartDecision =
  | { kind: 'restart' | 'refused'; afterMs: number; record: RestartRecord }
  | { kind: 'give-up'; record: RestartRecord };

/** @param chance 0 ≤ chance < 1 */
export function decideRestart(record: RestartRecord, death: Death, chance: number): RestartDecision {
  const { readyForMs } = death;
  const healthy = readyForMs !== null && readyForMs >= HEALTHY_AFTER_MS;
  const next = {
    deaths: healthy ? 1 : record.deaths + 1,
    everReady: record.everReady || readyForMs !== null,
  };
  if (!next.everReady && next.deaths >= FAILED_STARTS_MAX) return { kind: 'give-up', record: next };
  const refused = next.everReady && wasRefused(death);
  const [firstMs, maxMs] = refused
    ? [FIRST_DELAY_REFUSED_MS, DELAY_REFUSED_MAX_MS]
    : [FIRST_DELAY_MS, DELAY_MAX_MS];
  const ceilingMs = Math.min(maxMs, firstMs * 2 ** (next.deaths - 1));
  const afterMs = Math.round(ceilingMs * (0.5 + chance / 2));
  return { kind: refused ? 'refused' : 'restart', afterMs, record: next };
}

/** For a reason that a restart does not mend. Of a supervised worker no other place that is out of reach ends it. */
function wasRefused({ tier, exitCode }: Death): boolean {
  return exitCode === EXIT_WRONG_SETTINGS || (tier === 'worker' && exitCode === EXIT_UNREACHABLE);
}
