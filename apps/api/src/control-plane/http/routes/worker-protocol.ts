import {
  ClaimedLeases,
  ClaimLeases,
  CompleteLease,
  FailLease,
  Joined,
  JoinWorker,
  ReportStatistics,
  Tick,
  TickAnswer,
  type WorkerPush,
} from '@spillway/shared/api/worker-protocol';
import { Type } from 'typebox';
import { expectWhatIsCounted } from '../../backfill/expected-events.ts';
import { tellSettings } from '../../pipelines/push-settings.ts';
import { claimLeases } from '../../workers/claim.ts';
import { completeLease, failLease } from '../../workers/complete.ts';
import { leave } from '../../workers/leaving.ts';
import { joinWorker } from '../../workers/membership.ts';
import { recordTick } from '../../workers/tick.ts';
import type { App, HttpParts } from '../parts.ts';
import { principalOf } from '../plugins/rights.ts';
import { frameOf, openSse, type SseClient } from '../sse/client.ts';
import { ById } from './parameters.ts';

const tags = ['worker protocol'];
const config = { access: 'worker' } as const;
const heartbeatMs = 1_000;
const reportBytes = 1024 * 1024;
/** Counts of decades by the minute, compressed, in base64. */
const statisticsBytes = 9 * 1024 * 1024;
const Nothing = Type.Null({ description: 'nothing' });

/** What workers ask and report. One that falls silent is lost: its leases and its membership expire. */
export function workerProtocolRoutes(app: App, { ctx, directory, metrics }: HttpParts): void {
  const connected = new Set<SseClient>();
  app.addHook('preClose', async () => {
    for (const client of connected) client.close();
  });

  app.post(
    '/v1/workers',
    { config, schema: { tags, summary: 'Join', body: JoinWorker, response: { 201: Joined } } },
    async (request, reply) => reply.code(201).send(await joinWorker(ctx, request.body)),
  );

  app.delete(
    '/v1/workers/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Leave',
        description:
          'What the worker still holds is free at once, so it may do nothing more in its name. Its ticks and claims are `not_found` from then on. Whoever has left, or never joined, is answered the same.',
        params: ById,
        response: { 204: Nothing },
      },
    },
    async (request, reply) => {
      await leave(ctx, request.params.id);
      return reply.code(204).send(null);
    },
  );

  app.get(
    '/v1/workers/:id/grants',
    { config, schema: { tags, summary: 'Grants, stops and wake-ups (SSE)', params: ById } },
    (request, reply) => {
      const principal = principalOf(request);
      const client = openSse(reply, () => {
        clearInterval(timer);
        unsubscribe();
        connected.delete(client);
        metrics.workerStreams.set(connected.size);
      });
      const push = (message: WorkerPush) => client.send(frameOf(message.type, message));
      const unsubscribe = ctx.workers.subscribe(request.params.id, push);
      const timer = setInterval(() => {
        client.dropIfStalled();
        push({ type: 'heartbeat' });
        directory.stillWelcome(principal).then((welcome) => welcome || client.close());
      }, heartbeatMs);
      connected.add(client);
      metrics.workerStreams.set(connected.size);
      push({ type: 'heartbeat' });
      void tellSettings(ctx, request.params.id);
    },
  );

  app.post(
    '/v1/workers/:id/leases',
    {
      config,
      schema: {
        tags,
        summary: 'Claim leases',
        params: ById,
        body: ClaimLeases,
        response: { 200: ClaimedLeases },
      },
    },
    (request) => claimLeases(ctx, request.params.id, request.body),
  );

  app.post(
    '/v1/workers/:id/ticks',
    {
      config,
      bodyLimit: reportBytes,
      schema: { tags, summary: 'Report and renew', params: ById, body: Tick, response: { 200: TickAnswer } },
    },
    (request) => recordTick(ctx, request.params.id, request.body),
  );

  app.post(
    '/v1/workers/:id/statistics',
    {
      config,
      bodyLimit: statisticsBytes,
      schema: {
        tags,
        summary: 'What a source holds',
        params: ById,
        body: ReportStatistics,
        response: { 204: Nothing },
      },
    },
    async (request, reply) => {
      await ctx.statistics.record(request.body);
      const { sourceId, failure, tookMs } = request.body;
      if (failure === null && tookMs !== undefined)
        ctx.workers.broadcast('replay', { type: 'counted', sourceId, by: request.params.id, tookMs });
      await expectWhatIsCounted(ctx);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/v1/leases/:id/complete',
    {
      config,
      bodyLimit: reportBytes,
      schema: {
        tags,
        summary: 'Published to the end, or verified',
        params: ById,
        body: CompleteLease,
        response: { 204: Nothing },
      },
    },
    async (request, reply) => {
      await completeLease(ctx, request.params.id, request.body);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/v1/leases/:id/fail',
    {
      config,
      schema: {
        tags,
        summary: 'The attempt cannot succeed',
        params: ById,
        body: FailLease,
        response: { 204: Nothing },
      },
    },
    async (request, reply) => {
      await failLease(ctx, request.params.id, request.body);
      return reply.code(204).send(null);
    },
  );
}
