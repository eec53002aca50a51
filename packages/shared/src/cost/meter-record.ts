/** The meter's state as JSON: bigints as decimal strings. What is stored in one transaction with the rest of a tick. */
import type { MeterState } from './meter.ts';
import { usageCounters } from './usage.ts';

const counters: ReadonlySet<string> = new Set(usageCounters);

export function recordOfMeter(state: MeterState): string {
  return JSON.stringify(state, (_, value) => (typeof value === 'bigint' ? value.toString() : value));
}

/** Of `recordOfMeter` only. Counters are the only strings of digits there whose key is a counter's name. */
export function meterOfRecord(record: string): MeterState {
  return JSON.parse(record, (key, value) =>
    counters.has(key) && typeof value === 'string' ? BigInt(value) : value,
  );
}
