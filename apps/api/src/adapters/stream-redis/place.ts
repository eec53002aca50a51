/**
 * A place in a stream: the entry's ordinal (1, 2, 3, … without a hole) and the millisecond of the server's clock at which it was appended.
 * In Redis the entry's id is `<ms>-<ordinal>`, so that ids stay times for every tool that looks at them; to everybody else it is an
 * offset, ordinal first, whose text is in the order of the stream.
 *
 * The ordinal is what makes a hole visible: after entry n comes n + 1, or something has been lost.
 */
import { StreamError, type StreamOffset } from '../../data-plane/ports.ts';

export interface Place {
  readonly ordinal: number;
  readonly ms: number;
}

/** Every safe integer has 16 digits or fewer. */
const DIGITS = 16;

export function offsetOf({ ordinal, ms }: Place): StreamOffset {
  return `${String(ordinal).padStart(DIGITS, '0')}-${ms}`;
}

/** Errors: {@link StreamError} `gap` for an offset of another backbone: what it names is not here. */
export function placeOf(offset: StreamOffset): Place {
  const [, ordinal, ms] = /^(\d{16})-(\d{1,16})$/.exec(offset) ?? [];
  if (ordinal === undefined || ms === undefined)
    throw new StreamError(
      'gap',
      `${offset} is no offset of a Redis stream: it was given out by another backbone`,
    );
  return { ordinal: Number(ordinal), ms: Number(ms) };
}

export function idOf({ ordinal, ms }: Place): string {
  return `${ms}-${ordinal}`;
}

export function placeOfId(id: string): Place {
  const [ms, ordinal] = id.split('-') as [string, string];
  return { ordinal: Number(ordinal), ms: Number(ms) };
}
