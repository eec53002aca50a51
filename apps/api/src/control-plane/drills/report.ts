/**
 * What happened in a fire drill, told from measurements only: looks at what the workers report come in, the report comes out. Pure.
 *
 * A stage is filled when it takes nothing more:
 *
 * - store: it owes an answer that is overdue. Since when is what the applier measured, told with its report.
 * - aggregate: the applier has waited for the store throughout a tick; filled since that waiting began.
 * - stream: the replay's stream is at its high-water mark: when a report said so, or when the reader's gate found it there.
 * - source: the reader has stopped at its gate; the worker noted the time. The governor may have stopped replay before that, which is
 *   a moment of its own: then the stream is not filled, and nobody comes to the gate.
 *
 * Normal again is the last of: live is as fresh as its target (or as twice of what it was before), the backlog is below the low-water
 * mark, the reader is back at nine tenths of its rate. Whoever looks 20 times a second and is told four times a second sees this
 * to about a quarter of a second; only the reader's stop is exact.
 */
import type { Drill } from '@spillway/shared/api/governor';
import { type Tick, tickMs } from '@spillway/shared/api/worker-protocol';

type Gate = NonNullable<Tick['replay']>['gates'][number];
export type DrillStage = Drill['stages'][number]['stage'];

/** The pipeline as it was just before. */
export interface DrillSetting {
  readonly highWaterMark: number;
  readonly freshnessTargetMs: number | null;
  readonly freshnessMsBefore: number | null;
  /** Published; null: no replay was running. */
  readonly replayEventsPerSecondBefore: number | null;
}

export interface DrillLook {
  /** Epoch ms. */
  readonly atMs: number;
  /** The applier's report, when it is a new one. Null: no news. */
  readonly applier: {
    readonly storeSilentMs: number;
    readonly blockedRatio: number | null;
    /** The applied or the oldest waiting, whichever is worse; null: no live event came. */
    readonly freshnessMs: number | null;
    /** Age of the oldest live entry that waits; null: unknown. */
    readonly liveLagMs: number | null;
    /** Entries on the stream that replay uses. */
    readonly backlog: number | null;
  } | null;
  /** Of every reader, at that stream. */
  readonly gates: readonly Gate[];
  readonly replayEventsPerSecond: number | null;
  readonly grantedEventsPerSecond: number | null;
  /** A backfill of the pipeline is running. */
  readonly replayRuns: boolean;
}

/** Times are epoch ms. */
export interface DrillProgress {
  readonly state: Drill['state'];
  readonly stalledAt: number | null;
  readonly storeFilledAt: number | null;
  readonly aggregateFilledAt: number | null;
  readonly markSeenAt: number | null;
  readonly readerStoppedAt: number | null;
  readonly peakBacklog: number | null;
  readonly releasedAt: number | null;
  /** Who wants it over before its time, of `forMs`. Kept only while nothing else has ended the stall. */
  readonly calledOff: { readonly by: string; readonly forMs: number } | null;
  /** The governor gave replay nothing any more, while it was wanted. */
  readonly governorStoppedAt: number | null;
  readonly backlogDoneAt: number | null;
  readonly replayBackAt: number | null;
  readonly replayEnded: boolean;
  readonly recoveredAt: number | null;
  /** Set when the drill failed, or when it ended without all being normal. */
  readonly trouble: string | null;
}

const GATE_LOW_WATER_RATIO = 0.8;
const RECOVERY_LIMIT_MS = 60_000;
/** Several times what a commit takes: an answer this late is not on its way. */
const OVERDUE_MS = 100;
const WHOLE_TICK = 0.95;
const RATE_BACK = 0.9;

export const notStalled: DrillProgress = {
  state: 'stalling',
  stalledAt: null,
  storeFilledAt: null,
  aggregateFilledAt: null,
  markSeenAt: null,
  readerStoppedAt: null,
  peakBacklog: null,
  releasedAt: null,
  calledOff: null,
  governorStoppedAt: null,
  backlogDoneAt: null,
  replayBackAt: null,
  replayEnded: false,
  recoveredAt: null,
  trouble: null,
};

