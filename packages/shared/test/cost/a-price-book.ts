import type { PriceBook } from '../../src/api/cost.ts';

/** Round prices, so that a reader can reckon along. */
export function aPriceBook(over: Partial<PriceBook> = {}): PriceBook {
  return {
    title: 'Of the tests',
    currency: 'USD',
    prices: {
      computePerCoreHour: '0.036',
      storeReadsPerMillion: '0.2',
      storeWritesPerMillion: '1',
      walPerGib: '0.1',
      streamOperationsPerMillion: '0.04',
      streamMemoryPerGibHour: '0.02',
      sourceRequestsPerMillion: '0.4',
      sourceScanPerGib: '0.005',
      egressPerGib: '0.09',
    },
    provisioned: { cores: 1, storeOperationsPerSecond: 5_000, streamBytes: 1_048_576 },
    spendCounts: 'everything',
    version: 1,
    exampleOf: null,
    changedBy: 'admin',
    changedAt: '2026-01-01T00:00:00Z',
    ...over,
  };
}
