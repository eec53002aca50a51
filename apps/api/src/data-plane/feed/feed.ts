/**
 * The demo's live traffic: real events in file order at a constant rate, on the live stream, for ever.
 *
 * Its place in the file is stored with the events it published, in one transaction of the stream: killed at any point it goes on
 * with the very next event, none lost, none twice. Events of a source that is cut are passed over at the same pace, and what is left out
 * is part of the place (see place.ts), so a report of it is never ahead of what a successor would say.
 */
import type { WantedOutage } from '@spillway/shared/api/worker-protocol';
import type { Clock } from '../clock.ts';
import type { PipelineEvent } from '../event.ts';
import { pause } from '../pause.ts';
import type { HistoryBatch, StreamEntry, StreamProducer } from '../ports.ts';
import { followOutages, leaveOut } from './leave-out.ts';
import { type FeedPlace, type OutageSoFar, placeToStore, storedPlace } from './place.ts';

export interface FeedParts {
  /** Events in live order after the cursor (null: from where live begins). */
  readonly events: (request: {
    readonly after: string | null;
    readonly maxEvents: number;
    readonly signal: AbortSignal;
  }) => AsyncIterable<HistoryBatch>;
  /** Event time at which live begins. */
  readonly liveFrom: number;
  readonly producer: StreamProducer;
  /** The applier reads the stream, or has read it before. */
  readonly isRead: () => Promise<boolean>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Events/s asked for now; 0 stops; null: another feed is at work, and the place is its to move. */
  readonly eventsPerSecond: () => number | null;
  /** Outages that somebody wants to know the extent of. */
  readonly outages: () => readonly WantedOutage[];
  /** Events published, their bytes on the stream, and the place that is stored now. */
  readonly played: (count: number, bytes: number, place: FeedPlace) => void;
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
    if (rate === null) await pause(IDLE_MS, signal);
    else if (rate <= 0 || (await producer.length()) >= LONGEST_STREAM || (await isBeforeTheFirst(parts)))
      await standStill(parts);
    else await playAt(parts, rate);
  }
}

/**
 * Live begins when somebody is there for it: what would wait for the first applier, which measures what its store takes before it begins, would be
 * no more than the demo's own making. Once begun it stops for nobody.
 */
async function isBeforeTheFirst({ producer, isRead }: FeedParts): Promise<boolean> {
  return storedPlace(await producer.producerState()).cursor === null && !(await isRead());
}

/** Outages begin and end also where nothing is played. */
async function standStill(parts: FeedParts): Promise<void> {
  const place = storedPlace(await parts.producer.producerState());
  const outages = followed(parts, place);
  const next = { ...place, outages };
  if (JSON.stringify(outages) !== JSON.stringify(place.outages))
    await parts.producer.keepState(placeToStore(next));
  parts.played(0, 0, next);
  await pause(IDLE_MS, parts.signal);
}

/** Until the rate changes or the stream is too long. */
async function playAt(parts: FeedParts, rate: number): Promise<void> {
  const { clock, producer, signal } = parts;
  const maxEvents = Math.max(1, Math.round((rate * APPEND_MS) / 1000));
  // Read again each time: another feed may have been at work meanwhile.
  let place = storedPlace(await producer.producerState());
  let dueMs = clock.monotonic();
  for await (const batch of parts.events({ after: place.cursor, maxEvents, signal })) {
    if (signal.aborted) return;
    const { live, outages } = leaveOut(batch.events, followed(parts, place));
    place = { cursor: batch.cursor, reached: furthest(place.reached, batch.events), outages };
    let bytes = 0;
    if (live.length > 0)
      ({ bytes } = await producer.append(entriesOf(live, clock.now()), placeToStore(place)));
    else await producer.keepState(placeToStore(place));
    parts.played(live.length, bytes, place);
    if ((await producer.length()) >= LONGEST_STREAM) return;
    dueMs = Math.max(dueMs + (batch.events.length * 1000) / rate, clock.monotonic() - FORGIVEN_MS);
    // A slow feed is told of another rate long before its next event is due.
    do {
      if (parts.eventsPerSecond() !== rate) return;
      await pause(Math.min(IDLE_MS, dueMs - clock.monotonic()), signal);
    } while (clock.monotonic() < dueMs && !signal.aborted);
  }
}

function followed(parts: FeedParts, { outages, reached }: FeedPlace): OutageSoFar[] {
  return followOutages(outages, parts.outages(), reached ?? parts.liveFrom);
}

function furthest(reached: number | null, events: readonly PipelineEvent[]): number | null {
  return events.reduce<number | null>(
    (latest, { at }) => (latest === null || at > latest ? at : latest),
    reached,
  );
}

function entriesOf(events: readonly PipelineEvent[], publishedAt: number): StreamEntry[] {
  return events.map((event) => ({ type: 'event', event, publisher: { kind: 'live' }, publishedAt }));
}
