import { bucketDeltas } from '../../data-plane/apply/bucket-delta.ts';
import type { PipelineEvent, QuarantinedEvent } from '../../data-plane/event.ts';
import type { ApplyBatch, ApplyOutcome } from '../../data-plane/ports.ts';
import type { Call } from './calls.ts';
import type { Row } from './connections.ts';
import { integerArray, integerValue, textArray, textValue } from './literal.ts';
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
export function applyCall(
  batch: ApplyBatch,
  sorted: SortedBatch,
  options: { readonly bucketMs: number; readonly expectDuplicates: boolean; readonly schema: string },
): Call {
  const { events, refused } = sorted;
  const deltas = options.expectDuplicates ? null : bucketDeltas(events, options.bucketMs);
  const marks = batch.publisher.kind === 'live' ? latestBySource(events) : new Map<string, number>();
  return {
    routine: `${options.schema}.apply_batch`,
    values: [
      textValue(batch.stream),
      integerValue(batch.fence),
      textValue(batch.position),
      textValue(batch.publisher.kind === 'live' ? '' : batch.publisher.backfillId),
      integerValue(options.bucketMs),
      integerArray(events.map((event) => event.at)),
      textArray(events.map((event) => event.id)),
      textArray(events.map((event) => event.sourceId)),
      textArray(events.map((event) => event.key)),
      integerArray(events.map((event) => event.value)),
      ...(deltas === null || events.length === 0
        ? Array<null>(8).fill(null)
        : [
            textArray(deltas.map((delta) => delta.sourceId)),
            integerArray(deltas.map((delta) => delta.start)),
            textArray(deltas.map((delta) => delta.key)),
            integerArray(deltas.map((delta) => delta.count)),
            integerArray(deltas.map((delta) => delta.sum)),
            integerArray(deltas.map((delta) => delta.min)),
            integerArray(deltas.map((delta) => delta.max)),
            integerArray(deltas.map((delta) => delta.hash)),
          ]),
      textArray([...marks.keys()]),
      integerArray([...marks.values()]),
      refused.length === 0 ? null : textValue(JSON.stringify(refused)),
    ],
  };
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
