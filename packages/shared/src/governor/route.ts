/**
 * What the route of replay means for live, in words that stand beside the decision someone wrote down.
 *
 * On a stream of its own replay waits while the applier serves live. On a stream that live shares nobody can serve live first: a live
 * event stands behind whatever replay has published. There the governor holds the publish rate to what keeps freshness in its target, and the
 * reader waits as soon as the oldest entry has waited for a quarter of it.
 */
export type Route = 'separate' | 'shared';

/** Part of live's target that waiting behind replay may take on a shared stream. */
const SHARED_AGE_PART = 0.25;

/** The reader of a shared stream waits while its oldest entry is older, ms. */
export function oldestSharedEntryMs(freshnessTargetMs: number): number {
  return freshnessTargetMs * SHARED_AGE_PART;
}

/** `freshnessTargetMs`: of live freshness, p99; null without one. */
export function routeConsequence(route: Route, freshnessTargetMs: number | null): string {
  if (route === 'separate')
    return 'Replay waits in a stream of its own: the applier serves live first, but for the floor of replay.';
  const behind = 'Live stands in line behind replay: on one stream nobody can serve it first.';
  if (freshnessTargetMs === null)
    return `${behind} Live freshness has no target, so no signal holds replay back: live may wait for as much as the high-water mark lets in.`;
  return `${behind} The governor holds the publish rate to what keeps live freshness, p99, within ${inMs(freshnessTargetMs)}, and the reader waits while the oldest entry is older than ${inMs(oldestSharedEntryMs(freshnessTargetMs))}.`;
}

function inMs(ms: number): string {
  return `${Math.round(ms * 10) / 10} ms`;
}

/** Of a pipeline whose consumers are the user's own: live is not Spillway's there, so neither is whether it is served first. */
export const externalConsequence: Readonly<Record<Route, string>> = {
  shared:
    'Live goes through the same stream: it waits behind what replay has published, at most as many entries as the high-water mark.',
  separate: 'Replay has a stream of its own; which of the two its consumers serve first is their affair.',
};
