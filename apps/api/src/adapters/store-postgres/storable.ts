/**
 * What this store can hold. An event outside these limits would fail its batch for ever and stop the stream with it, so it is
 * parked in the quarantine instead. A source does so when it reads it; live events, and those that others have written, are met here.
 */
import type { PipelineEvent, QuarantinedEvent } from '../../data-plane/event.ts';
import { isEventTime, NAME_LENGTH_MAX, nameFault } from '../../data-plane/event-limits.ts';

/** Why `event` cannot be stored, or null. */
export function refusalOf(event: PipelineEvent): QuarantinedEvent | null {
  const { id, sourceId, key, at, value } = event;
  if (id === '' || sourceId === '')
    return refused(event, 'missing_field', 'the event has no id or no source');
  if ((nameFault(id) ?? nameFault(sourceId) ?? nameFault(key)) !== null)
    return refused(
      event,
      'unparsable',
      'id, source or key has a NUL or half a surrogate pair, or is longer than 400 characters',
    );
  if (!Number.isSafeInteger(at) || !isEventTime(at))
    return refused(event, 'value_out_of_range', `event time ${at} is not within [1970, 2200)`);
  if (!Number.isSafeInteger(value))
    return refused(event, 'value_out_of_range', `value ${value} is not a safe integer`);
  return null;
}

function refused(event: PipelineEvent, code: QuarantinedEvent['code'], detail: string): QuarantinedEvent {
  return { sourceId: shown(event.sourceId), address: shown(event.id), code, detail };
}

/** A name as the quarantine can show it. */
function shown(name: string): string {
  return name.replaceAll('\0', '\uFFFD').toWellFormed().slice(0, NAME_LENGTH_MAX).toWellFormed();
}
