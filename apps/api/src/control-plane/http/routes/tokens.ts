import { CreatedToken, CreateToken, TokenPage } from '@spillway/shared/api/session';
import { Type } from 'typebox';
import { answersSeal } from '../../access/seal.ts';
import { createToken, listTokens, revokeToken } from '../../access/tokens.ts';
import { unitOfWork } from '../../database/database.ts';
import { mutateOnce } from '../idempotency.ts';
import type { App, HttpParts } from '../parts.ts';
import { callerOf } from '../plugins/rights.ts';
import { ById, ListQuery } from './parameters.ts';

export function tokenRoutes(app: App, { ctx, directory, settings }: HttpParts): void {
  const tags = ['access'];
  const seal = answersSeal(settings.adminToken);

  app.get(
    '/v1/tokens',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Tokens, without the tokens themselves',
        querystring: ListQuery,
        response: { 200: TokenPage },
      },
    },
    (request) => listTokens(ctx, request.query),
  );
  app.post(
    '/v1/tokens',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Make a token; this answer alone shows it',
        body: CreateToken,
        response: { 201: CreatedToken },
      },
    },
    async (request, reply) => {
      const created = await mutateOnce({ ctx, request, reply, status: 201, seal }, (work) =>
        createToken(ctx, work, callerOf(request), request.body),
      );
      await directory.refresh();
      return created;
    },
  );
  app.delete(
    '/v1/tokens/:id',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Revoke a token',
        params: ById,
        response: { 204: Type.Null({ description: 'revoked' }) },
      },
    },
    async (request, reply) => {
      await unitOfWork(ctx.database, (work) => revokeToken(ctx, work, callerOf(request), request.params.id));
      await directory.refresh();
      return reply.code(204).send(null);
    },
  );
}
