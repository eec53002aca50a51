/**
 * Live freshness of an interval, exactly: every live event the applier has ever committed is in a histogram at `/metrics`, whose
 * counters only grow, and the difference of two readings is the interval. Its places are 5 % wide, and a percentile is taken from within its place,
 * so it is nearer than that to the truth; no sampling, no mean of percentiles.
 */
import { accepted } from '../apps/api/test/system/api-client.ts';
import type { StartedSystem } from '../apps/api/test/system/started-system.ts';

/** Upper edge of a place, ms, to the events at or below it, since the applier began. */
export type FreshnessCounts = ReadonlyMap<number, number>;

export interface Freshness {
  readonly events: number;
  readonly p50: number;
  readonly p99: number;
  /** Edge of the highest place with an event in it. */
  readonly max: number;
}

const BUCKET = /^spillway_live_freshness_ms_bucket\{(?=.*pipeline="flights")[^}]*le="([^"]+)"[^}]*\} (\S+)/;
const GROWTH = 1.05;

export async function readFreshness(
  system: Pick<StartedSystem, 'url' | 'adminToken'>,
): Promise<FreshnessCounts> {
  const response = await fetch(`${system.url}/metrics`, {
    headers: { authorization: `Bearer ${system.adminToken}` },
  });
  const text = await response.text();
  if (!response.ok)
    accepted('metrics', 200, { status: response.status, headers: response.headers, body: text });
  const counts = new Map<number, number>();
  for (const line of text.split('\n')) {
    const [, edge, count] = BUCKET.exec(line) ?? [];
    if (edge !== undefined)
      counts.set(edge === '+Inf' ? Number.POSITIVE_INFINITY : Number(edge), Number(count));
  }
  return counts;
}

/** Several intervals as one. */
export function together(
  intervals: readonly { before: FreshnessCounts; after: FreshnessCounts }[],
): Freshness {
  const edges = new Set(intervals.flatMap(({ before, after }) => [...before.keys(), ...after.keys()]));
  const summed = (which: 'before' | 'after'): FreshnessCounts =>
    new Map(
      [...edges].map((edge) => [
        edge,
        intervals.reduce((sum, interval) => sum + countUpTo(interval[which], edge), 0),
      ]),
    );
  return freshnessBetween(summed('before'), summed('after'));
}

/** What came between two readings. Throws when it was nothing: then something is wrong with the run. */
export function freshnessBetween(before: FreshnessCounts, after: FreshnessCounts): Freshness {
  const edges = [...after.keys()].toSorted((a, b) => a - b);
  const places = edges.map((edge, index) => {
    const below = edges[index - 1];
    const upTo = (counts: FreshnessCounts, at: number | undefined) =>
      at === undefined ? 0 : countUpTo(counts, at);
    return {
      edge,
      events: upTo(after, edge) - upTo(after, below) - (upTo(before, edge) - upTo(before, below)),
    };
  });
  const events = places.reduce((sum, place) => sum + place.events, 0);
  if (events === 0) throw new Error('no live event was counted at /metrics in the interval');
  const percentile = (share: number): number => {
    const rank = Math.max(1, Math.ceil(events * share));
    let below = 0;
    for (const place of places) {
      // As far into the place as the event is among its own: they lie evenly in it, in a logarithm.
      if (below + place.events >= rank)
        return (place.edge / GROWTH) * GROWTH ** ((rank - below) / place.events);
      below += place.events;
    }
    return Number.NaN;
  };
  return {
    events,
    p50: percentile(0.5),
    p99: percentile(0.99),
    max: places.findLast((place) => place.events > 0)?.edge ?? Number.NaN,
  };
}

/** A place that was never used has no line: its count is that of the next lower one. */
function countUpTo(counts: FreshnessCounts, edge: number): number {
  let below = 0;
  for (const [other, count] of counts) if (other <= edge) below = Math.max(below, count);
  return below;
}
