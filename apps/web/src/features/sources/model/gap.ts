import type { Source } from '@spillway/shared/api/pipeline';

/** How far an outage has grown, ms of event time: from where the feed was cut to where the other feeds have got to. Null: not known. */
export function gapMs(source: Source, sources: readonly Source[]): number | null {
  if (source.disconnectedAt === null) return null;
  const others = sources.flatMap(({ id, state, liveWatermark }) =>
    id !== source.id && state === 'connected' && liveWatermark !== null ? [Date.parse(liveWatermark)] : [],
  );
  return others.length === 0 ? null : Math.max(0, Math.max(...others) - Date.parse(source.disconnectedAt));
}
