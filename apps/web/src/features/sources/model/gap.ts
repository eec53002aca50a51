import type { Source } from '@spillway/shared/api/pipeline';
import { formatInstant } from '../../../lib/instant.ts';

/** How far an outage has grown, ms of event time: from where the feed was cut to where the other feeds have got to. Null: not known. */
export function gapMs(source: Source, sources: readonly Source[]): number | null {
  if (source.disconnectedAt === null) return null;
  const others = sources.flatMap(({ id, state, liveWatermark }) =>
    id !== source.id && state === 'connected' && liveWatermark !== null ? [Date.parse(liveWatermark)] : [],
  );
  return others.length === 0 ? null : Math.max(0, Math.max(...others) - Date.parse(source.disconnectedAt));
}

/** For whoever asks whether live is safe: whose events are not among it. Null: all feeds are connected. */
export function outageNote(sources: readonly Source[]): string | null {
  const out = sources.filter(({ state }) => state === 'disconnected');
  if (out.length === 0) return null;
  const who = out.map(({ id, disconnectedAt }) =>
    disconnectedAt === null ? id : `${id} (since ${formatInstant(disconnectedAt)} UTC of event time)`,
  );
  return `Live events are missing, their feed is disconnected: ${who.join(', ')}. A reconnect queues a backfill of the gap.`;
}
