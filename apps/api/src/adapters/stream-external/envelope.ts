/** One event as the user's consumers get it: CloudEvents 1.0 in structured JSON, each field from where the mapping says. Pure. */
import {
  defaultEnvelope,
  type Envelope,
  type EnvelopeMapping,
  type Mapped,
} from '@spillway/shared/api/external';
import type { PipelineEvent } from '../../data-plane/event.ts';

/** `backfillId`: its own extension attribute, so that whoever wants to tells replay from live. */
export type Encode = (event: PipelineEvent, backfillId: string) => string;

/** The same event is the same envelope each time, but for the backfill it comes from. */
export function encoderOf(mapping: EnvelopeMapping = {}): Encode {
  const envelope: Envelope = { ...defaultEnvelope, ...mapping };
  const members = Object.entries(envelope.data);
  // A key may be empty, an attribute may not: parsers refuse the whole event then.
  const attribute = (name: 'source' | 'type', event: PipelineEvent): string =>
    textOf(envelope[name], event) || textOf(defaultEnvelope[name], event);
  const subjectOf = (event: PipelineEvent): { subject?: string } => {
    const subject = envelope.subject === null ? '' : textOf(envelope.subject, event);
    return subject === '' ? {} : { subject };
  };
  return (event, backfillId) =>
    JSON.stringify({
      specversion: '1.0',
      id: event.id,
      source: attribute('source', event),
      type: attribute('type', event),
      ...subjectOf(event),
      time: new Date(event.at).toISOString(),
      datacontenttype: 'application/json',
      backfillid: backfillId,
      data: Object.fromEntries(members.map(([name, mapped]) => [name, memberOf(mapped, event)])),
    });
}

function textOf(mapped: Mapped, event: PipelineEvent): string {
  return String(memberOf(mapped, event));
}

function memberOf(mapped: Mapped, event: PipelineEvent): string | number {
  if ('text' in mapped) return mapped.text;
  return mapped.field === 'at' ? new Date(event.at).toISOString() : event[mapped.field];
}
