import { CommandBody } from '@spillway/shared/api/backfill';
import { Drill, DrillPage, StartDrill } from '@spillway/shared/api/governor';
import { Id, strict } from '@spillway/shared/api/primitives';
import { Type } from 'typebox';
import { listDrills, readDrill } from '../../drills/queries.ts';
import { releaseDrill } from '../../drills/release.ts';
import { createDrillRunner } from '../../drills/runner.ts';
import { startDrill } from '../../drills/start.ts';
import { mutateOnce } from '../idempotency.ts';
import type { App, HttpParts } from '../parts.ts';
import { callerOf } from '../plugins/rights.ts';
import { ById, ListQuery } from './parameters.ts';

const ByDrill = Type.Object({ id: Id, drillId: Id }, strict);

export function drillRoutes(app: App, { ctx }: HttpParts, end?: AbortSignal): void {
  const tags = ['drills'];
  const runner = createDrillRunner(ctx);
  app.addHook('preClose', () => runner.stop());
  end?.addEventListener('abort', () => void runner.stop());

  app.post(
    '/v1/pipelines/:id/drills',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Fire drill: the store really stands still for a while',
        description:
          'At most 30 s, one at a time. Nothing is lost: live and replay wait on their streams. The answer is the report, which fills up as it happens.',
        params: ById,
        body: StartDrill,
        response: { 202: Drill },
      },
    },
    (request, reply) =>
      mutateOnce({ ctx, request, reply, status: 202 }, (work) =>
        startDrill(ctx, runner, work, callerOf(request), request.params.id, request.body),
      ),
  );
  // Who may not begin one may end one: the store is never better off for waiting until an admin is found.
  app.post(
    '/v1/pipelines/:id/drills/:drillId/release',
    {
      config: { access: 'operator', bodyOptional: true },
      schema: {
        tags,
        summary: 'End a fire drill early: release the store now',
        description:
          'The drill goes on to `recovering` and tells the recovery as always; one whose lock is still awaited ends as `failed`, with nothing stalled. One that is released or over already is answered as it is.',
        params: ByDrill,
        body: CommandBody,
        response: { 202: Drill },
      },
    },
    (request, reply) =>
      mutateOnce({ ctx, request, reply, status: 202 }, (work) =>
        releaseDrill(
          ctx,
          runner,
          work,
          callerOf(request),
          request.params.id,
          request.params.drillId,
          request.body,
        ),
      ),
  );
  app.get(
    '/v1/pipelines/:id/drills',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Reports of the drills, newest first',
        params: ById,
        querystring: ListQuery,
        response: { 200: DrillPage },
      },
    },
    (request) => listDrills(ctx, request.params.id, request.query),
  );
  app.get(
    '/v1/pipelines/:id/drills/:drillId',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'The report of one drill', params: ByDrill, response: { 200: Drill } },
    },
    (request) => readDrill(ctx, request.params.id, request.params.drillId),
  );
}
