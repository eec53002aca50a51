/**
 * A history that repeats: lap k is the whole of it, `k · spanMs` later, with `@k` in the event ids. Lap 0 is unchanged.
 *
 * Rows at or past the span's end lie in the time of the next lap: they stay what they are (events of lap k), and a range is
 * answered from every lap that can hold it, lap by lap. So the expected count of a step is the sum over the laps, and a batch's
 * events need not be in order of time where two laps meet. Only what lies past the last lap's end is cut off, since
 * `describe().range` ends there.
 */
import type { PipelineEvent } from '../event.ts';
import type { HistoryBatch, HistoryCounts, HistoryDescription, HistorySource, TimeRange } from '../ports.ts';

export interface Repeat {
  /** Distance from lap to lap. */
  readonly spanMs: number;
  readonly laps: number;
  /** Where the first lap begins, when that is not its first event. */
  readonly from?: number;
}

type ReadRequest = Parameters<HistorySource['read']>[0];

export function repeatHistory(history: HistorySource, repeat: Repeat): HistorySource {
  return new RepeatedHistory(history, repeat);
}

class RepeatedHistory implements HistorySource {
  readonly reach: HistorySource['reach'];
  readonly version: HistorySource['version'];
  readonly #history: HistorySource;
  readonly #repeat: Repeat;

  constructor(history: HistorySource, repeat: Repeat) {
    if (!Number.isSafeInteger(repeat.spanMs) || repeat.spanMs < 1)
      throw new RangeError('spanMs is a whole number from 1');
    if (!Number.isSafeInteger(repeat.laps) || repeat.laps < 1)
      throw new RangeError('laps is a whole number from 1');
    this.reach = history.reach;
    this.version = history.version?.bind(history);
    this.#history = history;
    this.#repeat = repeat;
  }

  async describe(): Promise<HistoryDescription> {
    const { spanMs, laps } = this.#repeat;
    const lap = await this.#history.describe();
    const from = this.#repeat.from ?? lap.range.from;
    return {
      ...lap,
      fingerprint: `${lap.fingerprint}-${laps}x${spanMs}`,
      range: { from, to: from + laps * spanMs },
    };
  }

  async count(stepMs: number): Promise<HistoryCounts> {
    const { spanMs, laps } = this.#repeat;
    if (spanMs % stepMs !== 0)
      throw new RangeError(`a lap of ${spanMs} ms is not a whole number of steps of ${stepMs} ms`);
    const counts = await this.#history.count(stepMs);
    if (spanMs % counts.stepMs !== 0)
      throw new RangeError(`a lap of ${spanMs} ms is not a whole number of steps of ${counts.stepMs} ms`);
    const { quarantined } = counts;
    const none = Object.values(quarantined ?? {}).every((rows) => rows === 0);
    // How many of them lie past the end of the last lap, where they are met no more, is not counted.
    return { ...counts, quarantined: none ? quarantined : null, laps: { spanMs, laps } };
  }

  async *read(request: ReadRequest): AsyncGenerator<HistoryBatch> {
    const { spanMs } = this.#repeat;
    const resume = request.after === null ? null : parseLapCursor(request.after);
    const { range } = await this.describe();
    const clipped = {
      from: Math.max(request.range.from, range.from),
      to: Math.min(request.range.to, range.to),
    };
    if (clipped.from >= clipped.to) return;
    const lapRange = (await this.#history.describe()).range;
    for (const lap of lapsHolding(clipped, lapRange, this.#repeat)) {
      if (resume && lap < resume.lap) continue;
      const shift = lap * spanMs;
      const after = resume?.lap === lap ? resume.after : null;
      const batches = this.#history.read({
        ...request,
        after,
        range: { from: clipped.from - shift, to: clipped.to - shift },
      });
      for await (const batch of batches) yield inLap(batch, lap, spanMs);
    }
  }

  close(): Promise<void> {
    return this.#history.close();
  }
}

/** Laps with `lapRange + lap · spanMs` touching `range`, in order. */
function* lapsHolding(range: TimeRange, lapRange: TimeRange, { spanMs, laps }: Repeat): Generator<number> {
  const first = Math.max(0, Math.floor((range.from - lapRange.to) / spanMs) + 1);
  const end = Math.min(laps, Math.ceil((range.to - lapRange.from) / spanMs));
  for (let lap = first; lap < end; lap++) yield lap;
}

/** A batch of the history itself, as lap `lap` holds it. Its cursor is `<lap>:<cursor of the history>`. */
export function inLap(batch: HistoryBatch, lap: number, spanMs: number): HistoryBatch {
  const cursor = `${lap}:${batch.cursor}`;
  if (lap === 0) return { ...batch, cursor };
  const shift = lap * spanMs;
  return {
    events: batch.events.map(
      (event): PipelineEvent => ({
        id: `${event.id}@${lap}`,
        sourceId: event.sourceId,
        key: event.key,
        at: event.at + shift,
        value: event.value,
      }),
    ),
    quarantined: batch.quarantined.map((row) => ({ ...row, address: `${row.address} lap ${lap}` })),
    cursor,
  };
}

export function parseLapCursor(cursor: string): { readonly lap: number; readonly after: string } {
  const match = /^(\d{1,9}):(.*)$/s.exec(cursor);
  if (!match) throw new RangeError(`${JSON.stringify(cursor)} is no cursor of a repeated history`);
  return { lap: Number(match[1]), after: match[2] as string };
}
