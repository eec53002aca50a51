/** One subscriber of `GET /v1/events`, as a browser tab is one. */
import type { BackfillEvent, TelemetryEvent } from '@spillway/shared/api/events';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { StartedSystem } from './started-system.ts';
import { until } from './until.ts';

export interface EventWatch {
  /** Kept: the last thousand of each. */
  readonly telemetry: readonly TelemetryEvent[];
  readonly backfills: readonly BackfillEvent[];
  /** Waits for that many more seconds of telemetry: the system's own clock ticking. */
  seconds(count: number): Promise<readonly TelemetryEvent[]>;
  close(): Promise<void>;
}

const KEPT = 1_000;

/** Comes back by itself when the connection drops. */
export function watchEvents(system: Pick<StartedSystem, 'url' | 'adminToken'>): EventWatch {
  const telemetry: TelemetryEvent[] = [];
  const backfills: BackfillEvent[] = [];
  let arrived = 0;
  const closing = new AbortController();

  async function listen(): Promise<void> {
    const response = await fetch(`${system.url}/v1/events`, {
      headers: { authorization: `Bearer ${system.adminToken}`, accept: 'text/event-stream' },
      signal: closing.signal,
    });
    if (response.body === null || !response.ok) throw new Error(`events: ${response.status}`);
    const events = response.body
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new EventSourceParserStream());
    for await (const { event, data } of events) {
      if (event === 'telemetry') arrived += 1;
      if (event === 'telemetry') keep(telemetry, JSON.parse(data));
      if (event === 'backfill') keep(backfills, JSON.parse(data));
    }
  }

  const listening = (async () => {
    while (!closing.signal.aborted) {
      await listen().catch(() => undefined);
      if (!closing.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();

  return {
    telemetry,
    backfills,
    async seconds(count) {
      const from = arrived;
      await until(`${count} s of telemetry`, () => arrived >= from + count);
      return telemetry.slice(-count);
    },
    async close() {
      closing.abort();
      await listening;
    },
  };
}

function keep<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > KEPT) list.shift();
}
