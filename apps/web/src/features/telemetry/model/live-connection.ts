import type {
  AlertEvent,
  BackfillEvent,
  PipelineEventMessage,
  PipelineRemovedEvent,
  TelemetryEvent,
} from '@spillway/shared/api/events';
import type { QueryClient } from '@tanstack/react-query';
import { startTransition } from 'react';
import { AlertInbox } from '../../alerts/model/alert-inbox.ts';
import { backfillKeys } from '../../backfill/api/keys.ts';
import { BackfillInbox } from '../../backfill/model/backfill-inbox.ts';
import { pipelinesQuery, withoutPipeline, withPipeline } from '../../pipeline/api/list-pipelines.ts';
import { sourcesQuery } from '../../pipeline/api/list-sources.ts';
import { sessionQuery } from '../../session/api/session.ts';
import { type EventStreamPort, openEventStream } from './event-stream.ts';
import { LiveStore } from './live-store.ts';

const flushMs = 1_000;

const browser: EventStreamPort = {
  create: (url) => new EventSource(url),
  now: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/**
 * The tab's one event stream, and what it has said. The page sees that once a second, below everything a person does. It is opened as soon as
 * somebody is signed in, before the first screen is drawn: what the screen is to say is on its way meanwhile.
 */
export class LiveConnection {
  readonly #queryClient: QueryClient;
  #store = new LiveStore();
  #close: (() => void) | null = null;

  constructor(queryClient: QueryClient) {
    this.#queryClient = queryClient;
  }

  /** Another one after each `close`: what one person saw is not shown to the next. */
  get store(): LiveStore {
    return this.#store;
  }

  /** Does nothing while it is open. */
  open(): void {
    this.#close ??= this.#listen(this.#store);
  }

  /** Until the first telemetry since it was opened. */
  async heard(): Promise<void> {
    const store = this.#store;
    if (store.getSnapshot().receivedAtMs !== null) return;
    await new Promise<void>((resolve) => {
      const stop = store.subscribe(() => {
        if (store.getSnapshot().receivedAtMs === null) return;
        stop();
        resolve();
      });
    });
  }

  close(): void {
    this.#close?.();
    this.#close = null;
    this.#store = new LiveStore();
  }

  #listen(store: LiveStore): () => void {
    const queryClient = this.#queryClient;
    const inbox = new BackfillInbox(queryClient);
    const alerts = new AlertInbox(queryClient);
    let dropped = false;
    // What was missed cannot be told event by event: everything on the screen is read again once.
    const readAnew = () => void queryClient.invalidateQueries({ refetchType: 'active' });
    const flush = () =>
      startTransition(() => {
        store.flush();
        inbox.flush();
        alerts.flush();
      });

    const close = openEventStream('/v1/events', browser, {
      onState: (state) => {
        store.setConnection(state);
        store.flush();
        if (state === 'dropped') dropped = true;
        if (state === 'open' && dropped) {
          dropped = false;
          readAnew();
        }
      },
      onEvent: (name, data) => {
        if (name === 'telemetry') {
          const first = store.getSnapshot().receivedAtMs === null;
          store.receive(data as TelemetryEvent, Date.now());
          if (first) flush();
        } else if (name === 'backfill') {
          inbox.receive((data as BackfillEvent).backfill);
        } else if (name === 'pipeline') {
          const { pipeline } = data as PipelineEventMessage;
          queryClient.setQueryData(
            pipelinesQuery.queryKey,
            (before) => before && withPipeline(before, pipeline),
          );
        } else if (name === 'pipeline_removed') {
          const { pipelineId } = data as PipelineRemovedEvent;
          queryClient.setQueryData(
            pipelinesQuery.queryKey,
            (before) => before && withoutPipeline(before, pipelineId),
          );
          // Its sources are gone, and its backfills go by another pipeline.
          for (const queryKey of [sourcesQuery.queryKey, backfillKeys.lists, backfillKeys.all])
            void queryClient.invalidateQueries({ queryKey });
        } else if (name === 'alert') {
          alerts.receive((data as AlertEvent).alert);
        } else if (name === 'reset') {
          readAnew();
        }
      },
      onRefused: () => void queryClient.invalidateQueries({ queryKey: sessionQuery.queryKey }),
    });
    const timer = setInterval(flush, flushMs);
    return () => {
      clearInterval(timer);
      close();
    };
  }
}
