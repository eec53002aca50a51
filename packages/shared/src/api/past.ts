/**
 * What was recorded, to be looked at as the present is: a moment has the shape of a `telemetry` event, and what else a screen shows beside it.
 *
 * Kept to the second for an hour, to ten seconds for a day, to the minute for thirty days. A step longer than a second is told with its step:
 * rates (also of each backfill in `replay`) and ratios are its means, lengths, lags and latencies its worst values, and what is no number (states, causes, ceilings, signals) is
 * as its worst second had it.
 */
import { type Static, Type } from 'typebox';
import { Backfill } from './backfill.ts';
import { Alert, GovernorView } from './governor.ts';
import { Marker, ReplayRate, Stages, Streams } from './pipeline.ts';
import { Count, Duration, Id, Nullable, strict, Timestamp } from './primitives.ts';

export const Moment = Type.Object(
  {
    pipelineId: Id,
    /** Epoch ms: the end of a second that was recorded by itself, the begin of a longer step. */
    at: Type.Integer(),
    step: Duration,
    values: Type.Record(Type.String(), Nullable(Type.Number())),
    /** Null: recorded before it was, or nobody counted it then. Of a longer step the mean. */
    replay: Nullable(ReplayRate),
    /** Null: recorded before stages were. */
    stages: Nullable(Stages),
    streams: Streams.properties.items,
    markers: Type.Array(Marker),
    /** Null: the governor had not looked at the pipeline. */
    governor: Nullable(GovernorView),
    /** Null: recorded before it was. */
    replayPaused: Nullable(Type.Boolean()),
    /** Those raised then, with what they said then. */
    alerts: Type.Array(Alert),
    /**
     * Those that were not finished, those at work first, at most twenty, as they were then; what never changes (window, sources, who started it) beside it.
     * Null: recorded before they were. What of cost, proof and holds was not recorded is empty or null.
     */
    backfills: Nullable(Type.Array(Backfill)),
    /** Unfinished ones beyond those recorded. */
    backfillsLeftOut: Count,
  },
  strict,
);
export type Moment = Static<typeof Moment>;

export const Moments = Type.Object({ step: Duration, items: Type.Array(Moment) }, strict);
export type Moments = Static<typeof Moments>;

export const MomentQuery = Type.Object({ at: Timestamp }, strict);
export const MomentsQuery = Type.Object({ from: Timestamp, to: Timestamp }, strict);

/** What one answer holds at most. */
export const MOMENTS_MAX = 60;

export const timelineSpans = ['PT1H', 'P1D', 'P30D'] as const;
export const TimelineQuery = Type.Object(
  { span: Type.Optional(Type.Enum([...timelineSpans])), to: Type.Optional(Timestamp) },
  strict,
);

/** The time bar: where anything was recorded, how live was, who did what, what was wrong. */
export const Timeline = Type.Object(
  {
    from: Timestamp,
    to: Timestamp,
    /** The oldest moment that can be looked at; null: nothing is recorded yet. */
    recordedFrom: Nullable(Timestamp),
    binMs: Type.Integer({ minimum: 1 }),
    /** Only bins of which anything was recorded. */
    bins: Type.Array(
      Type.Object(
        {
          at: Type.Integer(),
          /** The worst of the bin. Null: unknown, or a span too long to look at each moment (30 days). */
          liveFreshnessMsP99: Nullable(Type.Number()),
          /** The mean of the bin. */
          replayEventsPerSecond: Nullable(Type.Number()),
        },
        strict,
      ),
    ),
    /** The newest 500. */
    markers: Type.Array(Marker),
    /** Raised at some time of the span; the newest 200. */
    alerts: Type.Array(Alert),
  },
  strict,
);
export type Timeline = Static<typeof Timeline>;
