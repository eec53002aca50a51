/**
 * What a worker process has used, as it reports it in its ticks: absolute, since the process began. Counters are decimal strings: bytes × ms
 * outgrow a double.
 */
import { type Static, Type } from 'typebox';
import { type UsageCounter, usageCounters } from '../cost/usage.ts';
import { Count, Id, Nullable, strict } from './primitives.ts';

const Counter = Type.String({ pattern: '^\\d{1,38}$' });

/** Absent: this process does not know it. */
const Counters = Type.Partial(
  Type.Object(
    Object.fromEntries(usageCounters.map((counter) => [counter, Counter])) as Record<
      UsageCounter,
      typeof Counter
    >,
  ),
  strict,
);

export const UsageReport = Type.Object(
  {
    pipelineId: Id,
    /** One life of the counters: the process. It outlives a membership, so joining again counts nothing twice. */
    series: Id,
    /** Rises by one with each report of the series. */
    sequence: Type.Integer({ minimum: 1 }),
    /** Since the series began, ms. */
    ageMs: Count,
    /** An earlier report of the series has been answered: if it is not known any more, what it tells was counted then. */
    arrived: Type.Boolean(),
    /** By backfill; null is live. Accounts that have not changed since the last report that arrived may be left out. */
    own: Type.Array(Type.Object({ backfillId: Nullable(Id), use: Counters }, strict), { maxItems: 256 }),
    /** Of the process as a whole, to be apportioned. */
    shared: Counters,
  },
  strict,
);
export type UsageReport = Static<typeof UsageReport>;
