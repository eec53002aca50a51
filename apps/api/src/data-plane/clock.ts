export interface Clock {
  /** Wall clock, epoch ms: stamps what others will read. */
  now(): number;
  /** Monotonic ms: deadlines and durations. */
  monotonic(): number;
}

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
