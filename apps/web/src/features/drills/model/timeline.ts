import type { Drill } from '@spillway/shared/api/governor';

export interface TimelineEntry {
  readonly name: string;
  /** After the store stood still, ms; null: it has not happened, or could not be seen. */
  readonly afterMs: number | null;
  /** Of the whole drill, 0 to 1. */
  readonly place: number | null;
}

const stageNames = {
  store: 'Store filled',
  aggregate: 'Aggregate filled',
  stream: 'Stream filled',
  source: 'Source filled',
} as const;

/** The chain as it reacted, in the order it is meant to, against the moment the store stood still. */
export function timelineOf(drill: Drill, nowMs: number): readonly TimelineEntry[] {
  const begin = drill.stalledAt === null ? null : Date.parse(drill.stalledAt);
  const moments: readonly (readonly [string, string | null])[] = [
    ['Store stood still', drill.stalledAt],
    ...drill.stages.map(({ stage, filledAt }) => [stageNames[stage], filledAt] as const),
    ['Governor stopped replay', drill.governorStoppedAt],
    ['Reader stopped at its gate', drill.readerStoppedAt],
    ['Store released', drill.releasedAt],
    ['All normal again', drill.recoveredAt],
  ];
  if (begin === null) return moments.map(([name]) => ({ name, afterMs: null, place: null }));
  const after = (at: string | null) => (at === null ? null : Math.max(0, Date.parse(at) - begin));
  const known = moments.flatMap(([, at]) => after(at) ?? []);
  const over = drill.state === 'finished' || drill.state === 'failed';
  const lastMs = Math.max(1, drill.forMs, ...known, over ? 0 : nowMs - begin);
  return moments.map(([name, at]) => {
    const afterMs = after(at);
    return { name, afterMs, place: afterMs === null ? null : afterMs / lastMs };
  });
}
