/**
 * A place in a stream: the offset in its partition, and the topic it is of. Kafka counts offsets without a hole as long as nobody writes in
 * transactions or compacts, and both are refused; so after n comes n + 1, or something has been lost.
 *
 * The topic's id tells a topic from another of the same name that was made later: its offsets would be in range, and mean other entries.
 */
import { StreamError, type StreamOffset } from '../../data-plane/ports.ts';

/** Every safe integer has 16 digits or fewer. */
const DIGITS = 16;
const NO_ID = '00000000-0000-0000-0000-000000000000';

/** `topicId`: as the cluster gives it; brokers before 2.8 give none. */
export function offsetOf(offset: number, topicId: string): StreamOffset {
  return `${String(offset).padStart(DIGITS, '0')}k${topicId === NO_ID ? '' : topicId}`;
}

/** Errors: {@link StreamError} `gap` for an offset of another backbone or another topic: what it names is not here. */
export function placeOf(offset: StreamOffset, topicId: string): number {
  const [, digits, id] = /^(\d{16})k([0-9a-f-]{36})?$/.exec(offset) ?? [];
  if (digits === undefined)
    throw new StreamError(
      'gap',
      `${offset} is no offset of a Kafka topic: it was given out by another backbone`,
    );
  if (id !== undefined && topicId !== NO_ID && id !== topicId)
    throw new StreamError('gap', `${offset} is of a topic that is gone; another of its name has been made`);
  return Number(digits);
}
