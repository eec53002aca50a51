/**
 * What `/metrics` says of pipelines, made when it is asked for from what is known then: series of what nobody reports any more vanish.
 */
import type { FreshnessHistogram } from '@spillway/shared/api/worker-protocol';
import { count, isNull } from 'drizzle-orm';
import { Gauge, type Metric, type Registry } from 'prom-client';
import type { ControlContext } from '../context.ts';
import { alerts } from '../database/schema.ts';
import { governorMemory } from '../governor/memory.ts';
import { askedFor } from './asked-for.ts';

export function registerPipelineMetrics(registry: Registry, ctx: ControlContext): void {
  const registers = [registry];
  registry.registerMetric(liveFreshness(ctx));

  new Gauge({
    name: 'spillway_effective_events_per_second',
    help: 'What the governor lets a backfill use, by the ceiling that binds',
    labelNames: ['backfill', 'binding'],
    registers,
    collect() {
      this.reset();
      for (const [backfill, { eventsPerSecond, binding }] of governorMemory(ctx).decisions)
        this.set({ backfill, binding: binding ?? 'none' }, eventsPerSecond);
    },
  });
  new Gauge({
    name: 'spillway_ceiling_events_per_second',
    help: 'Ceilings of a backfill that limit it now, by reason',
    labelNames: ['backfill', 'reason'],
    registers,
    collect() {
      this.reset();
      for (const [backfill, { ceilings }] of governorMemory(ctx).decisions)
        for (const { reason, eventsPerSecond } of ceilings)
          if (eventsPerSecond !== null) this.set({ backfill, reason }, eventsPerSecond);
    },
  });
  new Gauge({
    name: 'spillway_backfill_events_per_second',
    help: 'What a backfill really publishes and has applied, over the last seconds',
    labelNames: ['backfill', 'at'],
    registers,
    collect() {
      this.reset();
      for (const backfill of governorMemory(ctx).decisions.keys()) {
        const { publishedEventsPerSecond, appliedEventsPerSecond } = ctx.telemetry.rates(backfill);
        if (publishedEventsPerSecond !== null)
          this.set({ backfill, at: 'published' }, publishedEventsPerSecond);
        if (appliedEventsPerSecond !== null) this.set({ backfill, at: 'applied' }, appliedEventsPerSecond);
      }
    },
  });
  new Gauge({
    name: 'spillway_safe_events_per_second',
    help: 'What replay of the pipeline could use now without hurting live',
    labelNames: ['pipeline'],
    registers,
    collect() {
      this.reset();
      for (const [pipeline, { view }] of governorMemory(ctx).looks)
        if (view.safeRate.eventsPerSecond !== null) this.set({ pipeline }, view.safeRate.eventsPerSecond);
    },
  });
  new Gauge({
    name: 'spillway_signal',
    help: 'Signals as last measured, in the unit that ends their name; a probe goes by its id',
    labelNames: ['pipeline', 'signal'],
    registers,
    collect() {
      this.reset();
      for (const [pipeline, { view }] of governorMemory(ctx).looks)
        for (const { name, value } of view.signals)
          if (value !== null) this.set({ pipeline, signal: name }, value);
    },
  });
  new Gauge({
    name: 'spillway_signal_target',
    help: 'What a signal may be before replay is cut back; without a target it does not govern',
    labelNames: ['pipeline', 'signal'],
    registers,
    collect() {
      this.reset();
      for (const [pipeline, { view }] of governorMemory(ctx).looks)
        for (const { name, target } of view.signals)
          if (target !== null) this.set({ pipeline, signal: name }, target);
    },
  });
  const raised = askedFor(() =>
    ctx.database
      .select({ pipeline: alerts.pipelineId, code: alerts.code, alerts: count() })
      .from(alerts)
      .where(isNull(alerts.clearedAt))
      .groupBy(alerts.pipelineId, alerts.code),
  );
  new Gauge({
    name: 'spillway_alerts_raised',
    help: 'Alerts raised and not cleared, by code',
    labelNames: ['pipeline', 'code'],
    registers,
    async collect() {
      const rows = await raised();
      this.reset();
      for (const { pipeline, code, alerts: number } of rows) this.set({ pipeline, code }, number);
    },
  });
}

const FRESHNESS = 'spillway_live_freshness_ms';
/** The applier's histogram (data-plane/apply/histogram.ts): place n ends at 0.05 · 1.05ⁿ ms. */
const FIRST_EDGE_MS = 0.05;
const GROWTH = 1.05;

/** Counted by the applier, so that no sample is lost between two questions; its counts begin anew when it does. */
function liveFreshness(ctx: ControlContext): Metric {
  const metric = {
    name: FRESHNESS,
    help: 'Publish to applied of every live event since the applier began',
    type: 'histogram',
    aggregator: 'sum',
    async get() {
      const values = [...governorMemory(ctx).looks.keys()].flatMap((pipeline) => {
        const freshness = ctx.telemetry.observation(pipeline)?.apply?.freshness;
        return freshness === undefined ? [] : seriesOf(pipeline, freshness);
      });
      return { name: FRESHNESS, help: metric.help, type: metric.type, aggregator: metric.aggregator, values };
    },
  };
  // What a registry asks of a metric is `get`; prom-client's own histogram cannot be filled with counts.
  return metric as unknown as Metric;
}

/** Every place that was ever used, cumulative, as Prometheus wants buckets. */
function seriesOf(pipeline: string, { samples, places }: FreshnessHistogram) {
  let below = 0;
  const buckets = places.map(([place, own]) => {
    below += own;
    const le = (FIRST_EDGE_MS * GROWTH ** place).toPrecision(6);
    return { metricName: `${FRESHNESS}_bucket`, labels: { pipeline, le: String(Number(le)) }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${FRESHNESS}_bucket`, labels: { pipeline, le: '+Inf' }, value: samples },
    { metricName: `${FRESHNESS}_count`, labels: { pipeline }, value: samples },
  ];
}
