import {
  Backfill,
  BackfillPage,
  BackfillQuery,
  CancelBody,
  CommandBody,
  LedgerPage,
  PatchLimits,
  Receipt,
  StartBackfill,
} from '@spillway/shared/api/backfill';
import { cancelBackfill } from '../../backfill/cancel.ts';
import { pauseBackfill } from '../../backfill/pause.ts';
import { listBackfills, readBackfill, readLedger } from '../../backfill/queries.ts';
import { resumeBackfill } from '../../backfill/resume.ts';
import { retryBackfill } from '../../backfill/retry.ts';
import { startBackfill } from '../../backfill/start.ts';
import { throttleBackfill } from '../../backfill/throttle.ts';
import { unitOfWork } from '../../database/database.ts';
import { mutateOnce } from '../idempotency.ts';
import type { App, HttpParts } from '../parts.ts';
import { callerOf } from '../plugins/rights.ts';
import { revisionOf, withEtag } from '../revision.ts';
import { ById } from './parameters.ts';

const tags = ['backfills'];

export function backfillRoutes(app: App, { ctx }: HttpParts): void {
  app.post(
    '/v1/backfills',
    {
      config: { access: 'operator' },
      schema: { tags, summary: 'Start a backfill', body: StartBackfill, response: { 201: Backfill } },
    },
    async (request, reply) => {
      const backfill = await mutateOnce({ ctx, request, reply, status: 201 }, (work) =>
        startBackfill(ctx, work, callerOf(request), request.body),
      );
      reply.header('location', `/v1/backfills/${backfill.id}`);
      return withEtag(reply, backfill);
    },
  );

  app.get(
    '/v1/backfills',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Backfills, newest first',
        querystring: BackfillQuery,
        response: { 200: BackfillPage },
      },
    },
    (request) => listBackfills(ctx, callerOf(request), request.query),
  );

  app.get(
    '/v1/backfills/:id',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'One backfill', params: ById, response: { 200: Backfill } },
    },
    async (request, reply) => withEtag(reply, await readBackfill(ctx, callerOf(request), request.params.id)),
  );

  app.get(
    '/v1/backfills/:id/ledger',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Seconds lost to each throttle reason',
        params: ById,
        response: { 200: LedgerPage },
      },
    },
    (request) => readLedger(ctx, request.params.id),
  );

  app.patch(
    '/v1/backfills/:id/limits',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Throttle (If-Match)',
        params: ById,
        body: PatchLimits,
        response: { 202: Receipt },
      },
    },
    async (request, reply) => {
      const revision = revisionOf(request);
      const { backfill, receipt } = await unitOfWork(ctx.database, (work) =>
        throttleBackfill(ctx, work, callerOf(request), request.params.id, request.body, revision),
      );
      withEtag(reply, backfill);
      return reply.code(202).send(receipt);
    },
  );

  for (const [verb, run, summary] of [
    ['pause', pauseBackfill, 'Pause'],
    ['resume', resumeBackfill, 'Lift the operator’s hold'],
    ['retry', retryBackfill, 'Run again what failed, and read again the sources that differ from the store'],
  ] as const) {
    app.post(
      `/v1/backfills/:id/${verb}`,
      {
        config: { access: 'operator', bodyOptional: true },
        schema: { tags, summary, params: ById, body: CommandBody, response: { 202: Receipt } },
      },
      (request, reply) =>
        mutateOnce({ ctx, request, reply, status: 202 }, (work) =>
          run(ctx, work, callerOf(request), request.params.id, request.body),
        ),
    );
  }

  app.post(
    '/v1/backfills/:id/cancel',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Cancel, with a reason',
        params: ById,
        body: CancelBody,
        response: { 202: Receipt },
      },
    },
    (request, reply) =>
      mutateOnce({ ctx, request, reply, status: 202 }, (work) =>
        cancelBackfill(ctx, work, callerOf(request), request.params.id, request.body),
      ),
  );
}
