/** The feed role: one live feed at a time; a second one stands by and takes over when the first is gone. */
import type { Joined, WorkerPush } from '@spillway/shared/api/worker-protocol';
import { keepMembership, type MembershipOptions } from '../control/membership.ts';
import { pause } from '../pause.ts';
import type { DurableStream } from '../ports.ts';
import { type FeedParts, runFeed } from './feed.ts';

export interface FeedWorkerOptions extends Omit<MembershipOptions, 'role'> {
  readonly pipelineId: string;
  readonly events: FeedParts['events'];
  readonly openStream: (name: string) => Promise<DurableStream>;
}

const AGAIN_MS = 500;

export async function runFeedWorker(options: FeedWorkerOptions): Promise<void> {
  const { signal, clock, log } = options;
  let eventsPerSecond = 0;
  let standby = true;
  let eventsPublished = 0;
  let eventTime: number | null = null;
  let feed: Promise<void> | null = null;

  function learn(pipelines: Joined['pipelines']): void {
    const pipeline = pipelines.find(({ pipelineId }) => pipelineId === options.pipelineId);
    if (pipeline === undefined) return;
    eventsPerSecond = pipeline.liveEventsPerSecond ?? 0;
    feed ??= play(pipeline.liveStream);
  }

  /** Until the signal aborts; whatever goes wrong is tried again, from the place that the stream holds. */
  async function play(name: string): Promise<void> {
    while (!signal.aborted) {
      try {
        await playOnce(name);
      } catch (error) {
        log.warn({ err: error }, 'the live feed stopped');
        await pause(AGAIN_MS, signal);
      }
    }
  }

  async function playOnce(name: string): Promise<void> {
    const stream = await options.openStream(name);
    try {
      await runFeed({
        events: options.events,
        producer: stream.producer,
        clock,
        signal,
        eventsPerSecond: () => (standby ? 0 : eventsPerSecond),
        published: (count, at) => {
          eventsPublished += count;
          eventTime = at;
        },
      });
    } finally {
      await stream.close();
    }
  }

  await keepMembership(
    { ...options, role: 'feed' },
    {
      joined(joined) {
        standby = joined.standby;
        learn(joined.pipelines);
      },
      pushed(push: WorkerPush) {
        if (push.type === 'settings') learn([push.pipeline]);
      },
      report: () => ({
        body: {
          leases: [],
          quarantined: [],
          replay: null,
          apply: null,
          feed: { eventsPublished, eventTime },
        },
        delivered: (answer) => {
          standby = answer.standby;
        },
      }),
    },
  );
  await feed;
}
