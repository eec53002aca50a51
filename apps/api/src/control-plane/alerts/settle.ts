/**
 * When a concern becomes an alert, what it says while it stands, and when it is over: pure, with the clock passed in.
 *
 * A concern is raised once it has held without a break for its rule's `raiseAfterMs`, and an alert is cleared once its concern has
 * been gone without a break for `clearAfterMs`: one that comes and goes neither fills the list nor hides a lasting one. While it
 * stands, its sentence follows its concern's every {@link SAY_AGAIN_MS}: often enough to act on, seldom enough to write; its severity at once. What
 * was raised before a fire drill is not told as one: it keeps its sentence until the drill is over. The memory is dispensable: after a restart a raised alert stays raised until it has been calm for as long again.
 */
import { type AlertPlace, alertRules, type Concern } from './rules.ts';
import { isOfDrill, type Said } from './sentences.ts';

const SAY_AGAIN_MS = 5_000;

export interface AlertMemory {
  /** Concerns not raised yet: since when they hold, ms. */
  readonly heldSince: ReadonlyMap<string, number>;
  /** Raised alerts whose concern is gone: since when, ms. */
  readonly calmSince: ReadonlyMap<string, number>;
  /** Raised alerts: when their sentence was last written, or they were first met, ms. */
  readonly saidAt: ReadonlyMap<string, number>;
}

/** `said` null: it keeps the sentence that it has. */
interface Sentence<Raised> {
  readonly alert: Raised;
  readonly said: Said | null;
  readonly severity: Concern['severity'];
}

export interface Settled<Raised> {
  readonly raise: readonly Concern[];
  /** Raised alerts that say something else now. */
  readonly say: readonly Sentence<Raised>[];
  readonly clear: readonly Raised[];
  readonly memory: AlertMemory;
}

export const nothingSeen: AlertMemory = { heldSince: new Map(), calmSince: new Map(), saidAt: new Map() };

/** `raised`: those of the database that can be judged now. The clock is monotonic. */
export function settleAlerts<Raised extends Omit<Concern, 'past'>>(
  nowMs: number,
  concerns: readonly Concern[],
  raised: readonly Raised[],
  before: AlertMemory,
): Settled<Raised> {
  const concerned = new Map(concerns.map((concern) => [keyOf(concern), concern]));
  const standing = new Set(raised.map(keyOf));

  const heldSince = new Map<string, number>();
  const raise: Concern[] = [];
  const saidAt = new Map<string, number>();
  for (const [key, concern] of concerned) {
    if (standing.has(key)) continue;
    const since = before.heldSince.get(key) ?? nowMs;
    heldSince.set(key, since);
    if (nowMs - since >= alertRules[concern.code].raiseAfterMs) {
      raise.push(concern);
      saidAt.set(key, nowMs);
    }
  }

  const calmSince = new Map<string, number>();
  const clear: Raised[] = [];
  const say: Sentence<Raised>[] = [];
  for (const alert of raised) {
    const key = keyOf(alert);
    const concern = concerned.get(key);
    const said = before.saidAt.get(key) ?? nowMs;
    saidAt.set(key, said);
    if (concern !== undefined) {
      const keeps =
        alertRules[alert.code].keepsSentence === true || (isOfDrill(concern) && !isOfDrill(alert));
      const differs = concern.detail !== alert.detail && !keeps;
      const turned = concern.severity !== alert.severity;
      if (!turned && (!differs || nowMs - said < SAY_AGAIN_MS)) continue;
      say.push({
        alert,
        said: differs ? { detail: concern.detail, past: concern.past } : null,
        severity: concern.severity,
      });
      saidAt.set(key, nowMs);
      continue;
    }
    const since = before.calmSince.get(key) ?? nowMs;
    calmSince.set(key, since);
    if (nowMs - since >= alertRules[alert.code].clearAfterMs) clear.push(alert);
  }
  return { raise, say, clear, memory: { heldSince, calmSince, saidAt } };
}

function keyOf({ pipelineId, code, subject, backfillId }: AlertPlace): string {
  return JSON.stringify([pipelineId, code, subject, backfillId]);
}
