/** The feed role: one live feed at a time; a second one stands by and takes over when the first is gone. */
import type { Joined, WantedOutage, WorkerPush } from '@spillway/shared/api/worker-protocol';
import { APPLIER_GROUP } from '../apply/lane.ts';
import { keepMembership, type MembershipOptions, type RoleReport } from '../control/membership.ts';
import { CpuCharge } from '../meter/cpu.ts';
import { UsageLedger } from '../meter/usage-ledger.ts';
import { pause } from '../pause.ts';
import type { DurableStream } from '../ports.ts';
import { Seldom } from '../seldom.ts';
import { type FeedParts, runFeed } from './feed.ts';
import type { FeedPlace } from './place.ts';

export interface FeedWorkerOptions extends Omit<MembershipOptions, 'role'> {
  readonly pipelineId: string;
  readonly events: FeedParts['events'];
  readonly liveFrom: FeedParts['liveFrom'];
  readonly openStream: (name: string) => Promise<DurableStream>;
}

type FeedReport = NonNullable<RoleReport['feed']>;

const AGAIN_MS = 500;

export async function runFeedWorker(options: FeedWorkerOptions): Promise<void> {
  const { signal, clock, log, pipelineId } = options;
  const live = { pipelineId, backfillId: null };
  const ledger = new UsageLedger(clock);
  const cpu = new CpuCharge(ledger);
  /** Null: there is no such pipeline, or no more. */
  let eventsPerSecond: number | null = null;
  let standby = true;
  let wanted: readonly WantedOutage[] = [];
  let eventsPublished = 0;
  let stored: FeedPlace | null = null;
  let feed: Promise<void> | null = null;
  const said = new Seldom(clock);

  function keepOnly(pipelineIds: readonly string[]): void {
    if (!pipelineIds.includes(pipelineId)) eventsPerSecond = null;
    ledger.keepOnly(pipelineIds);
  }

  function learn(pipelines: Joined['pipelines']): void {
    const pipeline = pipelines.find(({ pipelineId }) => pipelineId === options.pipelineId);
    if (pipeline === undefined) return;
    eventsPerSecond = pipeline.liveEventsPerSecond ?? 0;
    wanted = pipeline.outages;
    feed ??= play(pipeline.liveStream);
  }

  /** Until the signal aborts; whatever goes wrong is tried again, from the place that the stream holds. */
  async function play(name: string): Promise<void> {
    while (!signal.aborted) {
      try {
        await playOnce(name);
      } catch (error) {
        // What is being read when it is told to stop ends with that.
        if (signal.aborted) return;
        if (said.isDue(String(error))) log.warn({ err: error }, 'the live feed stopped');
        await pause(AGAIN_MS, signal);
      }
    }
  }

  async function playOnce(name: string): Promise<void> {
    const stream = await options.openStream(name);
    try {
      await runFeed({
        events: options.events,
        liveFrom: options.liveFrom,
        producer: stream.producer,
        isRead: async () => (await stream.stats(APPLIER_GROUP)).group !== null,
        clock,
        signal,
        eventsPerSecond: () => (standby ? null : eventsPerSecond),
        outages: () => wanted,
        played: (count, bytes, place) => {
          eventsPublished += count;
          ledger.add(live, {
            streamOperations: count,
            publishedBytes: bytes,
            ...(stream.reach === 'local' ? { egressBytes: 0 } : {}),
          });
          stored = place;
          said.forget();
        },
      });
    } finally {
      await stream.close();
    }
  }

  const leave = await keepMembership(
    { ...options, role: 'feed' },
    {
      joined(joined) {
        standby = joined.standby;
        keepOnly(joined.pipelines.map((pipeline) => pipeline.pipelineId));
        learn(joined.pipelines);
      },
      pushed(push: WorkerPush) {
        if (push.type === 'settings') learn([push.pipeline]);
        else if (push.type === 'pipelines') keepOnly(push.pipelineIds);
      },
      report: () => {
        if (eventsPerSecond === null) ledger.keepOnly([]);
        else cpu.charge([live], pipelineId);
        const { usage, delivered } = ledger.report();
        const feed = { eventsPublished, ...reportOf(stored) };
        return {
          body: { leases: [], quarantined: [], replay: null, apply: null, feed, usage },
          delivered: (answer) => {
            delivered();
            standby = answer.standby;
          },
        };
      },
    },
  );
  await feed;
  await leave();
}

/** Nothing is known of a place that has not been read yet. */
function reportOf(place: FeedPlace | null): Pick<FeedReport, 'eventTime' | 'outages'> {
  if (place === null) return { eventTime: null, outages: [] };
  return {
    eventTime: place.reached,
    outages: place.outages.map(({ outageId, sourceId, from, to, ended }) => ({
      outageId,
      sourceId,
      from,
      to: ended ? to : null,
    })),
  };
}
