/** The map of the control plane's HTTP side: every plugin and every group of routes, in the order in which a request meets them. */
import { randomUUID } from 'node:crypto';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import { createAttempts } from '../access/attempts.ts';
import type { Directory } from '../access/directory.ts';
import type { ControlContext } from '../context.ts';
import { createControlMetrics, measureRequests } from './metrics.ts';
import type { App, HttpParts, HttpSettings } from './parts.ts';
import { authentication } from './plugins/authentication.ts';
import { boundedClose, connectionLimits, refuseBrokenConnections } from './plugins/connections.ts';
import { hostAllowlist } from './plugins/host.ts';
import { jsonBody } from './plugins/json-body.ts';
import { pressureValve, rateLimits } from './plugins/limits.ts';
import { openapi } from './plugins/openapi.ts';
import { preparationGate } from './plugins/preparation.ts';
import { problems, refuseBrokenRequests } from './plugins/problem.ts';
import { reasons } from './plugins/reasons.ts';
import { rights } from './plugins/rights.ts';
import { securityHeaders } from './plugins/security-headers.ts';
import { validation } from './plugins/validation.ts';
import { alertRoutes } from './routes/alerts.ts';
import { auditRoutes } from './routes/audit.ts';
import { backfillRoutes } from './routes/backfills.ts';
import { commandRoutes } from './routes/commands.ts';
import { drillRoutes } from './routes/drills.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { measurementRoutes } from './routes/measurements.ts';
import { pipelineRoutes } from './routes/pipelines.ts';
import { probeRoutes } from './routes/probes.ts';
import { quoteRoutes } from './routes/quotes.ts';
import { readinessRoutes } from './routes/readiness.ts';
import { referenceRoutes } from './routes/reference.ts';
import { sessionRoutes } from './routes/session.ts';
import { sourceRoutes } from './routes/sources.ts';
import { subwindowRoutes } from './routes/subwindows.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { webRoutes } from './routes/web.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { workerProtocolRoutes } from './routes/worker-protocol.ts';
import { workerRoutes } from './routes/workers.ts';
import { createEventStream } from './sse/event-stream.ts';

export interface AppOptions {
  readonly ctx: ControlContext;
  readonly directory: Directory;
  readonly settings: HttpSettings;
  readonly webhooks: HttpParts['webhooks'];
  readonly complaintAboutExternal: HttpParts['complaintAboutExternal'];
  readonly logger: FastifyBaseLogger;
  /** False until the database is migrated and loaded: everything but `/healthz` is answered 503. */
  readonly prepared: () => boolean;
  /** Once it aborts no drill holds the store: the workers are leaving, and need it for that. */
  readonly drillsEnd?: AbortSignal;
  readonly maxEventClients?: number;
  readonly maxEventLoopDelayMs?: number;
}

export async function buildApp({
  ctx,
  directory,
  settings,
  webhooks,
  complaintAboutExternal,
  logger,
  prepared,
  drillsEnd,
  maxEventClients,
  maxEventLoopDelayMs,
}: AppOptions): Promise<App> {
  const app: App = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    trustProxy: settings.trustedProxies.length === 0 ? false : [...settings.trustedProxies],
    exposeHeadRoutes: false,
    ...connectionLimits,
    clientErrorHandler: refuseBrokenConnections,
    frameworkErrors: refuseBrokenRequests,
  }).withTypeProvider<TypeBoxTypeProvider>();

  const parts: HttpParts = {
    ctx,
    directory,
    settings,
    webhooks,
    complaintAboutExternal,
    attempts: createAttempts(ctx.clock),
    events: createEventStream({
      changes: ctx.changes,
      directory,
      clock: ctx.clock,
      ...(maxEventClients === undefined ? {} : { maxClients: maxEventClients }),
    }),
    metrics: createControlMetrics(ctx),
  };

  // What every request passes, in this order.
  await securityHeaders(app, settings);
  hostAllowlist(app, settings);
  preparationGate(app, prepared);
  await pressureValve(app, maxEventLoopDelayMs);
  await authentication(app, parts);
  rights(app);
  await rateLimits(app);
  jsonBody(app);
  validation(app);
  reasons(app);
  problems(app);
  measureRequests(app, parts.metrics);
  boundedClose(app);
  await openapi(app);

  // What can be asked.
  pipelineRoutes(app, parts);
  measurementRoutes(app, parts);
  readinessRoutes(app, parts);
  probeRoutes(app, parts);
  drillRoutes(app, parts, drillsEnd);
  sourceRoutes(app, parts);
  quoteRoutes(app, parts);
  backfillRoutes(app, parts);
  subwindowRoutes(app, parts);
  commandRoutes(app, parts);
  workerRoutes(app, parts);
  alertRoutes(app, parts);
  auditRoutes(app, parts);
  tokenRoutes(app, parts);
  webhookRoutes(app, parts);
  sessionRoutes(app, parts);
  eventRoutes(app, parts);
  workerProtocolRoutes(app, parts);
  healthRoutes(app, parts);
  referenceRoutes(app);
  await webRoutes(app, settings);

  await app.ready();
  return app;
}
