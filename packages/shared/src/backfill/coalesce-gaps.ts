/**
 * Which backfills fill the gaps that outages left, so that reconnecting sources cannot pile up.
 *
 * Of one source all gaps that wait, and the reconnect backfill that has not been started, become one backfill over all of them. What lies
 * between them is replayed too: it is there already, and applied once. Windows begin and end on whole steps, where event counts are exact.
 */
interface Span {
  readonly from: number;
  readonly to: number;
}

export interface WaitingGap extends Span {
  readonly gapId: string;
  readonly sourceId: string;
}

/** A reconnect backfill of one source, queued, with nothing of it handed out. */
export interface UnstartedFill extends Span {
  readonly backfillId: string;
  readonly sourceId: string;
}

export interface GapFill {
  readonly sourceId: string;
  /** Null: a new one. */
  readonly backfillId: string | null;
  readonly window: Span;
  readonly gapIds: readonly string[];
}

/** A gap without extent needs none. At most one fill a source, and every other gap in exactly one. */
export function fillsFor(
  gaps: readonly WaitingGap[],
  unstarted: readonly UnstartedFill[],
  stepMs: number,
): GapFill[] {
  const waiting = gaps.filter(({ from, to }) => from < to);
  return [...Map.groupBy(waiting, ({ sourceId }) => sourceId)].map(([sourceId, own]) => {
    const queued = unstarted.find((fill) => fill.sourceId === sourceId);
    const spans: readonly Span[] = queued === undefined ? own : [...own, queued];
    return {
      sourceId,
      backfillId: queued?.backfillId ?? null,
      window: {
        from: Math.floor(Math.min(...spans.map(({ from }) => from)) / stepMs) * stepMs,
        to: Math.ceil(Math.max(...spans.map(({ to }) => to)) / stepMs) * stepMs,
      },
      gapIds: own.map(({ gapId }) => gapId),
    };
  });
}

/** Sources that come back together are not all started together. `random` is of [0, 1). */
export function staggerOf(reconnectStaggerMs: number, random: () => number): number {
  return Math.floor(random() * reconnectStaggerMs);
}
