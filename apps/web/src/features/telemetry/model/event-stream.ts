/**
 * The one event stream of this tab.
 *
 * The browser's EventSource reconnects by itself after a broken connection and sends the last id; after an HTTP error it
 * gives up for good, and a half-open connection it never notices. Both are mended here: a closed source is opened
 * again with growing pauses and the last id in the query, and silence longer than `silenceMs` counts as a drop (the server
 * sends something at least every second).
 */
export type StreamState = 'connecting' | 'open' | 'dropped';

export interface EventStreamPort {
  readonly create: (url: string) => EventSource;
  readonly now: () => number;
  /** Returns its cancellation. */
  readonly after: (delayMs: number, run: () => void) => () => void;
}

export interface EventStreamListener {
  readonly onState: (state: StreamState) => void;
  readonly onEvent: (name: string, data: unknown) => void;
  /** The server answered with an error instead of a stream: the session may have ended. */
  readonly onRefused: () => void;
}

const eventNames = [
  'telemetry',
  'backfill',
  'pipeline',
  'pipeline_removed',
  'alert',
  'heartbeat',
  'reset',
] as const;
export const silenceMs = 8_000;
const firstPauseMs = 500;
const longestPauseMs = 10_000;

export function openEventStream(
  url: string,
  port: EventStreamPort,
  listener: EventStreamListener,
): () => void {
  let source: EventSource | null = null;
  let lastEventId = '';
  let pauseMs = firstPauseMs;
  let heardAt = port.now();
  let cancelTimer: () => void = () => {};
  let closed = false;

  const open = () => {
    listener.onState('connecting');
    heardAt = port.now();
    const current = port.create(
      lastEventId === '' ? url : `${url}?lastEventId=${encodeURIComponent(lastEventId)}`,
    );
    source = current;
    current.onopen = () => {
      pauseMs = firstPauseMs;
      heardAt = port.now();
      listener.onState('open');
    };
    current.onerror = () => {
      if (source !== current) return;
      listener.onState('dropped');
      if (current.readyState === 2 /* CLOSED: the browser will not try again */) {
        listener.onRefused();
        reopenLater();
      }
    };
    for (const name of eventNames) {
      current.addEventListener(name, (event: MessageEvent<string>) => {
        heardAt = port.now();
        if (event.lastEventId !== '') lastEventId = event.lastEventId;
        listener.onEvent(name, JSON.parse(event.data));
      });
    }
    watch();
  };

  const watch = () => {
    cancelTimer();
    cancelTimer = port.after(1_000, () => {
      if (port.now() - heardAt > silenceMs) {
        listener.onState('dropped');
        reopenLater();
      } else {
        watch();
      }
    });
  };

  const reopenLater = () => {
    source?.close();
    source = null;
    cancelTimer();
    if (closed) return;
    cancelTimer = port.after(pauseMs, open);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  };

  open();
  return () => {
    closed = true;
    cancelTimer();
    source?.close();
    source = null;
  };
}
