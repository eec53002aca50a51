/** What of the live events is left out while feeds are cut. Pure. */
import type { WantedOutage } from '@spillway/shared/api/worker-protocol';
import type { PipelineEvent } from '../event.ts';
import type { OutageSoFar } from './place.ts';

/**
 * The outages to go on with: those that are wanted, the known ones as they are, the others begun at `at`, where the feed stands. One
 * that was over before the feed heard of it left nothing out. One that has ended stays so, whatever an older message says.
 */
export function followOutages(
  known: readonly OutageSoFar[],
  wanted: readonly WantedOutage[],
  at: number,
): OutageSoFar[] {
  return wanted.map(({ outageId, sourceId, ended }) => {
    const own = known.find((outage) => outage.outageId === outageId);
    if (own === undefined) return { outageId, sourceId, from: at, to: at, ended };
    return ended && !own.ended ? { ...own, ended } : own;
  });
}

/** The events to publish; the outages then cover each of the others. Events of one batch need not be in order of time. */
export function leaveOut(
  events: readonly PipelineEvent[],
  outages: readonly OutageSoFar[],
): { readonly live: readonly PipelineEvent[]; readonly outages: readonly OutageSoFar[] } {
  const cut = new Set(outages.flatMap(({ sourceId, ended }) => (ended ? [] : [sourceId])));
  if (cut.size === 0) return { live: events, outages };
  const covering = outages.map((outage) => {
    if (outage.ended) return outage;
    return events
      .filter(({ sourceId }) => sourceId === outage.sourceId)
      .reduce(
        ({ from, to, ...rest }, { at }) => ({ ...rest, from: Math.min(from, at), to: Math.max(to, at + 1) }),
        outage,
      );
  });
  return { live: events.filter(({ sourceId }) => !cut.has(sourceId)), outages: covering };
}
