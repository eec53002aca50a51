import { CreateProbe, Probe, ProbePage } from '@spillway/shared/api/governor';
import { Id, strict } from '@spillway/shared/api/primitives';
import { Type } from 'typebox';
import { unitOfWork } from '../../database/database.ts';
import { createProbe, deleteProbe, listProbes } from '../../probes/definitions.ts';
import { mutateOnce } from '../idempotency.ts';
import type { App, HttpParts } from '../parts.ts';
import { callerOf } from '../plugins/rights.ts';
import { ById, ListQuery } from './parameters.ts';

const ByProbe = Type.Object({ id: Id, probeId: Id }, strict);

export function probeRoutes(app: App, { ctx }: HttpParts): void {
  const tags = ['probes'];
  app.get(
    '/v1/pipelines/:id/probes',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The signals that admins have added, without their credentials',
        description: 'What they say now is in the signals of the governor.',
        params: ById,
        querystring: ListQuery,
        response: { 200: ProbePage },
      },
    },
    (request) => listProbes(ctx, request.params.id, request.query),
  );
  app.post(
    '/v1/pipelines/:id/probes',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Add a signal: one number from SQL, PromQL or HTTP JSON',
        description:
          'The api reads it at its interval; a probe that fails, or has no number, is unknown and counts as its fail mode says. SQL is one query with one row and one number, in a transaction that may only read. At most 32 in a pipeline.',
        params: ById,
        body: CreateProbe,
        response: { 201: Probe },
      },
    },
    (request, reply) =>
      mutateOnce({ ctx, request, reply, status: 201 }, (work) =>
        createProbe(ctx, work, callerOf(request), request.params.id, request.body),
      ),
  );
  app.delete(
    '/v1/pipelines/:id/probes/:probeId',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Remove a signal',
        params: ByProbe,
        response: { 204: Type.Null({ description: 'removed' }) },
      },
    },
    async (request, reply) => {
      const { id, probeId } = request.params;
      await unitOfWork(ctx.database, (work) => deleteProbe(ctx, work, callerOf(request), id, probeId));
      return reply.code(204).send(null);
    },
  );
}
