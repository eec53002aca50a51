import type { CostItemName, PriceBook } from '@spillway/shared/api/cost';
import { formatBytes, formatCount, formatMs, unknown } from '../../../lib/format.ts';

export const itemWords: Readonly<Record<CostItemName, string>> = {
  compute: 'Compute',
  store_reads: 'Store reads',
  store_writes: 'Store writes',
  store_wal: 'Write-ahead log',
  stream_operations: 'Stream operations',
  stream_memory: 'Stream memory',
  source_requests: 'Source requests',
  source_scan: 'Source scan',
  egress: 'Egress',
};

const GIB_HOUR_BYTE_MS = 2 ** 30 * 3_600_000;
const small = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 3 });

/** What was counted, with its unit; the unit ends the counter's name (cost/usage.ts). */
export function quantityText(counter: string, quantity: string | null): string {
  if (quantity === null) return unknown;
  const value = Number(quantity);
  if (counter === 'streamByteMs') {
    const gibHours = value / GIB_HOUR_BYTE_MS;
    return `${gibHours > 0 && gibHours < 0.001 ? '<0.001' : small.format(gibHours)} GiB·h`;
  }
  if (counter === 'cpuMs') return `${formatMs(value)} of CPU`;
  if (counter.endsWith('Bytes')) return formatBytes(value);
  return `${formatCount(value)} ${counterUnits[counter] ?? ''}`.trim();
}

const counterUnits: Readonly<Record<string, string>> = {
  storeReads: 'lookups',
  rowsAttempted: 'rows',
  streamOperations: 'entries',
  sourceRequests: 'requests',
};

/** What a price is for. */
export const priceUnits: Readonly<Record<keyof PriceBook['prices'], readonly [CostItemName, string]>> = {
  computePerCoreHour: ['compute', 'a core-hour'],
  storeReadsPerMillion: ['store_reads', 'a million lookups'],
  storeWritesPerMillion: ['store_writes', 'a million rows'],
  walPerGib: ['store_wal', 'a GiB'],
  streamOperationsPerMillion: ['stream_operations', 'a million entries'],
  streamMemoryPerGibHour: ['stream_memory', 'a GiB-hour'],
  sourceRequestsPerMillion: ['source_requests', 'a million requests'],
  sourceScanPerGib: ['source_scan', 'a GiB'],
  egressPerGib: ['egress', 'a GiB'],
};
export const priceNames = Object.keys(priceUnits) as (keyof PriceBook['prices'])[];

/** Prices are shown as they were written, to the last digit, and their points stand below each other. */
export function decimalsOfPrices(prices: PriceBook['prices']): number {
  return Math.max(0, ...Object.values(prices).map((price) => price.split('.')[1]?.length ?? 0));
}

/** What is free is "0", as in every column of amounts. */
export function priceText(price: string, decimals: number): string {
  const [whole = '0', fraction = ''] = price.split('.');
  return /^[0.]+$/.test(price) || decimals === 0 ? whole : `${whole}.${fraction.padEnd(decimals, '0')}`;
}

export const provisionWords: Readonly<
  Record<keyof PriceBook['provisioned'], readonly [title: string, unit: string]>
> = {
  cores: ['Cores', 'cores'],
  storeOperationsPerSecond: ['Store operations', 'operations/s'],
  streamBytes: ['Stream memory', 'MiB'],
};

export const spendWords: Readonly<Record<PriceBook['spendCounts'], string>> = {
  everything: 'everything that is used, at its price',
  overage: 'only what provisioned amounts do not cover',
};
