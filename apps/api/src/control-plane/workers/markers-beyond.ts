/**
 * Which markers are lost: those that are beyond the end of their stream in every report for ten seconds, without a break. The stream is looked at apart
 * from the ticks and a tick may wait, so a report may be older than a marker; of a worker or an api that stood still the first one is. It says nothing by
 * itself: others have to follow it for ten seconds.
 *
 *     since    when the runs were read: none of them is younger
 *     until    when the report arrived: it is no younger, however long it waited after that
 */
const LOST_AFTER_MS = 10_000;
/** Of a stream that was not told of for so long nothing is remembered. */
const BREAK_MS = 2_000;

export interface MarkerBeyond {
  readonly marker: string;
  /** The applier's position lies beyond the end, too. A report whose end is older than its position says so of any applier that is not behind. */
  readonly stands: boolean;
}

interface Seen {
  readonly sinceMs: number;
  /** In every report. */
  readonly stands: boolean;
}

interface Remembered {
  /** Of the last report. */
  readonly arrivedMs: number;
  readonly markers: ReadonlyMap<string, Seen>;
}

export class MarkersBeyond {
  /** By stream. */
  readonly #remembered = new Map<string, Remembered>();

  /**
   * `beyond`: all that are, by this report. Those of them that are lost, standing if they were in every report; they are forgotten, as what is
   * published again may get the same place. Times: monotonic, ms.
   */
  lost<Run extends MarkerBeyond>(
    stream: string,
    beyond: readonly Run[],
    { arrivedMs, readMs }: { readonly arrivedMs: number; readonly readMs: number },
  ): readonly Run[] {
    const last = this.#remembered.get(stream);
    const before = last !== undefined && arrivedMs - last.arrivedMs <= BREAK_MS ? last.markers : null;
    const markers = new Map<string, Seen>();
    const lost: Run[] = [];
    for (const run of beyond) {
      const known = before?.get(run.marker) ?? { sinceMs: readMs, stands: run.stands };
      const stands = known.stands && run.stands;
      if (arrivedMs - known.sinceMs >= LOST_AFTER_MS) lost.push({ ...run, stands });
      else markers.set(run.marker, { sinceMs: known.sinceMs, stands });
    }
    if (markers.size === 0) this.#remembered.delete(stream);
    else this.#remembered.set(stream, { arrivedMs, markers });
    return lost;
  }
}
