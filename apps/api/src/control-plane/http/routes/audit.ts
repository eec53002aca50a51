import { AuditPage, AuditQuery, AuditVerdict } from '@spillway/shared/api/audit';
import { readAudit } from '../../audit/queries.ts';
import { verifyAudit } from '../../audit/verify.ts';
import type { App, HttpParts } from '../parts.ts';

export function auditRoutes(app: App, { ctx }: HttpParts): void {
  app.get(
    '/v1/audit',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['audit'],
        summary: 'Who did what, newest first',
        description: 'The cursor goes with the filters it was given under.',
        querystring: AuditQuery,
        response: { 200: AuditPage },
      },
    },
    (request) => readAudit(ctx, request.query),
  );
  app.get(
    '/v1/audit/verify',
    {
      config: { access: 'viewer' },
      schema: { tags: ['audit'], summary: 'Whether the chain is whole', response: { 200: AuditVerdict } },
    },
    () => verifyAudit(ctx.database),
  );
}
