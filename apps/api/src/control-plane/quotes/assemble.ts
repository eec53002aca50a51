/** From the facts to what is reckoned with, and to what a start is held to later: pure. */
import type { PriceBook } from '@spillway/shared/api/cost';
import type { Quote } from '@spillway/shared/api/quote';
import { assumedPerEvent, type Coefficients, learn, withoutStore } from '@spillway/shared/cost/coefficients';
import { withFarSources } from '@spillway/shared/cost/far-sources';
import { sizingCapacity } from '@spillway/shared/governor/capacity';
import type { Moving, QuoteBasis, QuotedRequest } from '@spillway/shared/quote/drift';
import { movingOf } from '@spillway/shared/quote/outcome-drift';
import { overlapsOf } from '@spillway/shared/quote/overlaps';
import type { QuoteInputs } from '@spillway/shared/quote/quote-inputs';
import type { Goal } from '@spillway/shared/quote/solve';
import { isGrowing } from '@spillway/shared/sources/growing';
import { canonicalJson } from '../audit/canonical-json.ts';
import { modelOfPipeline } from '../cost/pipeline-model.ts';
import { liveStreamOf, type PipelineObservation, usedByReplay } from '../telemetry/observation.ts';
import type { QuoteFacts } from './facts.ts';

/** Long enough to read it, show it to somebody and decide; short enough that live is still as it was. */
const QUOTE_VALID_MS = 15 * 60_000;

const ENTRIES_TELLING = 1_000;

export function quoteInputsOf(facts: QuoteFacts, goal: Goal | null): QuoteInputs {
  const { planned, seen } = facts;
  const { pipeline, plan } = planned;
  const { capacityEventsPerSecond: capacity, replayShare } = pipeline;
  const live = liveRateOf(facts);
  const learned = learn(facts.finishedRuns);
  const coefficients = withFarSources(
    pipeline.external === null ? learned : withoutStore(learned),
    farPartOf(facts),
  );
  const ceiling = ceilingOf(facts, live ?? 0);
  return {
    nowMs: facts.nowMs,
    subwindows: plan.subwindows,
    planWarnings: plan.warnings as QuoteInputs['planWarnings'],
    lanes: facts.lanes,
    limits: facts.limits,
    replayShare,
    goal,
    capacityEventsPerSecond: capacity,
    model:
      capacity === null
        ? null
        : modelOfPipeline({ ...pipeline, capacityEventsPerSecond: capacity }, learned.longestPauseMs),
    liveEventsPerSecond: live,
    replayAmplification: 1,
    ceilingEventsPerSecond: ceiling,
    safeRate: facts.safeRate ?? unlookedSafeRate(capacity, replayShare, ceiling),
    isolated: planned.isolated,
    replayWorkers: planned.isolated ? facts.replayWorkers.isolated : facts.replayWorkers.all,
    coefficients,
    priceBook: facts.priceBook,
    liveUse: liveUseOf(seen, coefficients, live ?? 0),
    bytesPerEntry: bytesPerEntryOf(seen, coefficients),
    retention: retentionOf(seen),
    overlaps: overlapsIn(facts),
    validForMs: validForMs(goal),
  };
}

/** Of the events, those that are read over a network; where no number is known, all if any is. */
function farPartOf({ planned, lanes }: QuoteFacts): number {
  const far = new Set(planned.sources.filter(({ isFar }) => isFar).map(({ sourceId }) => sourceId));
  const eventsOf = (some: QuoteFacts['lanes']) =>
    some.reduce((sum, { events }) => sum + (events?.likely ?? 0), 0);
  const all = eventsOf(lanes);
  const ofFar = lanes.filter(({ sourceId }) => far.has(sourceId));
  return all > 0 ? eventsOf(ofFar) / all : Math.sign(ofFar.length);
}

/** A goal of time that has passed cannot be met by any start. */
function validForMs(goal: Goal | null): number {
  return goal?.kind === 'finish_by'
    ? Math.min(QUOTE_VALID_MS, Math.ceil(goal.withinSeconds * 1_000))
    : QUOTE_VALID_MS;
}

export function requestOf({ planned }: Pick<QuoteFacts, 'planned'>): QuotedRequest {
  const { pipeline, sources, sourcesNamed, requested, plan } = planned;
  return {
    pipelineId: pipeline.id,
    sourcesNamed,
    sourceIds: sources.map(({ sourceId }) => sourceId).toSorted(),
    window: requested,
    subwindowMs: plan.subwindowMs,
  };
}

export function basisOf(facts: QuoteFacts): Omit<QuoteBasis, 'moving'> {
  const { pipeline, sources } = facts.planned;
  // Sources are compared one by one, by what they hold.
  const { sourceIds: _, sourcesNamed: __, ...request } = requestOf(facts);
  return {
    sources: Object.fromEntries(sources.map((source) => [source.sourceId, heldBy(source, facts.lanes)])),
    request: canonicalJson({ ...request, mode: 'fill' }),
    priceBookVersion: facts.priceBook?.version ?? null,
    route: pipeline.route as QuoteBasis['route'],
    highWaterMark: pipeline.highWaterMark,
    replayShare: pipeline.replayShare,
    headroom: pipeline.headroom,
    replayFloor: pipeline.replayFloor,
    capacityEventsPerSecond: pipeline.capacityEventsPerSecond,
    overlaps: overlapsIn(facts).map(({ backfillId }) => backfillId),
  };
}

