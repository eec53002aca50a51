/**
 * Egress of sources that lie elsewhere. What is read of such a source crosses a network as its bytes to scan do, but only for whoever asks first: runs
 * that found all of it fetched (by an earlier run on the same worker) have measured none, and the next, on another worker, has all of it.
 *
 *     likely   what runs have measured; before the first, all that is read
 *     low      what else crosses a network, or nothing
 *     high     what runs have measured and its range, or all that may be read, if that is more
 */
import type { Coefficients } from './coefficients.ts';

/** `part`: of the events, that are read over a network, 0 to 1. */
export function withFarSources(known: Coefficients, part: number): Coefficients {
  const { egressBytes: egress, sourceBytes: scan } = known.counters;
  if (part <= 0 || egress === undefined || scan === undefined) return known;
  const learned =
    egress.basis === 'assumed'
      ? { ...egress, use: part * scan.use, factors: { ...scan.factors, low: 0 } }
      : { ...egress, mostUse: part * scan.use * scan.factors.high };
  return { ...known, counters: { ...known.counters, egressBytes: learned } };
}
