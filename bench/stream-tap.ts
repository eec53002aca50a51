/**
 * An independent witness of what reaches the replay stream, and when: a consumer group of its own on the embedded stream. The
 * moment counted is the one at which the entry was seen here, so every figure made of it errs on the late side.
 */
import { join } from 'node:path';
import { openEmbeddedStream } from '../apps/api/src/adapters/stream-embedded/stream.ts';

export interface StreamTap {
  /** Arrivals so far: time (epoch ms) and number of events. Bounded by `forget`. */
  readonly arrivals: { readonly atMs: number; readonly events: number }[];
  /** Events seen in `[from, to)`, epoch ms. */
  between(fromMs: number, toMs: number): number;
  /** The last arrival of an event, epoch ms; 0 before the first. */
  lastAtMs(): number;
  forget(): void;
  close(): Promise<void>;
}

export async function tapStream(dataDir: string, name: string): Promise<StreamTap> {
  const stream = await openEmbeddedStream({ directory: join(dataDir, 'streams'), name });
  const consumer = stream.consumer('bench');
  const stop = new AbortController();
  const arrivals: { atMs: number; events: number }[] = [];
  let position = (await stream.stats()).lastOffset;
  if (position !== null) await consumer.acknowledge(position);

  const watching = (async () => {
    while (!stop.signal.aborted) {
      const entries = await consumer.read({
        after: position,
        maxEntries: 5_000,
        waitMs: 100,
        signal: stop.signal,
      });
      const last = entries.at(-1);
      if (last === undefined) continue;
      const events = entries.reduce((sum, { entry }) => sum + (entry.type === 'event' ? 1 : 0), 0);
      if (events > 0) arrivals.push({ atMs: Date.now(), events });
      position = last.offset;
      await consumer.acknowledge(position);
    }
  })();

  return {
    arrivals,
    between: (fromMs, toMs) =>
      arrivals.reduce((sum, { atMs, events }) => sum + (atMs >= fromMs && atMs < toMs ? events : 0), 0),
    lastAtMs: () => arrivals.at(-1)?.atMs ?? 0,
    forget: () => void (arrivals.length = 0),
    async close() {
      stop.abort();
      await watching;
      await stream.close();
    },
  };
}
