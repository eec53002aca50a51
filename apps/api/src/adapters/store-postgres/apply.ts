import { bucketDeltas } from '../../data-plane/apply/bucket-delta.ts';
import type { PipelineEvent, QuarantinedEvent } from '../../data-plane/event.ts';
import type { ApplyBatch, ApplyOutcome } from '../../data-plane/ports.ts';
import type { Row } from './connections.ts';
import { integer, integers, json, text, texts } from './literal.ts';
import { refusalOf } from './storable.ts';

/** The events of a batch that can be stored, in the order in which they are inserted, and those that cannot. */
export interface SortedBatch {
  readonly events: readonly PipelineEvent[];
  readonly refused: readonly QuarantinedEvent[];
}

/** Ordered by (at, id), so that two transactions which insert the same events wait for each other instead of deadlocking. */
export function sortBatch(events: readonly PipelineEvent[]): SortedBatch {
  const storable: PipelineEvent[] = [];
  const refused: QuarantinedEvent[] = [];
  let ordered = true;
  for (const event of events) {
    const refusal = refusalOf(event);
    if (refusal !== null) refused.push(refusal);
    else {
      const previous = storable.at(-1);
      if (previous !== undefined && byTimeAndId(previous, event) > 0) ordered = false;
      storable.push(event);
    }
  }
  return { events: ordered ? storable : storable.sort(byTimeAndId), refused };
}

/**
 * The call of `apply_batch` (drizzle/store): one message. `expectDuplicates` leaves the bucket deltas out, which sends the batch
 * straight to the slower way that looks every event up; either way the outcome is the same.
 */
export function applyStatement(
  batch: ApplyBatch,
  sorted: SortedBatch,
  options: { readonly bucketMs: number; readonly expectDuplicates: boolean; readonly schema: string },
): string {
  const { events, refused } = sorted;
  const deltas = options.expectDuplicates ? null : bucketDeltas(events, options.bucketMs);
  const marks = batch.publisher.kind === 'live' ? latestBySource(events) : new Map<string, number>();
  const values = [
    text(batch.stream),
    integer(batch.fence),
    text(batch.position),
    text(batch.publisher.kind === 'live' ? '' : batch.publisher.backfillId),
    integer(options.bucketMs),
    integers(events.map((event) => event.at)),
    texts(events.map((event) => event.id)),
    texts(events.map((event) => event.sourceId)),
    texts(events.map((event) => event.key)),
    integers(events.map((event) => event.value)),
    ...(deltas === null || events.length === 0
      ? Array<string>(8).fill('null')
      : [
          texts(deltas.map((delta) => delta.sourceId)),
          integers(deltas.map((delta) => delta.start)),
          texts(deltas.map((delta) => delta.key)),
          integers(deltas.map((delta) => delta.count)),
          integers(deltas.map((delta) => delta.sum)),
          integers(deltas.map((delta) => delta.min)),
          integers(deltas.map((delta) => delta.max)),
          integers(deltas.map((delta) => delta.hash)),
        ]),
    texts([...marks.keys()]),
    integers([...marks.values()]),
    refused.length === 0 ? 'null' : json(refused),
  ];
  return `select * from ${options.schema}.apply_batch(${values.join(',')})`;
}

export function outcomeOf(row: Row | undefined): ApplyOutcome {
  return {
    inserted: Number(row?.['o_inserted']),
    duplicates: Number(row?.['o_duplicates']),
    quarantined: JSON.parse(row?.['o_quarantined'] ?? '[]') as QuarantinedEvent[],
  };
}

function byTimeAndId(a: PipelineEvent, b: PipelineEvent): number {
  return a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** In the order of the sources: rows that several transactions update are always locked in one order. */
function latestBySource(events: readonly PipelineEvent[]): Map<string, number> {
  const latest = new Map<string, number>();
  for (const { sourceId, at } of events) if (at > (latest.get(sourceId) ?? -1)) latest.set(sourceId, at);
  return new Map([...latest].sort(([a], [b]) => (a < b ? -1 : 1)));
}
