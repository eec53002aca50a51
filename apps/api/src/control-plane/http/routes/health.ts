import { strict } from '@spillway/shared/api/primitives';
import { sql } from 'drizzle-orm';
import { Type } from 'typebox';
import { ProblemError } from '../../problem-error.ts';
import type { App, HttpParts } from '../parts.ts';

const Alive = Type.Object({ status: Type.Literal('ok') }, strict);
const Ready = Type.Object({ status: Type.Literal('ready') }, strict);
const databaseLimitMs = 2_000;

export function healthRoutes(app: App, { ctx, events, metrics }: HttpParts): void {
  app.get(
    '/healthz',
    {
      config: { access: 'public' },
      schema: { tags: ['health'], summary: 'The process answers', response: { 200: Alive } },
    },
    async () => ({ status: 'ok' as const }),
  );

  let asking: Promise<unknown> | null = null;
  app.get(
    '/readyz',
    {
      config: { access: 'public' },
      schema: { tags: ['health'], summary: 'The control database answers', response: { 200: Ready } },
    },
    async () => {
      // One query however many ask: a public route must not be a way to keep the database busy.
      asking ??= ctx.database.execute(sql`select 1`).finally(() => {
        asking = null;
      });
      const late = AbortSignal.timeout(databaseLimitMs);
      await Promise.race([
        asking.catch((cause: unknown) => {
          throw new ProblemError('unavailable', 'The control database is not reachable', { cause });
        }),
        new Promise((_, reject) =>
          late.addEventListener('abort', () =>
            reject(new ProblemError('unavailable', 'The control database does not answer')),
          ),
        ),
      ]);
      return { status: 'ready' as const };
    },
  );

  app.get(
    '/metrics',
    { config: { access: 'viewer' }, schema: { tags: ['health'], summary: 'Prometheus' } },
    async (_request, reply) => {
      metrics.eventClients.set(events.size());
      return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
    },
  );
}
