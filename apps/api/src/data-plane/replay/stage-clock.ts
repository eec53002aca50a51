import type { Clock } from '../clock.ts';

export type StageActivity = 'busy' | 'blocked' | 'idle';

/**
 * Where a stage's time went since it was last asked. Blocked is time downstream would not take more; idle is time there was
 * nothing to do or the rate allowed nothing. What is under way counts as far as it has come: a read that takes longer than the time between two
 * questions is no idleness. Several activities at once (two leases) simply share the sum.
 */
export class StageClock {
  readonly #clock: Clock;
  readonly #underWay = new Set<{ readonly activity: StageActivity; fromMs: number }>();
  #spentMs: Record<StageActivity, number> = { busy: 0, blocked: 0, idle: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async during<T>(activity: StageActivity, work: () => Promise<T>): Promise<T> {
    const own = { activity, fromMs: this.#clock.monotonic() };
    this.#underWay.add(own);
    try {
      return await work();
    } finally {
      this.#underWay.delete(own);
      this.#spentMs[activity] += this.#clock.monotonic() - own.fromMs;
    }
  }

  /** Ratios that sum to 1. A stage nobody used was idle. */
  drain(): { busyRatio: number; blockedRatio: number; idleRatio: number } {
    const now = this.#clock.monotonic();
    for (const own of this.#underWay) {
      this.#spentMs[own.activity] += now - own.fromMs;
      own.fromMs = now;
    }
    const { busy, blocked, idle } = this.#spentMs;
    this.#spentMs = { busy: 0, blocked: 0, idle: 0 };
    const total = busy + blocked + idle;
    if (total === 0) return { busyRatio: 0, blockedRatio: 0, idleRatio: 1 };
    return { busyRatio: busy / total, blockedRatio: blocked / total, idleRatio: idle / total };
  }
}
