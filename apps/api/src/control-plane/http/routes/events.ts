import { strict } from '@spillway/shared/api/primitives';
import { Type } from 'typebox';
import type { App, HttpParts } from '../parts.ts';
import { principalOf } from '../plugins/rights.ts';

const EventsQuery = Type.Object({ lastEventId: Type.Optional(Type.String({ maxLength: 64 })) }, strict);

export function eventRoutes(app: App, { events }: HttpParts): void {
  app.addHook('preClose', async () => events.close());
  app.get(
    '/v1/events',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['events'],
        summary: 'telemetry, backfill, pipeline, alert, heartbeat, reset (SSE)',
        description:
          'Ids resume with Last-Event-ID or lastEventId; `reset` says that something in between is gone: read anew what you show. `alert` comes when one is raised and when it is cleared; those raised before are read with `GET /v1/alerts?state=raised`.',
        querystring: EventsQuery,
      },
    },
    async (request, reply) => {
      const header = request.headers['last-event-id'];
      // The header is the browser's own, newer than what the page once put into the query.
      const lastEventId =
        (typeof header === 'string' && header !== '' ? header : request.query.lastEventId) ?? null;
      events.attach(reply, principalOf(request), lastEventId === '' ? null : lastEventId);
      return reply;
    },
  );
}
