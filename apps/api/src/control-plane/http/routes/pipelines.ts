import { CommandBody, Receipt } from '@spillway/shared/api/backfill';
import type { ExternalDefinition } from '@spillway/shared/api/external';
import { CreatePipeline, PatchPipeline, Pipeline, PipelinePage } from '@spillway/shared/api/pipeline';
import { Type } from 'typebox';
import { pauseReplay, resumeReplay } from '../../backfill/brake.ts';
import { unitOfWork } from '../../database/database.ts';
import { configurePipeline } from '../../pipelines/configure.ts';
import { createPipeline } from '../../pipelines/create.ts';
import { problemOf } from '../../pipelines/external.ts';
import { listPipelines, readPipeline } from '../../pipelines/queries.ts';
import { removePipeline } from '../../pipelines/remove.ts';
import { mutateOnce } from '../idempotency.ts';
import type { App, HttpParts } from '../parts.ts';
import { callerOf } from '../plugins/rights.ts';
import { revisionOf, withEtag } from '../revision.ts';
import { ById, ListQuery } from './parameters.ts';

export function pipelineRoutes(app: App, { ctx, complaintAboutExternal }: HttpParts): void {
  /** Errors: those of {@link problemOf}. */
  async function refuseUnusable(external: ExternalDefinition | undefined): Promise<void> {
    const complaint = external === undefined ? null : await complaintAboutExternal(external);
    if (complaint !== null) throw problemOf(complaint);
  }

  app.get(
    '/v1/pipelines',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['pipelines'],
        summary: 'Pipelines',
        querystring: ListQuery,
        response: { 200: PipelinePage },
      },
    },
    (request) => listPipelines(ctx, callerOf(request), request.query),
  );

  app.post(
    '/v1/pipelines',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['pipelines'],
        summary: 'Add an external pipeline: your stream, your consumers, your store',
        description:
          'Spillway publishes to the stream as CloudEvents 1.0 and watches the named groups. Stream and groups must be there: nothing is made on your server. What is wrong with it is said at once (`stream_unreachable`, `stream_denied`, `stream_refused`, `stream_missing`, `group_missing`), and then no pipeline is made. The credentials of the url are in no answer.',
        body: CreatePipeline,
        response: { 201: Pipeline },
      },
    },
    (request, reply) => {
      // Before the transaction, which would hold up others while a server that is not there is waited for.
      const prepare = () => refuseUnusable(request.body.external);
      return mutateOnce({ ctx, request, reply, status: 201, prepare }, (work) =>
        createPipeline(ctx, work, callerOf(request), request.body),
      );
    },
  );

  app.get(
    '/v1/pipelines/:id',
    {
      config: { access: 'viewer' },
      schema: { tags: ['pipelines'], summary: 'One pipeline', params: ById, response: { 200: Pipeline } },
    },
    async (request, reply) => withEtag(reply, await readPipeline(ctx, callerOf(request), request.params.id)),
  );

  app.patch(
    '/v1/pipelines/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['pipelines'],
        summary: 'Configure a pipeline (If-Match)',
        params: ById,
        body: PatchPipeline,
        response: { 200: Pipeline },
      },
    },
    async (request, reply) => {
      const revision = revisionOf(request);
      await refuseUnusable(request.body.external);
      const pipeline = await unitOfWork(ctx.database, (work) =>
        configurePipeline(ctx, work, callerOf(request), request.params.id, request.body, revision),
      );
      return withEtag(reply, pipeline);
    },
  );

  app.delete(
    '/v1/pipelines/:id',
    {
      config: { access: 'admin', keyed: true },
      schema: {
        tags: ['pipelines'],
        summary: 'Remove a pipeline',
        description:
          'Nothing of yours is deleted: the stream with what lies on it, its groups and consumers, the store with its events and buckets, and the histories stay as they are. Its settings, sources, probes, quotes and recorded telemetry go, and its alerts are cleared. The audit stays, and so do its finished backfills with their proofs, receipts and costs: their `pipelineId` is `{id}~{revision}` from then on, and the id may be given to another. Refused while a backfill is not finished (`backfills_unfinished`; a failed one may be tried again, so it counts: cancel it) or a fire drill is under way (`drill_running`). The demo, once removed, is not made again at a start.',
        params: ById,
        response: { 204: Type.Null({ description: 'removed' }) },
      },
    },
    async (request, reply) => {
      await mutateOnce({ ctx, request, reply, status: 204 }, (work) =>
        removePipeline(ctx, work, callerOf(request), request.params.id),
      );
      return reply.send(null);
    },
  );

  for (const [verb, run, summary] of [
    ['pause-replay', pauseReplay, 'Emergency brake: pause every backfill of the pipeline'],
    ['resume-replay', resumeReplay, 'Release the emergency brake'],
  ] as const) {
    app.post(
      `/v1/pipelines/:id/${verb}`,
      {
        config: { access: 'operator', bodyOptional: true },
        schema: { tags: ['pipelines'], summary, params: ById, body: CommandBody, response: { 202: Receipt } },
      },
      (request, reply) =>
        mutateOnce({ ctx, request, reply, status: 202 }, (work) =>
          run(ctx, work, callerOf(request), request.params.id, request.body),
        ),
    );
  }
}
