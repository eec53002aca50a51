/**
 * What work used, counted. Integers in the unit that ends each name; a counter that is absent is unknown, which is not zero.
 *
 * A million GiB-hours of a stream's memory are more than a double counts exactly, hence bigint throughout.
 */
export const usageCounters = [
  /** Read from history, or arrived live. */
  'events',
  /** Requests to a source: files opened, ranges fetched, queries. */
  'sourceRequests',
  /** Read from a source, as stored there. */
  'sourceBytes',
  /** Entries written to the stream, and entries delivered from it. */
  'streamOperations',
  /** Bytes written to the stream, as it stores them. */
  'publishedBytes',
  /** Bytes on the stream × ms they were there. */
  'streamByteMs',
  /** Lookups in the store: de-duplication, proof. */
  'storeReads',
  /** Rows sent to the store; those inserted and those that were there already are its parts. */
  'rowsAttempted',
  'rowsInserted',
  'rowsNoop',
  /** Write-ahead log. */
  'walBytes',
  /** Of processes, user and system. */
  'cpuMs',
  /** Bytes that crossed a network: read from a source that is elsewhere, to and from a store that is. Nothing crosses between processes of one machine. */
  'egressBytes',
] as const;
export type UsageCounter = (typeof usageCounters)[number];
export type Usage = Readonly<Partial<Record<UsageCounter, bigint>>>;

/** What either knows; unknown in both stays unknown. */
export function addUsage(a: Usage, b: Usage): Usage {
  return combined(a, b, (left, right) => left + right);
}

/** a − b, where `b` is a part of `a`. */
export function lessUsage(a: Usage, b: Usage): Usage {
  return combined(a, b, (left, right) => left - right);
}

function combined(a: Usage, b: Usage, combine: (left: bigint, right: bigint) => bigint): Usage {
  const result: Partial<Record<UsageCounter, bigint>> = {};
  for (const counter of usageCounters) {
    if (a[counter] === undefined && b[counter] === undefined) continue;
    result[counter] = combine(a[counter] ?? 0n, b[counter] ?? 0n);
  }
  return result;
}

/**
 * A whole divided in proportion to weights: the parts are integers and add up to it exactly (largest remainder, ties to the first). Null when all
 * weights are zero.
 */
export function apportion(whole: bigint, weights: readonly bigint[]): bigint[] | null {
  const sum = weights.reduce((total, weight) => total + weight, 0n);
  if (sum <= 0n) return null;
  const parts = weights.map((weight) => (whole * weight) / sum);
  const left = whole - parts.reduce((total, part) => total + part, 0n);
  const byRemainder = weights
    .map((weight, index) => ({ index, remainder: (whole * weight) % sum }))
    .toSorted((a, b) => (a.remainder < b.remainder ? 1 : a.remainder > b.remainder ? -1 : a.index - b.index));
  for (const { index } of byRemainder.slice(0, Number(left))) parts[index] = (parts[index] as bigint) + 1n;
  return parts;
}
