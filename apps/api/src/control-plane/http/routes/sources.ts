import { Source, SourcePage } from '@spillway/shared/api/pipeline';
import { listSources, readSource } from '../../sources/queries.ts';
import type { App, HttpParts } from '../parts.ts';
import { ById, ListQuery } from './parameters.ts';

export function sourceRoutes(app: App, { ctx }: HttpParts): void {
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
    (request) => listSources(ctx, request.query),
  );
  app.get(
    '/v1/sources/:id',
    {
      config: { access: 'viewer' },
      schema: { tags: ['sources'], summary: 'One source', params: ById, response: { 200: Source } },
    },
    (request) => readSource(ctx, request.params.id),
  );
}
