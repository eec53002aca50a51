import { PipelineCost } from '@spillway/shared/api/cost';
import { GovernorView } from '@spillway/shared/api/governor';
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
