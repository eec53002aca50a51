import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ControlContext } from '../context.ts';
import { registerCostMetrics } from './cost-metrics.ts';
import type { App } from './parts.ts';
import { registerPipelineMetrics } from './pipeline-metrics.ts';
import { registerReportedMetrics } from './reported-metrics.ts';
import { registerWebhookMetrics } from './webhook-metrics.ts';

export interface ControlMetrics {
  readonly registry: Registry;
  readonly requestSeconds: Histogram<'method' | 'route' | 'status'>;
  readonly problems: Counter<'code'>;
  readonly eventClients: Gauge;
  readonly workerStreams: Gauge;
}

/** A registry of our own: several apps may live in one process. */
export function createControlMetrics(ctx: ControlContext): ControlMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  registerPipelineMetrics(registry, ctx);
  registerReportedMetrics(registry, ctx);
  registerCostMetrics(registry, ctx);
  registerWebhookMetrics(registry, ctx);
  return {
    registry,
    requestSeconds: new Histogram({
      name: 'spillway_http_request_duration_seconds',
      help: 'Time to answer a request, by route',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers: [registry],
    }),
    problems: new Counter({
      name: 'spillway_http_problems_total',
      help: 'Answers that were problems, by code',
      labelNames: ['code'],
      registers: [registry],
    }),
    eventClients: new Gauge({
      name: 'spillway_event_clients',
      help: 'Open event streams',
      registers: [registry],
    }),
    workerStreams: new Gauge({
      name: 'spillway_worker_streams',
      help: 'Workers connected for grants',
      registers: [registry],
    }),
  };
}

export function measureRequests(app: App, metrics: ControlMetrics): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = request.is404 ? 'unknown' : (request.routeOptions.url ?? 'unknown');
    metrics.requestSeconds.observe(
      { method: request.method, route, status: String(reply.statusCode) },
      reply.elapsedTime / 1000,
    );
    if (reply.problemCode !== null) metrics.problems.inc({ code: reply.problemCode });
  });
}
