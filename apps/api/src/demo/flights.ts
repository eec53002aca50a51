/**
 * The built-in pipeline: three million real US flights of the first half of 2001. Pure data, for both planes.
 *
 * The file is in order of time; its last rows lie on 1 July, at the end of the span, and so in the first minute of the next lap.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { flightRegions } from './flight-regions.ts';

const day = 86_400_000;

/** Event names of the demo, for the first start. */
export const flightsJanuary = { from: Date.UTC(2001, 0, 1), to: Date.UTC(2001, 1, 1) } as const;

export const flightsPipeline = {
  id: 'flights',
  title: 'US flights 2001',
  /** What one event, its key and its measure are called. */
  names: { event: 'flight', events: 'flights', key: 'airport of origin', value: 'delay', valueUnit: 'min' },
  bucketMs: 3_600_000,
  sources: [
    { id: 'west', title: 'West' },
    { id: 'mountain', title: 'Mountain' },
    { id: 'central', title: 'Central' },
    { id: 'east', title: 'East' },
  ],
  /** The history repeats for 40 laps of 181 days: to 2020. */
  repeat: { from: Date.UTC(2001, 0, 1), spanMs: 181 * day, laps: 40 },
  live: { from: Date.UTC(2001, 5, 1), eventsPerSecond: 100 },
} as const;

export type FlightSourceId = (typeof flightsPipeline.sources)[number]['id'];

/** What the Parquet source is opened with. Resolved when asked: the package lies elsewhere on every machine. */
export function flightsHistory() {
  // The package exports its code only; the data lies beside it.
  const file = join(
    dirname(createRequire(import.meta.url).resolve('vega-datasets')),
    '..',
    'data',
    'flights-3m.parquet',
  );
  return {
    file,
    columns: { time: 'date', key: 'origin', value: 'delay' },
    sources: Object.fromEntries(
      Object.entries(flightRegions).map(([id, airports]) => [id, airports.split(' ')]),
    ),
  };
}
