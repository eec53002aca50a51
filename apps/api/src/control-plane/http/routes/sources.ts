import { FeedOutage, Source, SourcePage } from '@spillway/shared/api/pipeline';
import { CreateSource, PatchSource } from '@spillway/shared/api/source';
import { Type } from 'typebox';
import { unitOfWork } from '../../database/database.ts';
import { changeSource, removeSource } from '../../sources/change.ts';
import { createSource } from '../../sources/create.ts';
import { disconnectSource, reconnectSource } from '../../sources/outages.ts';
import { listSources, readSource } from '../../sources/queries.ts';
import { mutateOnce } from '../idempotency.ts';
import type { App, HttpParts } from '../parts.ts';
import { callerOf } from '../plugins/rights.ts';
import { revisionOf, withEtag } from '../revision.ts';
import { ById, ListQuery } from './parameters.ts';

export function sourceRoutes(app: App, { ctx, settings }: HttpParts): void {
  app.get(
    '/v1/sources',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['sources'],
        summary: 'Sources',
        querystring: ListQuery,
        response: { 200: SourcePage },
      },
    },
    (request) => listSources(ctx, callerOf(request), request.query),
  );
  app.post(
    '/v1/sources',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['sources'],
        summary: 'Add a source: history in files, in an object store or in a PostgreSQL database',
        description:
          'A replay worker counts it at once: until then range, events and statistics are null, and what is wrong with it is its failure. The credentials of a url are in no answer.',
        body: CreateSource,
        response: { 201: Source },
      },
    },
    (request, reply) =>
      mutateOnce({ ctx, request, reply, status: 201 }, (work) =>
        createSource(ctx, work, callerOf(request), request.body, settings.sourceDirs),
      ),
  );
  app.get(
    '/v1/sources/:id',
    {
      config: { access: 'viewer' },
      schema: { tags: ['sources'], summary: 'One source', params: ById, response: { 200: Source } },
    },
    async (request, reply) => withEtag(reply, await readSource(ctx, callerOf(request), request.params.id)),
  );
  app.patch(
    '/v1/sources/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['sources'],
        summary: 'Change a source (If-Match)',
        description:
          'A history is given whole, with its credentials, and is counted anew. It stays while backfills that use the source are not finished (`source_in_use`); of a source that is part of the installation it always does (`source_built_in`).',
        params: ById,
        body: PatchSource,
        response: { 200: Source },
      },
    },
    async (request, reply) => {
      const ifMatchRevision = revisionOf(request);
      const folders = settings.sourceDirs;
      const source = await unitOfWork(ctx.database, (work) =>
        changeSource(ctx, work, callerOf(request), request.params.id, request.body, {
          ifMatchRevision,
          folders,
        }),
      );
      return withEtag(reply, source);
    },
  );
  app.delete(
    '/v1/sources/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['sources'],
        summary: 'Remove a source',
        description:
          'What was applied of it stays in the store, and its backfills stay as they are. Refused while one of them is not finished (`source_in_use`), and of a source that is part of the installation (`source_built_in`).',
        params: ById,
        response: { 204: Type.Null({ description: 'removed' }) },
      },
    },
    async (request, reply) => {
      await unitOfWork(ctx.database, (work) => removeSource(ctx, work, callerOf(request), request.params.id));
      return reply.code(204).send(null);
    },
  );

  for (const [report, run, summary] of [
    ['disconnected', disconnectSource, 'A feed reports that it is out'],
    ['reconnected', reconnectSource, 'A feed reports that it is back: its gap is queued as a backfill'],
  ] as const) {
    app.post(
      `/v1/sources/:id/${report}`,
      {
        config: { access: 'operator', bodyOptional: true },
        schema: { tags: ['sources'], summary, params: ById, body: FeedOutage, response: { 200: Source } },
      },
      (request, reply) =>
        mutateOnce({ ctx, request, reply, status: 200 }, (work) =>
          run(ctx, work, callerOf(request), request.params.id, request.body),
        ),
    );
  }
}
