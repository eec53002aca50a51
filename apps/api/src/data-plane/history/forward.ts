/**
 * A history played as live traffic: all sources in the order of the file, from `from` on, and then lap after lap without end
 * (see laps.ts). Whoever stores the last batch's cursor goes on exactly behind it; a cursor is good for the same `from` only.
 */
import type { HistoryBatch } from '../ports.ts';
import { inLap, parseLapCursor, type Repeat } from './laps.ts';
import type { ReadAllRequest, WholeHistory } from './whole-history.ts';

export interface ForwardRequest extends Omit<ReadAllRequest, 'range'>, Pick<Repeat, 'spanMs'> {
  /** Event time at which the first lap is entered, epoch ms. */
  readonly from: number;
}

export async function* readForward(
  history: WholeHistory,
  { from, spanMs, after, maxEvents, signal }: ForwardRequest,
): AsyncGenerator<HistoryBatch, void> {
  const resume = after === null ? { lap: 0, after: null } : parseLapCursor(after);
  let place: string | null = resume.after;
  for (let lap = resume.lap; ; lap++) {
    const range = { from: lap === 0 ? from : Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
    let empty = place === null && lap > 0;
    for await (const batch of history.readAll({ range, after: place, maxEvents, signal })) {
      empty = false;
      yield inLap(batch, lap, spanMs);
    }
    // A history without a row would be read again and again.
    if (empty) return;
    place = null;
  }
}
