/**
 * Price books to begin with. They are examples: round figures of the usual order of magnitude on the day they are dated, no vendor's list. An
 * admin replaces them with the figures of their own bill.
 */
import type { PutPriceBook } from '../api/cost.ts';

export const PRESETS_DATED = '2026-11-01';

export const pricePresets = {
  'example-own-machines': {
    title: 'Example, 1 November 2026: own machines, paid by the month',
    currency: 'USD',
    prices: {
      computePerCoreHour: '0.03',
      storeReadsPerMillion: '0.02',
      storeWritesPerMillion: '0.10',
      walPerGib: '0.10',
      streamOperationsPerMillion: '0.01',
      streamMemoryPerGibHour: '0.005',
      sourceRequestsPerMillion: '0',
      sourceScanPerGib: '0.001',
      egressPerGib: '0',
    },
    provisioned: { cores: 1, storeOperationsPerSecond: 5_000, streamBytes: 268_435_456 },
    spendCounts: 'overage',
  },
  'example-cloud': {
    title: 'Example, 1 November 2026: managed services, paid by use',
    currency: 'USD',
    prices: {
      computePerCoreHour: '0.045',
      storeReadsPerMillion: '0.20',
      storeWritesPerMillion: '0.25',
      walPerGib: '0.20',
      streamOperationsPerMillion: '0.04',
      streamMemoryPerGibHour: '0.02',
      sourceRequestsPerMillion: '0.40',
      sourceScanPerGib: '0.005',
      egressPerGib: '0.09',
    },
    provisioned: { cores: 0, storeOperationsPerSecond: 0, streamBytes: 0 },
    spendCounts: 'everything',
  },
} as const satisfies Record<string, PutPriceBook>;
