/**
 * What one rate costs: quantities from the coefficients, their overage from what live leaves of the provisioned amounts, priced exactly.
 *
 *     quantity   = use per event · events;  CPU, where that is known, besides: use per second · seconds from start to completion
 *                  stream memory: learned ratio · entry·s · bytes an entry
 *     overage    = quantity · part · (1 − slot · spare / quantity)
 *                  part  = (max(0, live + replay − provisioned) − max(0, live − provisioned)) / replay, all per second
 *                  spare = max(0, provisioned − live), of a slot of the meter (slots.ts)
 *
 * The part is that of an even minute in the midst of a run. What its first and its last minute hold is there for it too, also while it does not run: for a
 * run whose begin falls anywhere in a minute that comes to slot · spare on the mean, however long it is, half at either end. (Of one rate r and spare s
 * that is exact: a minute of which it covers c absorbs min(r · c, s · slot); the mean over c, and over where it begins, is (1 − s / r) · max(0, quantity −
 * s · slot).) A run of seconds may so be absorbed whole, at any rate. The part never falls when the rate rises. Neither does anything else but the CPU that
 * goes with time: a run that takes twice as long uses twice as much of it.
 */
import type { PriceBook } from '../api/cost.ts';
import { type Coefficients, likelyUse } from '../cost/coefficients.ts';
import { type MeteredUsage, type Priced, type Prices, type Provision, priceUsage } from '../cost/items.ts';
import { type Atoms, priceOf } from '../cost/money.ts';
import { SLOT_MS } from '../cost/slots.ts';
import { type UsageCounter, usageCounters } from '../cost/usage.ts';
import { type Pace, type PaceInputs, paceAt } from './pace.ts';
import { provedPerSecond, runSeconds } from './run-time.ts';

export interface RateInputs {
  readonly pace: PaceInputs;
  readonly coefficients: Coefficients;
  readonly prices: Prices;
  readonly provisioned: PriceBook['provisioned'];
  /** What live takes of the provisioned amounts now: cores, operations/s, bytes. */
  readonly liveUse: PriceBook['provisioned'];
  /** Of one entry on the stream. */
  readonly bytesPerEntry: number;
}

export interface RatePrice {
  readonly eventsPerSecond: number;
  readonly pace: Pace;
  /** From start to completion, before anything learned; Infinity: it never ends. */
  readonly seconds: number;
  readonly priced: Priced;
  /** At the busiest moment: of replay the reader at its rate, the applier at its own, the stream at its longest; or of proof, which follows. */
  readonly peakSpendPerHour: Atoms;
  readonly peakStreamBytes: number;
}

/** One that never ends uses what it uses for ever, or nothing: only of one that ends is there a cost of all of it. */
export function ends({ seconds }: RatePrice): boolean {
  return Number.isFinite(seconds);
}

/** For the retention: what is applied may go, and waits for nobody. Null: nothing is applied, so there is no telling how long an entry waits. */
export function streamPeakOf({ pace, peakStreamBytes }: RatePrice) {
  const { peakStreamLength, peakUnapplied: length, appliedEventsPerSecond } = pace;
  if (!(appliedEventsPerSecond > 0)) return null;
  return {
    length,
    bytes: peakStreamBytes * (length / peakStreamLength),
    waitMs: (length * 1000) / appliedEventsPerSecond,
  };
}

const perEventCounters = usageCounters.filter((counter) => counter !== 'streamByteMs');
export function priceAt(inputs: RateInputs, eventsPerSecond: number): RatePrice {
  const pace = paceAt(inputs.pace, eventsPerSecond);
  const { appliedEventsPerSecond: applied, publishedEventsPerSecond: published } = pace;
  const seconds = runSeconds(inputs.pace.model, pace, inputs.pace.events);
  const likelySeconds = Number.isFinite(seconds) ? seconds * inputs.coefficients.duration.likely : 0;
  // Where nothing is published nobody works for it, however long that is.
  const hourSeconds = published > 0 ? 3_600 : 0;
  const total: Partial<Record<UsageCounter, bigint>> = {};
  const hour: Partial<Record<UsageCounter, bigint>> = {};
  const proofHour: Partial<Record<UsageCounter, bigint>> = {};
  const proved =
    published > 0 && inputs.pace.model.unproved !== true ? provedPerSecond(inputs.pace.model, pace) : 0;
  for (const counter of perEventCounters) {
    const learned = inputs.coefficients.counters[counter];
    if (learned === undefined) continue;
    total[counter] = whole(likelyUse(learned, inputs.pace.events, likelySeconds));
    // What the reader does is at its rate, which is the higher one while the stream fills.
    const rate = ofReader.has(counter) ? published : applied;
    const atRate = (eventsPerSecond: number) =>
      whole(likelyUse(learned, eventsPerSecond * 3_600, hourSeconds));
    if (counter === 'storeReads') proofHour[counter] = atRate(proved);
    else hour[counter] = atRate(rate);
    // The source is read once by replay and once by proof. What of the CPU is proof's has not been told apart: as much a second as replay takes.
    if (ofSource.has(counter)) proofHour[counter] = atRate(proved / 2);
    if (counter === 'cpuMs') proofHour[counter] = atRate(rate);
  }
  const memory = inputs.coefficients.counters.streamByteMs;
  const peakStreamBytes = pace.peakStreamLength * inputs.bytesPerEntry;
  if (memory !== undefined) {
    const ratio = memory.use * memory.factors.likely;
    total.streamByteMs = whole(ratio * pace.entrySeconds * 1000 * inputs.bytesPerEntry);
    hour.streamByteMs = whole(ratio * peakStreamBytes * 3_600_000);
  }
  const parts = overageParts(inputs, pace, proved, peakStreamBytes);
  const partsOfRun = withEnds(inputs, parts, total);
  return {
    eventsPerSecond,
    pace,
    seconds,
    priced: priceUsage(withOverage(total, partsOfRun), inputs.prices),
    peakSpendPerHour: largest(
      [hour, proofHour].map((used) => priceUsage(withOverage(used, parts), inputs.prices).spend),
    ),
    peakStreamBytes,
  };
}

