import type { StreamOffset } from '../../data-plane/ports.ts';

/** Every safe integer has 16 digits or fewer, so padding to 16 makes the order of the strings the order of the numbers. */
const DIGITS = 16;

export function offsetOf(sequence: number): StreamOffset {
  return String(sequence).padStart(DIGITS, '0');
}

/** Errors: RangeError for a string that {@link offsetOf} cannot have made. */
export function sequenceOf(offset: StreamOffset): number {
  if (!/^\d{16}$/.test(offset)) throw new RangeError(`not an offset of an embedded stream: ${offset}`);
  return Number(offset);
}
