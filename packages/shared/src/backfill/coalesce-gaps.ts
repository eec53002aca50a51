/**
 * Which backfills fill the gaps that outages left, so that reconnecting sources cannot pile up, and do not replay what nobody misses.
 *
 * Gaps of one source that lie near each other become one backfill over all of them, together with a reconnect backfill that has not been
 * started. What lies between them is replayed too: it is there already, and applied once, so it is work for nothing. One backfill instead
 * of two is worth as much of that as is really missing, and an hour besides:
 *
 *     merged while    last end − first begin  ≤  2 · (time that is missing) + 1 h
 *
 * Gaps further apart get a backfill each; those of one source run one after the other (slots.ts). Backfills that are queued already are
 * never made one. Windows begin and end on whole steps, where event counts are exact.
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
  /** The gaps it is to fill; none: all of its window counts as missing. */
  readonly gaps: readonly Span[];
}

export interface GapFill {
  readonly sourceId: string;
  /** Null: a new one. */
  readonly backfillId: string | null;
  readonly window: Span;
  /** Those that it fills now and was not queued for before. */
  readonly gapIds: readonly string[];
}

/** Of what is missing: replaying as much again for nothing costs less than one who watches two backfills instead of one. */
const SPAN_PER_MISSING = 2;
/** Always worth it: a feed that flaps for seconds misses so little that the first limit alone would queue each outage for itself. */
const SPAN_ALLOWANCE_MS = 3_600_000;

/** A gap without extent needs none; every other one is in exactly one fill. Fills that stay as they are queued are left out. */
export function fillsFor(
  gaps: readonly WaitingGap[],
  unstarted: readonly UnstartedFill[],
  stepMs: number,
): GapFill[] {
  const waiting = gaps.filter(({ from, to }) => from < to);
  return [...Map.groupBy(waiting, ({ sourceId }) => sourceId)].flatMap(([sourceId, own]) => {
    const queued = unstarted.filter((fill) => fill.sourceId === sourceId).map(clusterOf);
    const clusters = own
      .toSorted((a, b) => a.from - b.from || a.to - b.to)
      .reduce<readonly Cluster[]>(joined, queued);
    return clusters
      .filter(({ added }) => added.length > 0)
      .map(({ backfillId, from, to, added }) => ({
        sourceId,
        backfillId,
        window: { from: Math.floor(from / stepMs) * stepMs, to: Math.ceil(to / stepMs) * stepMs },
        gapIds: added.map(({ gapId }) => gapId),
      }));
  });
}

/** Sources that come back together are not all started together. `random` is of [0, 1). */
export function staggerOf(reconnectStaggerMs: number, random: () => number): number {
  return Math.floor(random() * reconnectStaggerMs);
}

interface Cluster extends Span {
  readonly backfillId: string | null;
  readonly missing: readonly Span[];
  readonly added: readonly WaitingGap[];
}

function clusterOf({ backfillId, from, to, gaps }: UnstartedFill): Cluster {
  return { backfillId, from, to, missing: gaps.length > 0 ? gaps : [{ from, to }], added: [] };
}

function joined(clusters: readonly Cluster[], gap: WaitingGap): Cluster[] {
  const nearest = nearestTo(gap, clusters);
  return nearest === null
    ? [...clusters, { backfillId: null, ...spanOf([gap]), missing: [gap], added: [gap] }]
    : clusters.map((cluster) => (cluster === nearest ? extended(cluster, gap) : cluster));
}

function extended(cluster: Cluster, gap: WaitingGap): Cluster {
  return {
    ...cluster,
    ...spanOf([cluster, gap]),
    missing: [...cluster.missing, gap],
    added: [...cluster.added, gap],
  };
}

/** The one that grows least; null when none may take the gap in. What lies in its window costs nothing, however wide that is. */
function nearestTo(gap: WaitingGap, clusters: readonly Cluster[]): Cluster | null {
  const growth = ({ from, to }: Cluster) => Math.max(to, gap.to) - Math.min(from, gap.from) - (to - from);
  const may = clusters.filter((cluster) => growth(cluster) === 0 || isWorthOne([...cluster.missing, gap]));
  return may.toSorted((a, b) => growth(a) - growth(b) || a.from - b.from)[0] ?? null;
}

function isWorthOne(missing: readonly Span[]): boolean {
  const { from, to } = spanOf(missing);
  const worth = (missingMs: number) => to - from <= SPAN_PER_MISSING * missingMs + SPAN_ALLOWANCE_MS;
  // Most lie too far apart even if nothing were missing twice, and need no closer look.
  return worth(missing.reduce((sum, span) => sum + span.to - span.from, 0)) && worth(lengthOf(missing));
}

function spanOf(spans: readonly Span[]): Span {
  return { from: Math.min(...spans.map(({ from }) => from)), to: Math.max(...spans.map(({ to }) => to)) };
}

/** Of their union. */
function lengthOf(spans: readonly Span[]): number {
  let length = 0;
  let reached = Number.NEGATIVE_INFINITY;
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    length += Math.max(0, to - Math.max(from, reached));
    reached = Math.max(reached, to);
  }
  return length;
}
