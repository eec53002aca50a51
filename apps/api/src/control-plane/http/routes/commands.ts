import { Receipt } from '@spillway/shared/api/backfill';
import { readReceipt } from '../../backfill/queries.ts';
import type { App, HttpParts } from '../parts.ts';
import { ById } from './parameters.ts';

export function commandRoutes(app: App, { ctx }: HttpParts): void {
  app.get(
    '/v1/commands/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['commands'],
        summary: 'Receipt of a command',
        params: ById,
        response: { 200: Receipt },
      },
    },
    (request) => readReceipt(ctx, request.params.id),
  );
}
