import type { PipelineEvent } from '../event.ts';
import type { DeliveredEntry, Publisher, StreamOffset } from '../ports.ts';

export type LaneName = 'live' | 'replay';

/** What to commit next: the first `entries` entries of a lane. */
export interface Batch {
  readonly lane: LaneName;
  readonly entries: number;
  readonly publisher: Publisher;
  readonly events: readonly PipelineEvent[];
  /** Of each event, epoch ms. */
  readonly publishedAt: readonly number[];
  /** Of the last entry, event or marker: the stream's position once the batch is committed. */
  readonly position: StreamOffset;
}

/** Live before replay, always. Null when neither has an entry. */
export function nextBatch(
  waiting: { readonly live: readonly DeliveredEntry[]; readonly replay: readonly DeliveredEntry[] },
  rowsMax: { readonly live: number; readonly replay: number },
): Batch | null {
  return cut('live', waiting.live, rowsMax.live) ?? cut('replay', waiting.replay, rowsMax.replay);
}

/** Events of one publisher, at most `rowsMax`; markers between and behind them are passed, so that the position passes them, too. */
function cut(lane: LaneName, waiting: readonly DeliveredEntry[], rowsMax: number): Batch | null {
  const events: PipelineEvent[] = [];
  const publishedAt: number[] = [];
  let publisher: Publisher | null = null;
  let entries = 0;
  for (const { entry } of waiting) {
    if (entry.type === 'event') {
      if (events.length === rowsMax || (publisher !== null && !samePublisher(publisher, entry.publisher)))
        break;
      publisher = entry.publisher;
      events.push(entry.event);
      publishedAt.push(entry.publishedAt);
    }
    entries += 1;
  }
  const last = waiting[entries - 1];
  if (last === undefined) return null;
  return {
    lane,
    entries,
    publisher: publisher ?? publisherOf(last),
    events,
    publishedAt,
    position: last.offset,
  };
}

function samePublisher(a: Publisher, b: Publisher): boolean {
  return (
    a === b ||
    (a.kind === 'live' ? b.kind === 'live' : b.kind === 'backfill' && a.backfillId === b.backfillId)
  );
}

/** Of a batch that is nothing but markers. */
function publisherOf({ entry }: DeliveredEntry): Publisher {
  return entry.type === 'event' ? entry.publisher : { kind: 'backfill', backfillId: entry.backfillId };
}
