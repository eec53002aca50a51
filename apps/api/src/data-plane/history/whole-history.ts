import type { HistoryBatch, HistorySource } from '../ports.ts';

/** As {@link HistorySource.read}, for every source at once. */
export type ReadAllRequest = Omit<Parameters<HistorySource['read']>[0], 'sourceId'>;

/** A history that can also be read in its own order, the sources mingled: what a live feed plays. */
export interface WholeHistory extends HistorySource {
  readAll(request: ReadAllRequest): AsyncIterable<HistoryBatch>;
}
