import { Gauge, type Registry } from 'prom-client';
import type { ControlContext } from '../context.ts';
import { readPipelineCost } from '../cost/pipeline-cost.ts';
import { governorMemory } from '../governor/memory.ts';
import { ProblemError } from '../problem-error.ts';
import { askedFor } from './asked-for.ts';

/** What pipelines cost, live and unfinished or lately ended backfills together, in the currency of their price books; without one they have no series. */
export function registerCostMetrics(registry: Registry, ctx: ControlContext): void {
  const costs = askedFor(async () => {
    const read = [...governorMemory(ctx).looks.keys()].map((pipeline) =>
      readPipelineCost(ctx, pipeline).catch((error: unknown) => {
        if (error instanceof ProblemError) return null;
        throw error;
      }),
    );
    return (await Promise.all(read)).filter((cost) => cost !== null);
  });
  const gauge = (name: string, help: string, part: 'spendPerHour' | 'provisioned' | 'overage') =>
    new Gauge({
      name,
      help,
      labelNames: ['pipeline', 'currency'],
      registers: [registry],
      async collect() {
        const known = await costs();
        this.reset();
        for (const cost of known) {
          const money = cost[part];
          if (money !== null)
            this.set({ pipeline: cost.pipelineId, currency: money.currency }, Number(money.amount));
        }
      },
    });
  gauge('spillway_spend_per_hour', 'Spend at the rate of now, an hour', 'spendPerHour');
  gauge('spillway_cost_provisioned', 'Cost that amounts paid for already absorb', 'provisioned');
  gauge('spillway_cost_overage', 'Cost beyond what is paid for already', 'overage');
}
