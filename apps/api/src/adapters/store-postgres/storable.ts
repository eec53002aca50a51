/**
 * What this store can hold. An event outside these limits would fail its batch for ever and stop the stream with it, so it is
 * parked in the quarantine instead.
 */
import type { PipelineEvent, QuarantinedEvent } from '../../data-plane/event.ts';

/** 2200-01-01 UTC: bounds the number of monthly partitions that absurd event times can make. */
export const AT_END_MS = 7_258_118_400_000;
/** The unique index holds event ids; an index row of PostgreSQL ends at 2,704 bytes. */
const NAME_LENGTH_MAX = 400;

/** Why `event` cannot be stored, or null. */
export function refusalOf(event: PipelineEvent): QuarantinedEvent | null {
  const { id, sourceId, key, at, value } = event;
  if (id === '' || sourceId === '')
    return refused(event, 'missing_field', 'the event has no id or no source');
  if (!isText(id) || !isText(sourceId) || !isText(key))
    return refused(
      event,
      'unparsable',
      'id, source or key has a NUL or half a surrogate pair, or is longer than 400 characters',
    );
  if (!Number.isSafeInteger(at) || at < 0 || at >= AT_END_MS)
    return refused(event, 'value_out_of_range', `event time ${at} is not within [1970, 2200)`);
  if (!Number.isSafeInteger(value))
    return refused(event, 'value_out_of_range', `value ${value} is not a safe integer`);
  return null;
}

function isText(name: string): boolean {
  return name.length <= NAME_LENGTH_MAX && !name.includes('\0') && name.isWellFormed();
}

function refused(event: PipelineEvent, code: QuarantinedEvent['code'], detail: string): QuarantinedEvent {
  return { sourceId: shown(event.sourceId), address: shown(event.id), code, detail };
}

/** A name as the quarantine can show it. */
function shown(name: string): string {
  return name.replaceAll('\0', '\uFFFD').toWellFormed().slice(0, NAME_LENGTH_MAX).toWellFormed();
}
