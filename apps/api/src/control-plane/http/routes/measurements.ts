import { PipelineCost } from '@spillway/shared/api/cost';
import { GovernorView } from '@spillway/shared/api/governor';
import {
  Moment,
  MomentQuery,
  Moments,
  MomentsQuery,
  Timeline,
  TimelineQuery,
} from '@spillway/shared/api/past';
import {
  BucketPage,
  BucketQuery,
  Coverage,
  CoverageQuery,
  Stages,
  Streams,
  Telemetry,
  TelemetryQuery,
} from '@spillway/shared/api/pipeline';
import { readPipelineCost } from '../../cost/pipeline-cost.ts';
import { readGovernor } from '../../governor/looks.ts';
import { readMoment, readMoments } from '../../past/moments.ts';
import { readTimeline } from '../../past/timeline.ts';
import { readBuckets, readCoverage } from '../../sources/queries.ts';
import { readStages, readStreams, readTelemetry } from '../../telemetry/queries.ts';
import type { App, HttpParts } from '../parts.ts';
import { ById } from './parameters.ts';

/** What is measured of a pipeline, and what its store holds. */
export function measurementRoutes(app: App, { ctx }: HttpParts): void {
  const config = { access: 'viewer' } as const;
  const tags = ['measurements'];

  app.get(
    '/v1/pipelines/:id/stages',
    {
      config,
      schema: {
        tags,
        summary: 'Source, stream, aggregate, store: how busy, how blocked',
        params: ById,
        response: { 200: Stages },
      },
    },
    (request) => readStages(ctx, request.params.id),
  );
  app.get(
    '/v1/pipelines/:id/streams',
    {
      config,
      schema: {
        tags,
        summary: 'Lengths, lag and retention of the streams',
        params: ById,
        response: { 200: Streams },
      },
    },
    (request) => readStreams(ctx, request.params.id),
  );
  app.get(
    '/v1/pipelines/:id/governor',
    {
      config,
      schema: {
        tags,
        summary: 'What governs replay now: signals, ceilings, the safe rate',
        params: ById,
        response: { 200: GovernorView },
      },
    },
    (request) => readGovernor(ctx, request.params.id),
  );
  app.get(
    '/v1/pipelines/:id/cost',
    {
      config,
      schema: {
        tags,
        summary: 'The meter: live and per backfill, provisioned against overage',
        params: ById,
        response: { 200: PipelineCost },
      },
    },
    (request) => readPipelineCost(ctx, request.params.id),
  );
  app.get(
    '/v1/pipelines/:id/telemetry',
    {
      config,
      schema: {
        tags,
        summary: 'History of every metric',
        params: ById,
        querystring: TelemetryQuery,
        response: { 200: Telemetry },
      },
    },
    (request) => readTelemetry(ctx, request.params.id, request.query),
  );
  app.get(
    '/v1/pipelines/:id/moment',
    {
      config,
      schema: {
        tags,
        summary: 'A past moment, in the shape of the present',
        description:
          'To the second for an hour, to ten seconds for a day, to the minute for 30 days: `step` says which. Refused with `moment_not_recorded` where nothing was recorded, with `moment_in_future` where it has not come yet.',
        params: ById,
        querystring: MomentQuery,
        response: { 200: Moment },
      },
    },
    (request) => readMoment(ctx, request.params.id, request.query.at),
  );
  app.get(
    '/v1/pipelines/:id/moments',
    {
      config,
      schema: {
        tags,
        summary: 'Neighbouring past moments, at most 60, to step through',
        params: ById,
        querystring: MomentsQuery,
        response: { 200: Moments },
      },
    },
    (request) => readMoments(ctx, request.params.id, request.query),
  );
  app.get(
    '/v1/pipelines/:id/timeline',
    {
      config,
      schema: {
        tags,
        summary: 'What was recorded of a span, with who did what and what was wrong: the time bar',
        params: ById,
        querystring: TimelineQuery,
        response: { 200: Timeline },
      },
    },
    (request) => readTimeline(ctx, request.params.id, request.query),
  );
  app.get(
    '/v1/pipelines/:id/coverage',
    {
      config,
      schema: {
        tags,
        summary: 'Gap map: events expected and stored',
        params: ById,
        querystring: CoverageQuery,
        response: { 200: Coverage },
      },
    },
    (request) => readCoverage(ctx, request.params.id, request.query),
  );
  app.get(
    '/v1/pipelines/:id/buckets',
    {
      config,
      schema: {
        tags,
        summary: 'Buckets of the store',
        params: ById,
        querystring: BucketQuery,
        response: { 200: BucketPage },
      },
    },
    (request) => readBuckets(ctx, request.params.id, request.query),
  );
}
