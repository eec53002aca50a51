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
  if (fastest === undefined) {
    if (replayPaused) return 'all replay is paused';
    // By which backfill, or whether by one that goes on at all, is not known.
    if (backfills === null)
      return all === null
        ? 'replay: unknown'
        : all > 0
          ? `replay adds ${formatRate(all)}`
          : 'no replay is applied';
    return all !== null && all > 0
      ? `${formatRate(all)} of replay still drain from the stream`
      : 'nothing is replaying';
  }
  const one = others.length === 0;
  const who = one ? shortId(fastest.id) : `${shortId(fastest.id)} and ${others.length} more`;
  if (replay === null || all === null) return `how fast ${who} replay${one ? 's' : ''} is unknown`;
  const running = (backfills ?? []).filter(({ state }) => state === 'running');
  const adds = running.reduce((sum, { id }) => sum + (replayRateOf(replay, id) ?? 0), 0);
  if (adds === 0) {
    const published = suspects.reduce((sum, backfill) => sum + publishRate(backfill), 0);
    return `${who} publish${one ? 'es' : ''} ${formatRate(published)}, of which none is applied yet`;
  }
  const drains = Math.round((all - adds) * 10) / 10;
  return `${who} add${one ? 's' : ''} ${formatRate(adds)}${drains > 0 ? `, ${formatRate(drains)} more drain from the stream` : ''}`;
}
