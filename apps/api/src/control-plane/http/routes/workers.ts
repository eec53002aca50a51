import { WorkerPage } from '@spillway/shared/api/session';
import { listWorkers } from '../../workers/membership.ts';
import type { App, HttpParts } from '../parts.ts';
import { ListQuery } from './parameters.ts';

export function workerRoutes(app: App, { ctx }: HttpParts): void {
  app.get(
    '/v1/workers',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['workers'],
        summary: 'Who is working',
        querystring: ListQuery,
        response: { 200: WorkerPage },
      },
    },
    (request) => listWorkers(ctx, request.query),
  );
}
