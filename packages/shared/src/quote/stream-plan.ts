/**
 * Is there room on the stream: before the run, for its peak; during it, for how long it may stay paused; and how to trim.
 *
 *     safe paused for = min(retention − age of the oldest unapplied entry,  (limit − size) / growth)      ms
 *
 * Only what nobody has to wait for is ever trimmed: up to the oldest entry a group has not finished with. Where retention is the broker's own
 * (a topic's), entries go by age or size whether they are applied or not, and that is what a pause runs up against.
 */
export interface Retention {
  /** Null: not limited in this way. */
  readonly ms: number | null;
  readonly entries: number | null;
  readonly bytes: number | null;
}

export interface StreamNow {
  readonly length: number;
  readonly lengthBytes: number;
  /** Age of the oldest entry not yet applied, ms; null: none waits. */
  readonly oldestUnappliedMs: number | null;
  /** While replay is paused: what live still adds on a shared stream, entries/s; 0 on its own. */
  readonly growthEntriesPerSecond: number;
  readonly bytesPerEntry: number;
}

/** Ms; null: nothing is lost however long replay stays paused. Never less than 0. */
export function safePausedForMs(retention: Retention, now: StreamNow): number | null {
  const limits: number[] = [];
  if (retention.ms !== null && now.oldestUnappliedMs !== null)
    limits.push(retention.ms - now.oldestUnappliedMs);
  const growth = now.growthEntriesPerSecond;
  if (growth > 0) {
    if (retention.entries !== null) limits.push(((retention.entries - now.length) / growth) * 1000);
    if (retention.bytes !== null && now.bytesPerEntry > 0)
      limits.push(((retention.bytes - now.lengthBytes) / (growth * now.bytesPerEntry)) * 1000);
  }
  return limits.length === 0 ? null : Math.max(0, Math.min(...limits));
}

/** Warned with an hour to go, or a tenth of the retention when that is less; critical with a quarter of that. */
const WARN_MS = 3_600_000;
const WARN_PART = 0.1;
const CRITICAL_PART = 0.25;

/** Null: there is time. */
export function pauseAlert(
  safeForMs: number | null,
  retention: Retention,
): { readonly severity: 'warning' | 'critical'; readonly detail: string } | null {
  if (safeForMs === null) return null;
  const warnMs = Math.min(WARN_MS, retention.ms === null ? WARN_MS : retention.ms * WARN_PART);
  if (safeForMs > warnMs) return null;
  const minutes = Math.floor(safeForMs / 60_000);
  return {
    severity: safeForMs <= warnMs * CRITICAL_PART ? 'critical' : 'warning',
    detail: `Entries that are not applied are lost in ${minutes} min: resume, or lengthen the retention.`,
  };
}

export interface StreamRoom {
  readonly fits: boolean;
  /** Peak ÷ the tightest limit; null: there is none. */
  readonly part: number | null;
  readonly detail: string;
}

/** `waitMs`: how long an entry waits at the peak before it is applied. */
export function roomFor(
  peak: { readonly length: number; readonly bytes: number; readonly waitMs: number },
  retention: Retention,
): StreamRoom {
  const parts = [
    { of: 'entries', need: peak.length, limit: retention.entries },
    { of: 'bytes', need: peak.bytes, limit: retention.bytes },
    { of: 'ms', need: peak.waitMs, limit: retention.ms },
  ].flatMap(({ of, need, limit }) => (limit === null ? [] : [{ of, need, limit, part: need / limit }]));
  const [first, ...rest] = parts;
  if (first === undefined) return { fits: true, part: null, detail: 'Retention does not limit the stream.' };
  const tightest = rest.reduce((worst, one) => (one.part > worst.part ? one : worst), first);
  return {
    fits: tightest.part < 1,
    part: tightest.part,
    detail: `At its peak ${Math.ceil(tightest.need)} of ${tightest.limit} ${tightest.of} that retention keeps.`,
  };
}

const TRIM_AT_MOST_PART = 0.1;
const TRIM_EVERY_MS_MAX = 10_000;

/** Applied entries pile up between two trims; this keeps them within a tenth of the high-water mark at the rate of the replay. Ms. */
export function trimEveryMs(highWaterMark: number, appliedEventsPerSecond: number): number {
  if (appliedEventsPerSecond <= 0) return TRIM_EVERY_MS_MAX;
  const ms = (TRIM_AT_MOST_PART * highWaterMark * 1000) / appliedEventsPerSecond;
  return Math.max(1, Math.min(TRIM_EVERY_MS_MAX, Math.floor(ms)));
}
