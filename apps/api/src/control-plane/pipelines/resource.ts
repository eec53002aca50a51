import type { Pipeline } from '@spillway/shared/api/pipeline';
import { externalConsequence, type Route, routeConsequence } from '@spillway/shared/governor/route';
import { formatDuration } from '@spillway/shared/time/duration';
import type { Actor } from '../context.ts';
import { shownExternal } from './external.ts';
import type { PipelineRow } from './rows.ts';

export function pipelineResource(
  row: PipelineRow,
  sourceIds: string[],
  liveWatermark: number | null,
  priceBook: Pipeline['priceBook'],
  actor: Actor,
): Pipeline {
  return {
    id: row.id,
    title: row.title,
    kind: row.external === null ? 'built_in' : 'external',
    external: row.external === null ? null : shownExternal(row.external),
    sourceIds,
    capacity: {
      eventsPerSecond: row.capacityEventsPerSecond,
      origin: row.capacityOrigin as Pipeline['capacity']['origin'],
      measuredAt: row.capacityMeasuredAt?.toISOString() ?? null,
      measuredEventsPerSecond: row.measuredEventsPerSecond,
    },
    replayShare: row.replayShare,
    replayFloor: row.replayFloor,
    headroom: row.headroom,
    signals: row.signals,
    reconnectStaggerMs: row.reconnectStaggerMs,
    maxSourcesReplaying: row.maxSourcesReplaying,
    highWaterMark: row.highWaterMark,
    bucketWidth: formatDuration(row.bucketMs),
    allowedLateness: formatDuration(row.allowedLatenessMs),
    route: {
      kind: row.route as Route,
      decision: row.routeDecision,
      consequence:
        row.external === null
          ? routeConsequence(row.route as Route, row.signals.liveFreshnessMsP99?.target ?? null)
          : externalConsequence[row.route as Route],
    },
    retention: { events: row.external === null ? formatDuration(row.eventRetentionMs) : null },
    priceBook,
    demo: row.liveEventsPerSecond === null ? null : { liveEventsPerSecond: row.liveEventsPerSecond },
    replayPaused: row.replayPaused,
    liveWatermark: liveWatermark === null ? null : new Date(liveWatermark).toISOString(),
    revision: row.revision,
    allowedActions: pipelineActions(row, actor),
  };
}

export function pipelineActions(
  row: Pick<PipelineRow, 'replayPaused' | 'external'>,
  actor: Pick<Actor, 'role'>,
): Pipeline['allowedActions'] {
  if (actor.role === 'viewer' || actor.role === 'worker') return [];
  const brake: Pipeline['allowedActions'] = row.replayPaused ? ['resume_replay'] : ['pause_replay'];
  const drills: Pipeline['allowedActions'] =
    row.external !== null
      ? []
      : actor.role === 'admin'
        ? ['start_drill', 'release_drill']
        : ['release_drill'];
  return [
    ...(actor.role === 'admin' ? (['configure', 'remove'] as const) : []),
    ...drills,
    ...brake,
    'start_backfill',
  ];
}