/**
 * The fingerprint; of a history that is written to all the time the events of the window, or no quote of it would hold until it is started. Where those are
 * estimated anew with each count, what comes of them is compared alone (outcome-drift.ts).
 */
function heldBy(
  { sourceId, connector, fingerprint }: QuoteFacts['planned']['sources'][number],
  lanes: QuoteFacts['lanes'],
): string | null {
  if (fingerprint === null || !isGrowing(connector)) return fingerprint;
  const lane = lanes.find((one) => one.sourceId === sourceId);
  if (lane === undefined) return 'no event of the window';
  if (lane.basis === 'estimated') return 'events estimated';
  return lane.events && `${rangeText(lane.events)} events of the window`;
}

function rangeText({ low, high }: { readonly low: number; readonly high: number }): string {
  return low === high ? `${low}` : `${low} to ${high}`;
}

/** `inputs` are of the facts, `quote` of the inputs. */
export function movingIn({ planned }: QuoteFacts, inputs: QuoteInputs, quote: Pick<Quote, 'stream'>): Moving {
  return movingOf(inputs, planned.pipeline.signals.liveFreshnessMsP99?.target ?? null, quote);
}

function overlapsIn({ planned, unfinished }: QuoteFacts): Quote['overlaps'] {
  const { lanes, window } = planned.plan;
  return overlapsOf({ sourceIds: lanes.map(({ sourceId }) => sourceId), ...window }, unfinished);
}

/** Published says what is coming, applied what there was: live needs the larger. Unheard of, the rate the demo's feed is set to. */
function liveRateOf({ seen, planned }: QuoteFacts): number | null {
  const known = [seen?.livePublishedEventsPerSecond, seen?.liveAppliedEventsPerSecond].filter(
    (rate) => rate !== null && rate !== undefined,
  );
  return known.length > 0 ? Math.max(...known) : planned.pipeline.liveEventsPerSecond;
}

/** As the governor's ceilings of live-first and floor. */
function ceilingOf({ planned }: QuoteFacts, live: number): number | null {
  const {
    capacityEventsPerSecond: capacity,
    measuredEventsPerSecond: measured,
    headroom,
    replayFloor,
  } = planned.pipeline;
  if (capacity === null) return null;
  const floor = replayFloor * (sizingCapacity(capacity, measured) ?? 0);
  return Math.max(floor, capacity - live - headroom * capacity);
}

function unlookedSafeRate(
  capacity: number | null,
  replayShare: number,
  ceiling: number | null,
): Quote['safeRate'] {
  if (capacity === null || ceiling === null)
    return { eventsPerSecond: null, why: 'the capacity has not been measured yet' };
  const share = replayShare * capacity;
  return share <= ceiling
    ? { eventsPerSecond: share, why: `the pipeline's replay share of ${Math.round(capacity)} events/s` }
    : { eventsPerSecond: Math.max(0, ceiling), why: 'what live leaves of the capacity' };
}

/** What live takes of the provisioned amounts, at what an event has been learned to use: nobody proves it, so it reads nothing of the store. */
function liveUseOf(
  seen: PipelineObservation | null,
  { counters }: Coefficients,
  live: number,
): PriceBook['provisioned'] {
  const perEvent = (counter: 'cpuMs' | 'rowsAttempted') =>
    (counters[counter]?.use ?? 0) * (counters[counter]?.factors.likely ?? 1);
  const stream = seen === null ? undefined : liveStreamOf(seen);
  return {
    cores: (perEvent('cpuMs') * live) / 1000,
    storeOperationsPerSecond: perEvent('rowsAttempted') * live,
    streamBytes: stream?.lengthBytes ?? 0,
  };
}

/** As the stream tells; one that tells none (the embedded is such) keeps what is not applied, and its high-water mark is its only limit. */
function retentionOf(seen: PipelineObservation | null): QuoteInputs['retention'] {
  const stream = seen === null ? undefined : usedByReplay(seen);
  const limits = stream?.retention ?? { ms: null, entries: null, bytes: null };
  return stream?.accepted?.includes('retention') ? { ...limits, isUncertain: true } : limits;
}

/** What replay's entries weighed in earlier runs; before the first, those on its stream while there are enough to tell; else assumed. */
function bytesPerEntryOf(seen: PipelineObservation | null, { counters }: Coefficients): number {
  const published = counters.publishedBytes;
  if (published?.basis === 'learned' && published.use > 0) return published.use;
  const stream = seen === null ? undefined : usedByReplay(seen);
  const length = stream?.length ?? 0;
  const lengthBytes = stream?.lengthBytes ?? null;
  return lengthBytes !== null && length >= ENTRIES_TELLING
    ? lengthBytes / length
    : assumedPerEvent.publishedBytes;
}