const ofSource: ReadonlySet<UsageCounter> = new Set(['events', 'sourceRequests', 'sourceBytes']);
const ofReader: ReadonlySet<UsageCounter> = new Set([...ofSource, 'streamOperations', 'publishedBytes']);

/** Of each counter for which something is paid already: the part of it that is beyond. Proof follows replay, so their operations are not added up. */
function overageParts(
  inputs: RateInputs,
  { appliedEventsPerSecond: applied }: Pace,
  proved: number,
  peakStreamBytes: number,
): Parts {
  const { provisioned, liveUse, coefficients } = inputs;
  const ofSecond = (counter: UsageCounter, units: number) => {
    const learned = coefficients.counters[counter];
    return learned === undefined ? 0 : likelyUse(learned, units, 1);
  };
  const part = (provision: Provision, used: number) => {
    const over = (use: number) => Math.max(0, use - provisioned[provision]);
    return used > 0 ? Math.min(1, (over(liveUse[provision] + used) - over(liveUse[provision])) / used) : 0;
  };
  return {
    cpuMs: part('cores', ofSecond('cpuMs', applied) / 1000),
    rowsAttempted: part('storeOperationsPerSecond', ofSecond('rowsAttempted', applied)),
    storeReads: part('storeOperationsPerSecond', ofSecond('storeReads', proved)),
    streamByteMs: part('streamBytes', ofSecond('streamByteMs', peakStreamBytes)),
  };
}

type Parts = Readonly<Partial<Record<UsageCounter, number>>>;

/** With what the first and the last minute hold: of the store's operations replay has the first and its proof the last. */
function withEnds(
  { provisioned, liveUse }: RateInputs,
  parts: Parts,
  total: Partial<Record<UsageCounter, bigint>>,
): Parts {
  const isProved = (total.storeReads ?? 0n) > 0n;
  const ends = (counter: UsageCounter, provision: Provision, unitsPerSecond: number, ends: number) => {
    const quantity = Number(total[counter] ?? 0n);
    const spare = Math.max(0, provisioned[provision] - liveUse[provision]) * unitsPerSecond;
    const left = 1 - ((ends / 2) * spare * (SLOT_MS / 1_000)) / quantity;
    return quantity > 0 ? (parts[counter] ?? 0) * Math.max(0, left) : 0;
  };
  return {
    ...parts,
    cpuMs: ends('cpuMs', 'cores', 1_000, 2),
    rowsAttempted: ends('rowsAttempted', 'storeOperationsPerSecond', 1, isProved ? 1 : 2),
    storeReads: ends('storeReads', 'storeOperationsPerSecond', 1, 1),
  };
}

function withOverage(total: Partial<Record<UsageCounter, bigint>>, parts: Parts): MeteredUsage {
  const absorbed: Partial<Record<UsageCounter, bigint>> = {};
  for (const counter of usageCounters) {
    const [quantity, part] = [total[counter], parts[counter]];
    if (quantity !== undefined && part !== undefined)
      absorbed[counter] = quantity - priceOf(quantity, ppm(part), MILLION);
  }
  return { total, absorbed, apportioned: [] };
}

const MILLION = 1_000_000n;

function ppm(part: number): bigint {
  return BigInt(Math.round(part * 1_000_000));
}

function largest(amounts: readonly Atoms[]): Atoms {
  let most = 0n;
  for (const one of amounts) if (one > most) most = one;
  return most;
}

function whole(quantity: number): bigint {
  return BigInt(Math.round(quantity));
}
