/** A budget of half of what a run would cost, at two rates: how much is spent once it is held and the stream has run dry, and how early that is. */
import { pricePresets } from '@spillway/shared/cost/presets';
import { command, readBackfill, startBackfill, untilState } from '../../apps/api/test/system/backfills.ts';
import { configurePipeline } from '../../apps/api/test/system/pipelines.ts';
import type { StartedSystem } from '../../apps/api/test/system/started-system.ts';
import { until } from '../../apps/api/test/system/until.ts';
import { type Figure, figure } from '../figures.ts';
import { quietSystem } from '../flights.ts';
import { lap } from '../measured-replay.ts';
import { measured } from '../quick.ts';
import { amountOf, handledOf, meteredAtRest, meteredOf, quoteBackfill, runToEnd } from '../quoted-run.ts';

const RATES = [3_000, 12_000];
/** So long would it run without a budget. */
const RUN_SECONDS = measured(40, 16);
const EVENTS_PER_DAY = 16_575;
const day = 86_400_000;

export async function budgetArm(): Promise<Figure[]> {
  const system = await quietSystem();
  try {
    await configurePipeline(system, { priceBook: pricePresets['example-cloud'] });
    await runToEnd(system, {
      window: { from: '2001-02-05T00:00:00Z', to: '2001-02-07T00:00:00Z' },
      limits: { eventsPerSecond: 5_000 },
    });
    const figures: Figure[] = [];
    for (const [index, rate] of RATES.entries()) figures.push(...(await heldAt(system, rate, 1 + index)));
    return figures;
  } finally {
    await system.remove();
  }
}

async function heldAt(system: StartedSystem, eventsPerSecond: number, number: number): Promise<Figure[]> {
  const { from } = lap(number);
  const days = Math.max(1, Math.round((eventsPerSecond * RUN_SECONDS) / EVENTS_PER_DAY));
  const window = { from, to: new Date(Date.parse(from) + days * day).toISOString() };
  const { cost } = await quoteBackfill(system, { window, limits: { eventsPerSecond } });
  const budget = (amountOf(cost?.likely ?? { amount: 'NaN' }) / 2).toFixed(6);
  const { id } = await startBackfill(system, {
    window,
    limits: { eventsPerSecond, budget: { amount: budget, currency: 'USD' } },
  });
  await untilState(system, id, 'paused');
  const atHold = amountOf(meteredOf(await readBackfill(system, id)).spend);
  await until('what was published to be applied', async () => {
    const seen = await readBackfill(system, id);
    return handledOf(seen) === seen.progress.eventsPublished;
  });
  const held = await meteredAtRest(system, id);
  const spent = amountOf(meteredOf(held).spend);
  await command(system, id, 'cancel');
  await untilState(system, id, 'cancelled');
  const part = (spent / Number(budget)) * 100;
  return [
    figure(
      `budget at ${eventsPerSecond} events/s: spent`,
      part,
      '% of it',
      { atMost: 101 },
      {
        budget,
        spent,
        meteredWhenPaused: atHold,
        secondsEarly: ((Number(budget) - spent) / Number(budget)) * (RUN_SECONDS / 2),
        holds: held.holds,
      },
    ),
  ];
}
