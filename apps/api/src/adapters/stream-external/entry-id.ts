/**
 * Ids of entries that others have made, `<ms>-<sequence>`, both up to 2⁶⁴ − 1. As an offset each is written with twenty digits, so that the
 * order of the texts is the order of the stream.
 */
import type { StreamOffset } from '../../data-plane/ports.ts';

export interface EntryId {
  readonly ms: bigint;
  readonly sequence: bigint;
}

const LARGEST = 2n ** 64n - 1n;
const DIGITS = 20;

export function entryIdOf(id: string): EntryId {
  const [ms, sequence = '0'] = id.split('-') as [string, string?];
  return { ms: BigInt(ms), sequence: BigInt(sequence) };
}

export function textOfId({ ms, sequence }: EntryId): string {
  return `${ms}-${sequence}`;
}

export function offsetOfId({ ms, sequence }: EntryId): StreamOffset {
  return `${String(ms).padStart(DIGITS, '0')}-${String(sequence).padStart(DIGITS, '0')}`;
}

/** The last place before it. */
export function justBefore({ ms, sequence }: EntryId): EntryId {
  if (sequence > 0n) return { ms, sequence: sequence - 1n };
  return ms > 0n ? { ms: ms - 1n, sequence: LARGEST } : { ms: 0n, sequence: 0n };
}

export function isBefore(a: EntryId, b: EntryId): boolean {
  return a.ms < b.ms || (a.ms === b.ms && a.sequence < b.sequence);
}
