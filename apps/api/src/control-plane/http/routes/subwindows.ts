import {
  CommandBody,
  QuarantinePage,
  QuarantineQuery,
  Receipt,
  SubwindowBins,
  SubwindowPage,
  SubwindowQuery,
} from '@spillway/shared/api/backfill';
import { Id, strict } from '@spillway/shared/api/primitives';
import { Type } from 'typebox';
import { readQuarantine } from '../../backfill/quarantine.ts';
import { listSubwindows, retrySubwindow, subwindowBins } from '../../backfill/subwindow-queries.ts';
import { mutateOnce } from '../idempotency.ts';
import type { App, HttpParts } from '../parts.ts';
import { callerOf } from '../plugins/rights.ts';
import { ById } from './parameters.ts';

const BinsQuery = Type.Object(
  { bins: Type.Optional(Type.Integer({ minimum: 1, maximum: 2000, default: 200 })) },
  strict,
);
const ByRun = Type.Object({ id: Id, runId: Id }, strict);
const tags = ['backfills'];

export function subwindowRoutes(app: App, { ctx }: HttpParts): void {
  app.get(
    '/v1/backfills/:id/subwindows',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Runs of subwindows in one state',
        params: ById,
        querystring: SubwindowQuery,
        response: { 200: SubwindowPage },
      },
    },
    (request) => listSubwindows(ctx, request.params.id, request.query),
  );
  app.get(
    '/v1/backfills/:id/subwindows/bins',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Heat-strip',
        params: ById,
        querystring: BinsQuery,
        response: { 200: SubwindowBins },
      },
    },
    (request) => subwindowBins(ctx, request.params.id, request.query.bins ?? 200),
  );
  app.get(
    '/v1/backfills/:id/quarantine',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Events that were left out, with the addresses of their rows',
        params: ById,
        querystring: QuarantineQuery,
        response: { 200: QuarantinePage },
      },
    },
    (request) => readQuarantine(ctx, request.params.id, request.query.limit),
  );
  app.post(
    '/v1/backfills/:id/subwindows/:runId/retry',
    {
      config: { access: 'operator', bodyOptional: true },
      schema: {
        tags,
        summary: 'Run failed subwindows again, where no others of the backfill have failed',
        params: ByRun,
        body: CommandBody,
        response: { 202: Receipt },
      },
    },
    (request, reply) =>
      mutateOnce({ ctx, request, reply, status: 202 }, (work) =>
        retrySubwindow(ctx, work, callerOf(request), request.params.id, request.params.runId),
      ),
  );
}
