/**
 * The demo's live traffic: real events in file order at a constant rate, on the live stream, for ever.
 *
 * Its place in the file is stored with the events it published, in one transaction of the stream: killed at any point it goes on
 * with the very next event, none lost, none twice.
 */
import type { Clock } from '../clock.ts';
import { pause } from '../pause.ts';
import type { HistoryBatch, StreamEntry, StreamProducer } from '../ports.ts';

export interface FeedParts {
  /** Events in live order after the cursor (null: from where live begins). */
  readonly events: (request: {
    readonly after: string | null;
    readonly maxEvents: number;
    readonly signal: AbortSignal;
  }) => AsyncIterable<HistoryBatch>;
  readonly producer: StreamProducer;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Events/s asked for now; 0 stops. */
  readonly eventsPerSecond: () => number;
  readonly published: (count: number, eventTime: number) => void;
}

/** Events of one append: what the rate gives in this time, at least one. */
const APPEND_MS = 20;
/** Behind by more than this, the time is gone: a stall is not answered with a burst. */
const FORGIVEN_MS = 1_000;
/** Nobody takes the events: stop before the disk is full. */
const LONGEST_STREAM = 1_000_000;
const IDLE_MS = 50;

/** Resolves when the signal aborts. */
export async function runFeed(parts: FeedParts): Promise<void> {
  const { signal, producer } = parts;
  while (!signal.aborted) {
    const rate = parts.eventsPerSecond();
    if (rate <= 0 || (await producer.length()) >= LONGEST_STREAM) await pause(IDLE_MS, signal);
    else await playAt(parts, rate);
  }
}

/** Until the rate changes or the stream is too long. */
async function playAt(parts: FeedParts, rate: number): Promise<void> {
  const { clock, producer, signal } = parts;
  const maxEvents = Math.max(1, Math.round((rate * APPEND_MS) / 1000));
  const after = await producer.producerState();
  let dueMs = clock.monotonic();
  for await (const batch of parts.events({ after, maxEvents, signal })) {
    if (signal.aborted) return;
    if (batch.events.length > 0) {
      await producer.append(entriesOf(batch, clock.now()), batch.cursor);
      parts.published(batch.events.length, batch.events.at(-1)?.at ?? 0);
    }
    if ((await producer.length()) >= LONGEST_STREAM) return;
    dueMs = Math.max(dueMs + (batch.events.length * 1000) / rate, clock.monotonic() - FORGIVEN_MS);
    // A slow feed is told of another rate long before its next event is due.
    do {
      if (parts.eventsPerSecond() !== rate) return;
      await pause(Math.min(IDLE_MS, dueMs - clock.monotonic()), signal);
    } while (clock.monotonic() < dueMs && !signal.aborted);
  }
}

function entriesOf(batch: HistoryBatch, publishedAt: number): StreamEntry[] {
  return batch.events.map((event) => ({ type: 'event', event, publisher: { kind: 'live' }, publishedAt }));
}
