/**
 * `GET /v1/events` (SSE). Event names: `telemetry` once a second, `backfill` when one changes or progresses (at most once a second each),
 * `pipeline` when its settings change or its brake is set or lifted, `pipeline_removed`, `alert` when one is raised or cleared, `heartbeat`. Ids resume with `Last-Event-ID` or `?lastEventId=`.
 */
import { type Static, Type } from 'typebox';
import { Backfill } from './backfill.ts';
import { Alert, GovernorView } from './governor.ts';
import { Marker, Pipeline, ReplayRate, Stages, Streams } from './pipeline.ts';
import { Id, Nullable, strict } from './primitives.ts';

export const TelemetryEvent = Type.Object(
  {
    pipelineId: Id,
    at: Type.Integer(),
    /** One value per metric for the second that ended at `at`; null is unknown. */
    values: Type.Record(Type.String(), Nullable(Type.Number())),
    replay: ReplayRate,
    stages: Stages,
    streams: Streams.properties.items,
    markers: Type.Array(Marker),
    /** Null until the governor has looked at the pipeline. */
    governor: Nullable(GovernorView),
  },
  strict,
);
export type TelemetryEvent = Static<typeof TelemetryEvent>;
export const BackfillEvent = Type.Object({ backfill: Backfill }, strict);
export type BackfillEvent = Static<typeof BackfillEvent>;
export const PipelineEventMessage = Type.Object({ pipeline: Pipeline }, strict);
export type PipelineEventMessage = Static<typeof PipelineEventMessage>;
export const PipelineRemovedEvent = Type.Object({ pipelineId: Id }, strict);
export type PipelineRemovedEvent = Static<typeof PipelineRemovedEvent>;
export const AlertEvent = Type.Object({ alert: Alert }, strict);
export type AlertEvent = Static<typeof AlertEvent>;
