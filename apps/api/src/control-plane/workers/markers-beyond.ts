/**
 * Which markers are lost: those that were beyond the end of their stream in every report for ten seconds. A report may be older than a marker, as the
 * stream is looked at apart from the ticks, but not by so much.
 */
const LOST_AFTER_MS = 10_000;

export class MarkersBeyond {
  /** By stream, since when; monotonic. */
  readonly #sinceMs = new Map<string, ReadonlyMap<string, number>>();

  /** `markers`: all that are beyond the end of the stream by this report. Those of them that are lost. */
  lost(stream: string, markers: readonly string[], nowMs: number): ReadonlySet<string> {
    const before = this.#sinceMs.get(stream);
    const since = new Map(markers.map((marker) => [marker, before?.get(marker) ?? nowMs]));
    if (since.size === 0) this.#sinceMs.delete(stream);
    else this.#sinceMs.set(stream, since);
    return new Set(markers.filter((marker) => nowMs - (since.get(marker) ?? nowMs) >= LOST_AFTER_MS));
  }
}