export function stalled(before: DrillProgress, atMs: number): DrillProgress {
  return { ...before, stalledAt: atMs };
}

/** Somebody wants the store back now; it is, once {@link released} says so. Who comes second, or when the stall is over, changes nothing. */
export function calledOff(
  before: DrillProgress,
  request: NonNullable<DrillProgress['calledOff']>,
): DrillProgress {
  return before.state === 'stalling' && before.calledOff === null
    ? { ...before, calledOff: request }
    : before;
}

export function released(before: DrillProgress, atMs: number): DrillProgress {
  return { ...before, state: 'recovering', releasedAt: atMs };
}

/**
 * What was held is released all the same: `atMs`. By what failed then, not by whoever had called it off. One that was called off
 * before it stalled anything has no other reason than that.
 */
export function failed(before: DrillProgress, atMs: number, why: string): DrillProgress {
  const { stalledAt, releasedAt, calledOff } = before;
  return {
    ...before,
    state: 'failed',
    releasedAt: stalledAt === null ? null : (releasedAt ?? atMs),
    calledOff: releasedAt === null ? null : calledOff,
    trouble:
      stalledAt === null && calledOff !== null
        ? `Called off by ${calledOff.by} while its lock was still awaited: nothing was stalled.`
        : why,
  };
}

export function observed(setting: DrillSetting, before: DrillProgress, look: DrillLook): DrillProgress {
  if (before.state === 'finished' || before.state === 'failed' || before.stalledAt === null) return before;
  const seen = withReader(before, look);
  return before.releasedAt === null ? filling(setting, seen, look) : recovering(setting, seen, look);
}

/** The gate tells times of its own, and a tick that was under way at the release may bring one that was before it. */
function withReader(before: DrillProgress, { gates, applier }: DrillLook): DrillProgress {
  const { stalledAt, releasedAt } = before;
  const stops = gates.filter(
    ({ closed, closedAt }) =>
      closedAt !== null &&
      closedAt <= (releasedAt ?? Number.POSITIVE_INFINITY) &&
      (closedAt >= (stalledAt ?? 0) || (closed && releasedAt === null)),
  );
  const stoppedAt = stops.length === 0 ? null : Math.max(...stops.map(({ closedAt }) => closedAt ?? 0));
  const lengths = [before.peakBacklog, applier?.backlog, ...stops.map(({ peakLength }) => peakLength)];
  const known = lengths.filter((length) => length !== null && length !== undefined);
  return {
    ...before,
    // Until the release the newest word counts: a gate that was closed just before may have opened once more.
    readerStoppedAt: stoppedAt ?? (releasedAt === null ? null : before.readerStoppedAt),
    peakBacklog: known.length === 0 ? null : Math.max(...known),
  };
}

function filling(setting: DrillSetting, before: DrillProgress, look: DrillLook): DrillProgress {
  const { applier, atMs } = look;
  const replayWanted = look.replayRuns && setting.replayEventsPerSecondBefore !== null;
  const governorStopped = replayWanted && look.grantedEventsPerSecond === 0;
  const seen = {
    ...before,
    governorStoppedAt: before.governorStoppedAt ?? (governorStopped ? atMs : null),
    replayEnded: before.replayEnded || !look.replayRuns,
  };
  if (applier === null) return seen;
  const { storeSilentMs, blockedRatio, backlog } = applier;
  const waitingSince = Math.max(before.stalledAt ?? 0, atMs - storeSilentMs);
  const storeFilledAt = before.storeFilledAt ?? (storeSilentMs >= OVERDUE_MS ? waitingSince : null);
  const blockedSince =
    storeSilentMs >= tickMs ? waitingSince : (blockedRatio ?? 0) >= WHOLE_TICK ? atMs - tickMs : null;
  return {
    ...seen,
    storeFilledAt,
    aggregateFilledAt:
      before.aggregateFilledAt ??
      (storeFilledAt === null || blockedSince === null ? null : Math.max(storeFilledAt, blockedSince)),
    markSeenAt: before.markSeenAt ?? (backlog !== null && backlog >= setting.highWaterMark ? atMs : null),
  };
}

