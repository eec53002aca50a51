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

/** Most rows of a batch, by who published them. */
export interface RowsMax {
  readonly live: number;
  readonly replay: number;
  /** Rows of replay that go before waiting live ones: its floor. */
  readonly floor: number;
}

/**
 * Live before replay, but for replay's floor. Null when neither has an entry. On a shared stream replay stands in live's lane: its
 * place in the order cannot be changed, only the size of its batches.
 */
export function nextBatch(
  waiting: { readonly live: readonly DeliveredEntry[]; readonly replay: readonly DeliveredEntry[] },
  rowsMax: RowsMax,
): Batch | null {
  const { live, replay, floor } = rowsMax;
  if (floor > 0 && waiting.replay.length > 0)
    return cut('replay', waiting.replay, { live, replay: Math.min(replay, floor) });
  return cut('live', waiting.live, { live, replay }) ?? cut('replay', waiting.replay, { live, replay });
}

/** Events of one publisher; markers between and behind them are passed, so that the position passes them, too. */
function cut(
  lane: LaneName,
  waiting: readonly DeliveredEntry[],
  rowsMax: Pick<RowsMax, 'live' | 'replay'>,
): Batch | null {
  const events: PipelineEvent[] = [];
  const publishedAt: number[] = [];
  let publisher: Publisher | null = null;
  let entries = 0;
  for (const { entry } of waiting) {
    if (entry.type === 'event') {
      if (publisher !== null && !samePublisher(publisher, entry.publisher)) break;
      if (events.length === (entry.publisher.kind === 'live' ? rowsMax.live : rowsMax.replay)) break;
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
