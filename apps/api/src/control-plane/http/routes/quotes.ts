import { Quote, QuoteRequest } from '@spillway/shared/api/quote';
import { makeQuote } from '../../quotes/make.ts';
import { mutateOnce } from '../idempotency.ts';
import type { App, HttpParts } from '../parts.ts';
import { callerOf } from '../plugins/rights.ts';

export function quoteRoutes(app: App, { ctx }: HttpParts): void {
  app.post(
    '/v1/quotes',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['quotes'],
        summary: 'Dry run of a backfill: what it would do, take and cost',
        description: `Nothing is read from the sources. The body is that of a start, with \`finishBy\` or \`maxCost\` instead of a rate; a goal that is
impossible is answered with the nearest that is possible. A start that names the quote within fifteen minutes (\`quoteId\`) takes its limits where it names none itself, and is refused with
\`quote_drifted\` when what the quote rested on has changed: \`errors[].pointer\` then points into that, e.g. \`/sources/east\`, \`/priceBookVersion\`, \`/capacityEventsPerSecond\`, \`/overlaps\`. The live rate, the freshness target, the stream's retention and what runs have taught may move: they drift a quote where they move its likely time or cost out of its own range, or take the room on the stream (\`/durationSeconds\`, \`/cost\`, \`/stream\`, and with them what moved).`,
        body: QuoteRequest,
        response: { 201: Quote },
      },
    },
    (request, reply) =>
      mutateOnce({ ctx, request, reply, status: 201 }, (work) =>
        makeQuote(ctx, work, callerOf(request), request.body),
      ),
  );
}
