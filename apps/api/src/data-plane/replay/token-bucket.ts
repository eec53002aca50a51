/**
 * The ceiling of the replay reader: it may publish only the events it takes from this bucket. Nothing downstream of it
 * has to trust the controller, the network or the clock of the machine.
 *
 * The model is one integral. Between two looks at the clock the bucket earns what the rate allowed in that time, and it
 * never holds more than a burst:
 *
 *     rate(t)  = granted                          while t < validUntil
 *              = min(granted, safe)               while t < deadline      (the grant was not renewed)
 *              = 0                                from the deadline on    (the lease may be another's by now)
 *
 *     burst(r) = r · 18 ms + 1      (0 when r is 0)
 *     tokens   = min(tokens + 0.98 · ∫ rate dt, burst(rate(now)) - under way)
 *
 * where `under way` is what was taken and is not on the stream yet: a reader that loses its core in between, and comes back to a full
 * bucket, would release both at once. So in any window the events that reach the stream are at most ∫ rate dt + burst, however long each
 * append takes. (With t the level of a bucket that pays on arrival: tokens + under way ≤ t at all times, and t is never below 0.) From 500 events/s on the burst is no more than
 * r · 20 ms, and it is paid for: a bucket earns 98 % of its rate. So **no second holds more than r**, however the reader stumbles, and no 100 ms more than
 * 1.18 · r; that several sources together stay within their share is then a sum. The 18 ms are what a reader earns between two
 * visits although its timer is late; the 1 is the fraction of an event that a visit leaves behind. Hence a reader that
 * comes at least every 18 ms, its appends included, and takes all there is has 98 % of its rate; one that leaves what is not worth an append has to come
 * as much sooner.
 *
 * Falling to the safe rate never raises a rate: a paused reader (granted 0) stays paused when its grant runs out.
 * A slow-down takes effect with the call that brings it, because tokens above the new burst vanish.
 *
 * The clock is watched, not trusted. The bucket asks to be visited at least every 100 ms ({@link TokenBucket.msUntil});
 * a step of more than 250 ms in either direction is therefore a pause, a stall or a leap, and **time that nobody
 * watched earns nothing**. After an hour's pause, or a clock leaping an hour ahead, no more is there than before. After a
 * leap back the deadlines mean nothing any more: the rate is 0 until the next grant. Smaller steps back are waited out.
 */

const BURST_MS = 18;
/** The rest of a second is the burst's. */
const EARNED_PART = 0.98;
const LONGEST_NAP_MS = 100;
const LONGEST_STEP_MS = 250;

export interface TokenBucketOptions {
  /** Monotonic milliseconds, `performance.now` say. Deadlines are on the same clock. */
  readonly now: () => number;
}

export interface RateGrant {
  /** 0 stops. */
  readonly eventsPerSecond: number;
  /** Events/s, at most, once the grant has run out and until the lease's deadline. */
  readonly safeEventsPerSecond: number;
  /** On the bucket's clock: the moment from which the grant counts as not renewed. */
  readonly validUntilMs: number;
}

export class TokenBucket {
  readonly #now: () => number;
  #grantedEventsPerSecond = 0;
  #safeEventsPerSecond = 0;
  #validUntilMs = Number.NEGATIVE_INFINITY;
  #deadlineMs = Number.NEGATIVE_INFINITY;
  #tokens = 0;
  #underWay = 0;
  #watchedUntilMs: number;

  constructor(options: TokenBucketOptions) {
    this.#now = options.now;
    this.#watchedUntilMs = options.now();
  }

  setGrant({ eventsPerSecond, safeEventsPerSecond, validUntilMs }: RateGrant): void {
    requireRate(eventsPerSecond);
    requireRate(safeEventsPerSecond);
    this.#earn();
    this.#grantedEventsPerSecond = eventsPerSecond;
    this.#safeEventsPerSecond = safeEventsPerSecond;
    this.#validUntilMs = validUntilMs;
    this.#spill();
  }

  /** The lease: nothing is released from this moment on. Moves in both directions; before the first call nothing is released. */
  setDeadline(deadlineMs: number): void {
    this.#earn();
    this.#deadlineMs = deadlineMs;
    this.#spill();
  }

  /**
   * How many events, at most `max`, may be published now: none where there are fewer than `least`. They are under way until they are told to have
   * {@link arrived}.
   */
  take(max: number, least = 1): number {
    this.#earn();
    const there = Math.min(Math.floor(max), Math.floor(this.#tokens));
    const taken = there < Math.max(1, least) ? 0 : there;
    this.#tokens -= taken;
    this.#underWay += taken;
    return taken;
  }

  /** Of those taken, so many are on the stream, or never will be. */
  arrived(events: number): void {
    this.#earn();
    this.#underWay -= events;
  }

  /**
   * How long to wait before coming back, ms: until `n` events will be there (the burst, when `n` is more than it holds),
   * and never longer than 100 ms. 0 when they are there already.
   */
  msUntil(n: number): number {
    this.#earn();
    const rate = this.#rateAt(this.#watchedUntilMs);
    const missing = Math.min(n, Math.floor(burstOf(rate))) - this.#tokens;
    if (rate === 0) return LONGEST_NAP_MS;
    return Math.min(LONGEST_NAP_MS, Math.max(0, (missing / (EARNED_PART * rate)) * 1000));
  }

  /** Events/s in force now. */
  get eventsPerSecond(): number {
    this.#earn();
    return this.#rateAt(this.#watchedUntilMs);
  }

  #earn(): void {
    const from = this.#watchedUntilMs;
    const to = this.#now();
    const stepMs = to - from;
    if (stepMs < -LONGEST_STEP_MS) this.#grantedEventsPerSecond = 0;
    if (Math.abs(stepMs) > LONGEST_STEP_MS) this.#watchedUntilMs = to;
    else if (stepMs > 0) {
      this.#watchedUntilMs = to;
      this.#tokens += this.#allowedBetween(from, to);
    }
    this.#spill();
  }

  #spill(): void {
    const most = Math.max(0, burstOf(this.#rateAt(this.#watchedUntilMs)) - this.#underWay);
    this.#tokens = Math.min(this.#tokens, most);
  }

  /** What ∫ rate dt earns, in events. */
  #allowedBetween(fromMs: number, toMs: number): number {
    const deadline = within(fromMs, this.#deadlineMs, toMs);
    const expiry = within(fromMs, this.#validUntilMs, deadline);
    return (
      (EARNED_PART *
        ((expiry - fromMs) * this.#grantedEventsPerSecond +
          (deadline - expiry) * this.#unrenewedEventsPerSecond)) /
      1000
    );
  }

  #rateAt(timeMs: number): number {
    if (timeMs >= this.#deadlineMs) return 0;
    return timeMs < this.#validUntilMs ? this.#grantedEventsPerSecond : this.#unrenewedEventsPerSecond;
  }

  get #unrenewedEventsPerSecond(): number {
    return Math.min(this.#grantedEventsPerSecond, this.#safeEventsPerSecond);
  }
}

/** Events that may be released at once at this rate. */
export function burstOf(eventsPerSecond: number): number {
  return eventsPerSecond === 0 ? 0 : (eventsPerSecond * BURST_MS) / 1000 + 1;
}

function within(low: number, value: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

function requireRate(eventsPerSecond: number): number {
  if (!(eventsPerSecond >= 0 && Number.isFinite(eventsPerSecond)))
    throw new RangeError(`a rate is a finite number of events/s, not ${eventsPerSecond}`);
  return eventsPerSecond;
}
