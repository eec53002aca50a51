import { learn } from '../../src/cost/coefficients.ts';
import { modelOfCapacity } from '../../src/quote/model-of.ts';
import type { QuoteInputs } from '../../src/quote/quote-inputs.ts';
import { aPriceBook } from '../cost/a-price-book.ts';

export const aModel = modelOfCapacity(40_000, {
  commitOverheadMs: 1.5,
  replayCommit: { budgetMs: 20, rowsMin: 50, rowsMax: 1_000 },
  route: 'separate',
  highWaterMark: 20_000,
  oldestEntryMs: null,
  floorEventsPerSecond: 0,
  historyEventsPerSecond: 80_000,
  longestPauseMs: 40,
});

const events = 1_000_000;
const finished = {
  events,
  usage: {
    events: 1_000_000n,
    sourceBytes: 16_000_000n,
    streamOperations: 2_000_000n,
    streamByteMs: 5_000_000_000n,
    rowsAttempted: 1_000_000n,
    walBytes: 300_000_000n,
    cpuMs: 40_000n,
    storeReads: 0n,
    sourceRequests: 20n,
    egressBytes: 0n,
  },
  seconds: 105,
  modelled: { seconds: 100, streamByteMs: 4_500_000_000 },
  longestPauseMs: 40,
};

/** A million counted events into a pipeline of 40,000/s, with three runs behind it. */
export function aQuote(over: Partial<QuoteInputs> = {}): QuoteInputs {
  return {
    nowMs: Date.UTC(2026, 0, 1),
    subwindows: 744,
    planWarnings: [],
    lanes: [{ sourceId: 'east', basis: 'counted', events: { low: events, likely: events, high: events } }],
    limits: { eventsPerSecond: 10_000, share: null, concurrency: 2, budget: null },
    replayShare: 0.2,
    goal: null,
    capacityEventsPerSecond: 40_000,
    model: aModel,
    liveEventsPerSecond: 1_000,
    replayAmplification: 1,
    ceilingEventsPerSecond: 60_000,
    safeRate: { eventsPerSecond: 30_000, why: 'what live leaves' },
    isolated: false,
    replayWorkers: 1,
    coefficients: learn([finished, finished, finished]),
    priceBook: aPriceBook(),
    liveUse: { cores: 0.1, storeOperationsPerSecond: 1_000, streamBytes: 10_000 },
    bytesPerEntry: 100,
    retention: { ms: null, entries: null, bytes: null },
    overlaps: [],
    validForMs: 900_000,
    ...over,
  };
}
