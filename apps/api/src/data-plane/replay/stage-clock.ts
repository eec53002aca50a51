import type { Clock } from '../clock.ts';

/** `append` is the part of what is busy that the stream's server takes. */
export type StageActivity = 'busy' | 'append' | 'blocked' | 'idle';

/**
 * Where a stage's time went since it was last asked. Blocked is time downstream would not take more; idle is time there was
 * nothing to do or the rate allowed nothing. What is under way counts as far as it has come: a read that takes longer than the time between two
 * questions is no idleness. Several activities at once (two leases) simply share the sum.
 */
export class StageClock {
  readonly #clock: Clock;
  readonly #underWay = new Set<{ readonly activity: StageActivity; fromMs: number }>();
  #spentMs: Record<StageActivity, number> = nothing();

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

  /** Ratios that sum to 1, but for `appendRatio`, which is part of `busyRatio`. A stage nobody used was idle. */
  drain(): { busyRatio: number; blockedRatio: number; idleRatio: number; appendRatio: number } {
    const now = this.#clock.monotonic();
    for (const own of this.#underWay) {
      this.#spentMs[own.activity] += now - own.fromMs;
      own.fromMs = now;
    }
    const { busy, append, blocked, idle } = this.#spentMs;
    this.#spentMs = nothing();
    const total = busy + append + blocked + idle;
    if (total === 0) return { busyRatio: 0, blockedRatio: 0, idleRatio: 1, appendRatio: 0 };
    return {
      busyRatio: (busy + append) / total,
      blockedRatio: blocked / total,
      idleRatio: idle / total,
      appendRatio: append / total,
    };
  }
}

function nothing(): Record<StageActivity, number> {
  return { busy: 0, append: 0, blocked: 0, idle: 0 };
}
