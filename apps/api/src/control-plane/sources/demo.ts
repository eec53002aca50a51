/** The built-in pipeline, made once: a newcomer finds the system alive, with a month to be filled already under way. */
import type { StartBackfill } from '@spillway/shared/api/backfill';
import { flightsHistory, flightsJanuary, flightsPipeline } from '../../demo/flights.ts';
import { startBackfill } from '../backfill/start.ts';
import type { Actor, ControlContext } from '../context.ts';
import { seedPriceBook } from '../cost/price-books.ts';
import { unitOfWork } from '../database/database.ts';
import { pipelines, sources } from '../database/schema.ts';
import { lastRemovedRevision } from '../pipelines/removed.ts';

const system: Actor = { name: 'spillway', role: 'admin', address: null, origin: 'system' };

export async function seedDemo(
  ctx: ControlContext,
  options: { readonly liveEventsPerSecond: number },
): Promise<void> {
  const { id, title, bucketMs, repeat, live } = flightsPipeline;
  const config = { ...flightsHistory(), repeat };
  const range = { rangeFrom: repeat.from, rangeTo: repeat.from + repeat.laps * repeat.spanMs };

  await unitOfWork(ctx.database, async (work) => {
    // Whoever has removed it does not want it back with the next start.
    if ((await lastRemovedRevision(work.tx, id)) !== null) {
      ctx.log.info({ pipelineId: id }, 'the demo has been removed: it is not made again');
      return;
    }
    const made = await work.tx
      .insert(pipelines)
      .values({
        id,
        title,
        replayShare: 0.5,
        replayFloor: 0.02,
        headroom: 0.1,
        signals: { liveFreshnessMsP99: { target: 100, failMode: 'bad' } },
        reconnectStaggerMs: 5_000,
        // Two backfills of all sources: what a newcomer starts does not queue behind the first month.
        maxSourcesReplaying: 2 * flightsPipeline.sources.length,
        highWaterMark: 20_000,
        bucketMs,
        allowedLatenessMs: 0,
        eventRetentionMs: repeat.laps * repeat.spanMs,
        routeDecision: 'Replay has a stream of its own, so that live never queues behind it.',
        liveStream: 'flights-live',
        replayStream: 'flights-replay',
        liveEventsPerSecond: options.liveEventsPerSecond,
        liveFrom: live.from,
      })
      .onConflictDoNothing()
      .returning({ id: pipelines.id });
    for (const source of flightsPipeline.sources) {
      await work.tx
        .insert(sources)
        .values({ ...source, pipelineId: id, connector: 'parquet', config, ...range })
        // The package may lie elsewhere since the last start.
        .onConflictDoUpdate({ target: sources.id, set: { config } });
    }
    await seedPriceBook(work.tx, id, 'example-own-machines', system.name);
    if (made.length > 0) await startBackfill(ctx, work, system, firstBackfill());
  });
}

function firstBackfill(): StartBackfill {
  return {
    pipelineId: flightsPipeline.id,
    window: {
      from: new Date(flightsJanuary.from).toISOString(),
      to: new Date(flightsJanuary.to).toISOString(),
    },
    subwindow: 'PT1H',
    limits: { share: 0.2 },
    reason: 'First start: January is missing from the store.',
  };
}
