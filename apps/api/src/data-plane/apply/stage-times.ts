/**
 * How the applier's time goes, by phase, and since when the store has owed an answer.
 *
 * Where live and replay are committed side by side each has a loop, and each loop its phase. The applier as a whole is then in the one that says
 * most: what is held up before what works, what works before what rests. So the parts of an interval go on being 1 together, and rows ÷ time at work is
 * what the store takes with both at work.
 */
import type { Clock } from '../clock.ts';
import type { LaneName } from './next-batch.ts';

/**
 * Every moment is one of these. `preparing`: reading, ordering. `store`: a commit or vacuum is under way.
 * `pressed`: the same, while more entries wait than the commit takes: the store is what holds them up. So is one whose answer is
 * overdue, whatever waited when it was asked.
 * `blocked`: store or stream do not answer, waiting to try again. `idle`: no entry is waiting.
 */
export type Phase = 'preparing' | 'store' | 'pressed' | 'blocked' | 'idle';

/** What a loop is in says more than what stands behind it here. */
const TELLING: readonly Phase[] = ['pressed', 'blocked', 'store', 'preparing', 'idle'];
/** Ten times what a replay commit may take: an answer this late is not on its way. */
const OVERDUE_MS = 250;

interface LoopPhase {
  phase: Phase;
  /** Since when the store has owed this loop an answer; null: it owes none. */
  askedMs: number | null;
}

export class StageTimes {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #loops = new Map<LaneName, LoopPhase>();
  #spentMs = noTime();
  #accountedMs: number;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
    this.#accountedMs = clock.monotonic();
  }

  entered(loop: LaneName, phase: Phase): void {
    const now = this.#accountUntilNow();
    const askedMs = this.#loops.get(loop)?.askedMs ?? null;
    // A try that failed is not an answer: the question stands until one succeeds.
    const asks = phase === 'store' || phase === 'pressed';
    this.#loops.set(loop, { phase, askedMs: asks ? (askedMs ?? now) : phase === 'blocked' ? askedMs : null });
  }

  /** How long the store has owed an answer, the longest of the loops, ms; 0: it owes none. */
  silentMs(): number {
    const now = this.#clock.monotonic();
    return Math.max(0, ...[...this.#loops.values()].map(({ askedMs }) => now - (askedMs ?? now)));
  }

  /** Ms by phase since the last drain. */
  drain(): Record<Phase, number> {
    this.#accountUntilNow();
    const spentMs = this.#spentMs;
    this.#spentMs = noTime();
    return spentMs;
  }

  /** Phases change between two accounts only by answers that become overdue. */
  #accountUntilNow(): number {
    const now = this.#clock.monotonic();
    const loops = [...this.#loops.values()];
    const phase = TELLING.find((telling) => loops.some((loop) => loop.phase === telling)) ?? 'idle';
    const overdueFromMs = Math.min(
      ...loops.map((loop) =>
        loop.phase === 'store' ? (loop.askedMs ?? now) + OVERDUE_MS : Number.POSITIVE_INFINITY,
      ),
    );
    const overdueMs = Math.max(0, now - Math.max(this.#accountedMs, overdueFromMs));
    this.#spentMs.pressed += overdueMs;
    this.#spentMs[phase] += now - this.#accountedMs - overdueMs;
    this.#accountedMs = now;
    return now;
  }
}

function noTime(): Record<Phase, number> {
  return { preparing: 0, store: 0, pressed: 0, blocked: 0, idle: 0 };
}
