import type { Tick } from '@spillway/shared/api/worker-protocol';
import type { StreamStats } from '../ports.ts';

type StreamReport = NonNullable<Tick['apply']>['streams'][number];

/** A stream as a tick tells of it, by the applier's group, before anything is known of what was applied. `nowMs`: epoch ms. */
export function streamReportOf(stats: StreamStats, stream: string, nowMs: number): StreamReport {
  const { length, lengthBytes, oldestPublishedAt, lastOffset, retention, accepted } = stats;
  // A group begins at the oldest entry: before it exists, everything on the stream waits for it.
  const group = stats.group ?? {
    lagEntries: length,
    lagMs: oldestPublishedAt === null ? 0 : Math.max(0, nowMs - oldestPublishedAt),
  };
  return {
    stream,
    length,
    lengthBytes,
    lagEntries: group.lagEntries,
    lagMs: group.lagMs,
    lastOffset,
    position: null,
    eventsApplied: 0,
    ...(retention === undefined ? {} : { retention }),
    ...(accepted === undefined ? {} : { accepted }),
  };
}
