/**
 * Is there room on the stream: before the run, for its peak; during it, for how long it may stay paused; and how to trim.
 *
 *     safe paused for = min(retention − age of the oldest unapplied entry,  (limit − unapplied) / growth of what is unapplied)      ms
 *
 * Only what nobody has to wait for is ever trimmed: up to the oldest entry a group has not finished with. Where retention is the broker's own
 * (a topic's), entries go by age or size, the oldest first, whether they are applied or not, and that is what a pause runs up against. What is
 * applied may go: a topic that stands at its limit with nothing unapplied on it loses nothing.
 */
import { UNTRIMMED_PART } from '../governor/trimming.ts';
import { spanText } from '../time/span.ts';

export interface Retention {
  /** Null: not limited in this way. */
  readonly ms: number | null;
  readonly entries: number | null;
  readonly bytes: number | null;
  /** It was accepted that it drops by size, or that nobody says when. Absent: these are all limits there are. */
  readonly isUncertain?: true;
}

export interface StreamNow {
  /** Entries that some group has not finished with. */
  readonly unapplied: number;
  /** Age of the oldest of them, ms; null: none waits. */
  readonly oldestUnappliedMs: number | null;
  /** While replay is paused: what live adds on a shared stream beyond what is applied, entries/s; 0 on its own. */
  readonly growthEntriesPerSecond: number;
  readonly bytesPerEntry: number;
}

/** Ms; null: nothing is lost however long replay stays paused. Never less than 0. */
export function safePausedForMs(retention: Retention, now: StreamNow): number | null {
  const limits: number[] = [];
  if (retention.ms !== null && now.oldestUnappliedMs !== null)
    limits.push(retention.ms - now.oldestUnappliedMs);
  const growth = now.growthEntriesPerSecond;
  const room = (limit: number) => ((limit - now.unapplied) / growth) * 1000;
  if (growth > 0) {
    if (retention.entries !== null) limits.push(room(retention.entries));
    if (retention.bytes !== null && now.bytesPerEntry > 0)
      limits.push(room(retention.bytes / now.bytesPerEntry));
  }
  return limits.length === 0 ? null : Math.max(0, Math.min(...limits));
}

/** A warning with so much to go, or with that part of the retention when it is less; critical with a quarter of either. */
export const pauseThresholds = { warnMs: 3_600_000, warnPart: 0.1, criticalPart: 0.25 } as const;

/** Null: there is time. `past`: the same, once it is over. */
export function pauseAlert(
  safeForMs: number | null,
  retention: Retention,
): { readonly severity: 'warning' | 'critical'; readonly detail: string; readonly past: string } | null {
  if (safeForMs === null) return null;
  const { warnMs: longest, warnPart, criticalPart } = pauseThresholds;
  const warnMs = Math.min(longest, retention.ms === null ? longest : retention.ms * warnPart);
  if (safeForMs > warnMs) return null;
  return {
    severity: safeForMs <= warnMs * criticalPart ? 'critical' : 'warning',
    ...(safeForMs > 0
      ? {
          detail: `Entries that are not applied are lost in ${spanText(safeForMs)}: have them applied, or lengthen the retention.`,
          past: `Entries that were not applied were ${spanText(safeForMs)} from being lost.`,
        }
      : {
          detail: 'Entries that are not applied are being lost: lengthen the retention.',
          past: 'Entries that were not applied were being lost.',
        }),
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
    { of: 'entries' as const, need: peak.length, limit: retention.entries },
    { of: 'bytes' as const, need: peak.bytes, limit: retention.bytes },
    { of: 'ms' as const, need: peak.waitMs, limit: retention.ms },
  ].flatMap(({ of, need, limit }) => (limit === null ? [] : [{ of, need, limit, part: need / limit }]));
  const [first, ...rest] = parts;
  if (first === undefined)
    return {
      fits: true,
      part: null,
      detail: retention.isUncertain
        ? 'How long the stream keeps its entries nobody says, as was accepted.'
        : 'Retention does not limit the stream.',
    };
  const tightest = rest.reduce((worst, one) => (one.part > worst.part ? one : worst), first);
  return {
    fits: tightest.part < 1,
    part: tightest.part,
    detail: `At its peak ${sizeText(tightest.of, tightest.need)} of the ${sizeText(tightest.of, tightest.limit)} that retention keeps.`,
  };
}

const TRIM_EVERY_MS_MAX = 10_000;

/** Applied entries pile up between two trims; this keeps them within a tenth of the high-water mark at the rate of the replay. Ms. */
export function trimEveryMs(highWaterMark: number, appliedEventsPerSecond: number): number {
  if (appliedEventsPerSecond <= 0) return TRIM_EVERY_MS_MAX;
  const ms = (UNTRIMMED_PART * highWaterMark * 1000) / appliedEventsPerSecond;
  return Math.max(1, Math.min(TRIM_EVERY_MS_MAX, Math.floor(ms)));
}

/** What a stream has to keep through the peak of a run, and how often to trim what is applied: for a broker or consumers of one's own. */
export interface TrimAdvice {
  readonly everyMs: number;
  readonly keepEntries: number;
  readonly keepBytes: number;
  readonly keepMs: number;
}

/** Twice the peak: a consumer that restarts, or is as slow again as was reckoned, must still find what it has not finished with. */
const KEEP_FACTOR = 2;

export function trimAdvice(
  peak: { readonly length: number; readonly bytes: number; readonly waitMs: number },
  highWaterMark: number,
  appliedEventsPerSecond: number,
): TrimAdvice {
  return {
    everyMs: trimEveryMs(highWaterMark, appliedEventsPerSecond),
    keepEntries: Math.ceil(KEEP_FACTOR * peak.length),
    keepBytes: Math.ceil(KEEP_FACTOR * peak.bytes),
    keepMs: Math.ceil(KEEP_FACTOR * peak.waitMs),
  };
}

const count = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });

function sizeText(of: 'entries' | 'bytes' | 'ms', size: number): string {
  if (of === 'ms') return size < 1_000 ? `${Math.ceil(size)} ms` : spanText(size);
  if (of === 'entries') return `${count.format(Math.ceil(size))} entries`;
  return `${(size / 2 ** 20).toFixed(1)} MiB`;
}