function recovering(setting: DrillSetting, before: DrillProgress, look: DrillLook): DrillProgress {
  const { applier, atMs, gates } = look;
  const { replayEventsPerSecondBefore: rateBefore } = setting;
  const releasedAt = before.releasedAt ?? atMs;
  const reopened = gates.some(({ closed, openedAt }) => !closed && (openedAt ?? 0) >= releasedAt);
  const low = (applier?.backlog ?? Number.POSITIVE_INFINITY) <= setting.highWaterMark * GATE_LOW_WATER_RATIO;
  const back = rateBefore !== null && (look.replayEventsPerSecond ?? 0) >= rateBefore * RATE_BACK;
  const seen = {
    ...before,
    backlogDoneAt: before.backlogDoneAt ?? (low || reopened ? atMs : null),
    replayBackAt: before.replayBackAt ?? (back ? atMs : null),
    replayEnded: before.replayEnded || !look.replayRuns,
  };
  const missing = [
    ...(isLiveWell(setting, look) ? [] : ['live was not as fresh as before']),
    ...(seen.backlogDoneAt === null ? ['the backlog was not worked off'] : []),
    ...(rateBefore === null || seen.replayEnded || seen.replayBackAt !== null
      ? []
      : ['replay was not back at nine tenths of its rate']),
  ];
  if (missing.length === 0) return { ...seen, state: 'finished', recoveredAt: atMs };
  if (atMs - releasedAt <= RECOVERY_LIMIT_MS) return seen;
  const within = `within ${RECOVERY_LIMIT_MS / 1000} s after the release`;
  return {
    ...seen,
    state: 'finished',
    trouble: `Not all was normal again ${within}: ${missing.join(', ')}.`,
  };
}

/** Only a new report can say so. */
function isLiveWell({ freshnessTargetMs, freshnessMsBefore }: DrillSetting, { applier }: DrillLook): boolean {
  if (applier === null || applier.liveLagMs === null) return false;
  const limits = [freshnessTargetMs, freshnessMsBefore === null ? null : 2 * freshnessMsBefore];
  const limitMs = Math.max(...limits.filter((limit) => limit !== null), OVERDUE_MS);
  return Math.max(applier.freshnessMs ?? 0, applier.liveLagMs) <= limitMs;
}

export function stagesOf(progress: DrillProgress): Record<DrillStage, number | null> {
  const { markSeenAt, readerStoppedAt } = progress;
  return {
    store: progress.storeFilledAt,
    aggregate: progress.aggregateFilledAt,
    // A reader stops because it has found the mark reached, which may be before the next report.
    stream:
      markSeenAt === null || readerStoppedAt === null
        ? (markSeenAt ?? readerStoppedAt)
        : Math.min(markSeenAt, readerStoppedAt),
    source: readerStoppedAt,
  };
}

/** What the figures alone do not say; null when they say it all. */
export function detailOf(setting: DrillSetting, progress: DrillProgress): string | null {
  const { trouble, readerStoppedAt, stalledAt, releasedAt, calledOff, governorStoppedAt } = progress;
  const said = trouble === null ? [] : [trouble];
  if (stalledAt === null || releasedAt === null) return said[0] ?? null;
  if (calledOff !== null)
    said.push(
      `Released by ${calledOff.by} after ${seconds(releasedAt - stalledAt)} of ${seconds(calledOff.forMs)}.`,
    );
  if (setting.replayEventsPerSecondBefore === null)
    said.push('No replay was running: nothing was there to fill the stream, and only live counts.');
  else if (readerStoppedAt !== null && readerStoppedAt < stalledAt)
    said.push('The reader stood at the high-water mark already when the stall began.');
  else if (readerStoppedAt === null && governorStoppedAt !== null)
    said.push(
      'The governor stopped replay before the stream was full, so the reader never came to its gate.',
    );
  else if (readerStoppedAt === null) said.push('The stall was over before the stream was full.');
  if (setting.replayEventsPerSecondBefore !== null && progress.replayEnded)
    said.push('Replay ended or was paused meanwhile, so its rate does not count.');
  return said.length === 0 ? null : said.join(' ');
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
