import type { Backfill } from '@spillway/shared/api/backfill';
import type { ReplayRate } from '@spillway/shared/api/pipeline';
import { replayRateOf } from '@spillway/shared/telemetry/replay-rate';
import { formatRate } from '../../../lib/format.ts';
import { shortId } from '../../backfill/model/short-id.ts';
import { publishRate } from './publish-rate.ts';

/**
 * What replay does at this moment, in words that follow a semicolon. Its numbers are the pipeline's rate and what that is the sum of, as the tile and the rows
 * show them; what is published and not applied yet is named so.
 */
export function replayClause(
  {
    replay,
    backfills,
    replayPaused,
  }: {
    readonly replay: ReplayRate | null;
    readonly backfills: readonly Backfill[] | null;
    readonly replayPaused: boolean;
  },
  /** Those that publish, the fastest first. */
  suspects: readonly Backfill[],
): string {
  const all = replay?.eventsPerSecond ?? null;
  const [fastest, ...others] = suspects;
  const isOurs = replay?.of !== 'published';
  if (fastest === undefined) {
    if (replayPaused) return 'all replay is paused';
    return backfills !== null && isOurs ? draining(all) : adding(all, isOurs);
  }
  const one = others.length === 0;
  const who = one ? shortId(fastest.id) : `${shortId(fastest.id)} and ${others.length} more`;
  if (replay === null || all === null) return `how fast ${who} replay${one ? 's' : ''} is unknown`;
  const adds = suspects.reduce((sum, { id }) => sum + (replayRateOf(replay, id) ?? 0), 0);
  const drains = Math.round((all - adds) * 10) / 10;
  const rest = isOurs && drains > 0 ? `, ${formatRate(drains)} more drain from the stream` : '';
  if (adds > 0) return `${who} add${one ? 's' : ''} ${formatRate(adds)}${rest}`;
  const published = suspects.reduce((sum, backfill) => sum + publishRate(backfill), 0);
  const none = isOurs && suspects.every(isUnapplied) ? ', of which none is applied yet' : '';
  return `${who} publish${one ? 'es' : ''} ${formatRate(published)}${none}${rest}`;
}

/** Nobody publishes: what is applied is what they left on the stream. */
function draining(all: number | null): string {
  return all !== null && all > 0
    ? `${formatRate(all)} of replay still drain from the stream`
    : 'nothing is replaying';
}

/** By which backfill, or whether by one that goes on at all, is not known; of a store that is not ours neither is what drains. */
function adding(all: number | null, isOurs: boolean): string {
  if (all === null) return 'replay: unknown';
  if (all > 0) return `replay adds ${formatRate(all)}`;
  return isOurs ? 'no replay is applied' : 'nothing is replaying';
}

function isUnapplied({ progress }: Backfill): boolean {
  return (progress.eventsApplied ?? 0) + (progress.eventsDuplicate ?? 0) === 0;
}
