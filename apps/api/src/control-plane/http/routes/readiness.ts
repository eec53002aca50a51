import { Readiness } from '@spillway/shared/api/readiness';
import { readReadiness } from '../../readiness/read.ts';
import type { App, HttpParts } from '../parts.ts';
import { ById } from './parameters.ts';

export function readinessRoutes(app: App, { ctx }: HttpParts): void {
  app.get(
    '/v1/pipelines/:id/readiness',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['readiness'],
        summary: 'The operational checklist, answered from the running system',
        description:
          'Each answer is yes, no or unknown, with its evidence: what is set and what was measured, with units and ages. What was not measured, or too long ago to say, is unknown.',
        params: ById,
        response: { 200: Readiness },
      },
    },
    (request) => readReadiness(ctx, request.params.id),
  );
}
