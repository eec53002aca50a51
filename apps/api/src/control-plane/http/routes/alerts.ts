import { AlertPage, AlertQuery } from '@spillway/shared/api/governor';
import { listAlerts } from '../../alerts/queries.ts';
import type { App, HttpParts } from '../parts.ts';

export function alertRoutes(app: App, { ctx }: HttpParts): void {
  app.get(
    '/v1/alerts',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['alerts'],
        summary: 'What is wrong now, then what was lately; newest first',
        description:
          'The event stream tells of each alert when it is raised and when it is cleared, not of those that stand: read `?state=raised` after connecting, and again on `reset`. Cleared alerts are kept for 30 days.',
        querystring: AlertQuery,
        response: { 200: AlertPage },
      },
    },
    (request) => listAlerts(ctx, request.query),
  );
}
