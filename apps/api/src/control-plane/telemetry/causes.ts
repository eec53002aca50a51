/**
 * Why it is not faster, from the end of the pipeline to its beginning: what holds up whom, and which backfill it is all for.
 *
 *     store: pressed 62 % of its time → stream: 14,200 of 20,000 entries → reader: stopped 40 % of its time → bf_12 publishes 8,000 events/s
 *
 * A store that somebody has stalled on purpose is told as what it is, before everything that follows from it:
 *
 *     fire drill by mira: the store is stalled on purpose → store: no answer for 3.2 s → bf_12 waits
 *
 * Pure, and from measured time alone. A pipeline at rest has no bottleneck and no chain.
 */
import { STORE_SILENT_MS } from '@spillway/shared/governor/guard';
import {
  appendRatioOf,
  type PipelineObservation,
  readerTimes,
  usedByReplay,
  waitingOf,
} from './observation.ts';
import { applierSilentMs, storeSilentMs } from './store-silence.ts';

const BUSY = 0.8;
/** Waiting for the next stage so much of its time is no accident; more than half of it holds everything up. */
const BLOCKED = 0.1;
const HELD_UP = 0.5;
const HALF_FULL = 0.5;
/** A rate of which less is used is not what holds replay up. */
const USED = 0.5;

type StageName = 'source' | 'stream' | 'aggregate' | 'store';

/** The stage furthest down that holds up those before it; null when none is pressed. */
export function bottleneckOf(seen: PipelineObservation): StageName | null {
  const { apply } = seen;
  if (isStopped(seen) || applierSilentMs(seen) !== null) return 'aggregate';
  if (storeHoldsUp(seen) || (apply?.storeBusyRatio ?? 0) > BUSY) return 'store';
  if ((apply?.stage.busyRatio ?? 0) > BUSY) return 'aggregate';
  if (appendsHoldUp(seen)) return 'stream';
  return (readerTimes(seen.replay).busyRatio ?? 0) > BUSY ? 'source' : null;
}

/**
 * Replay could go faster, but for the time the stream's server takes for an append. At the rate it is granted appends may well be most of what the
 * readers do: then nothing is held up.
 */
export function appendsHoldUp(seen: PipelineObservation): boolean {
  return (appendRatioOf(seen.replay) ?? 0) > HELD_UP && isGrantUnused(seen);
}

function isGrantUnused({
  grantedEventsPerSecond: granted,
  replayPublishedEventsPerSecond: published,
}: PipelineObservation): boolean {
  return granted !== null && published !== null && published < USED * granted;
}

export function causeChainOf(seen: PipelineObservation, bottleneck: StageName | null): string[] {
  const chain = [...stalledLink(seen), ...storeLink(seen, bottleneck), ...aggregateLink(seen, bottleneck)];
  const waiting = waitingOf(seen, usedByReplay(seen));
  if (waiting !== null && waiting > seen.highWaterMark * HALF_FULL)
    chain.push(`stream: ${inWords(waiting)} of ${inWords(seen.highWaterMark)} entries`);
  if (bottleneck === 'stream')
    chain.push(`stream: appends take ${percent(appendRatioOf(seen.replay))} of the reader's time`);
  chain.push(...readerLink(seen, bottleneck));
  if (chain.length === 0) return [];
  return [...releasedLink(seen), ...chain, ...backfillLink(seen)];
}

/** A cause by itself: what follows from it has only begun. */
function stalledLink({ drill }: PipelineObservation): string[] {
  return drill?.released === false
    ? [`fire drill by ${drill.startedBy}: the store is stalled on purpose`]
    : [];
}

/** What waited is worked off. Where nothing is held up by that, nothing is left of the drill. */
function releasedLink({ drill }: PipelineObservation): string[] {
  return drill?.released === true
    ? [`fire drill by ${drill.startedBy}: the store was stalled on purpose, and is released`]
    : [];
}

/** By what they publish. While all are stopped, who waits is still who it is for. */
function backfillLink({ replaying }: PipelineObservation): string[] {
  const [most, ...others] = replaying.flatMap(({ backfillId, eventsPerSecond: rate }) =>
    rate !== null && rate > 0 ? [{ backfillId, rate }] : [],
  );
  if (most === undefined) {
    const [first] = replaying;
    return first === undefined
      ? []
      : [`${first.backfillId} ${first.eventsPerSecond === null ? 'replays' : 'waits'}`];
  }
  const rest = others.reduce((sum, { rate }) => sum + rate, 0);
  const more =
    others.length === 0
      ? ''
      : `, ${others.length} ${others.length === 1 ? 'other publishes' : 'others publish'} ${inWords(rest)}`;
  return [`${most.backfillId} publishes ${inWords(most.rate)} events/s${more}`];
}

/** Not by a store that owes an answer: that one is the cause, and says for how long. */
export function isStopped(seen: PipelineObservation): boolean {
  return (seen.stoppedLanes ?? []).length > 0 && (storeSilentMs(seen) ?? 0) < STORE_SILENT_MS;
}

function storeHoldsUp(seen: PipelineObservation): boolean {
  return (storeSilentMs(seen) ?? 0) >= STORE_SILENT_MS || (seen.apply?.stage.blockedRatio ?? 0) > HELD_UP;
}

function storeLink(seen: PipelineObservation, bottleneck: StageName | null): string[] {
  const { apply } = seen;
  if (apply === null) return [];
  const silentMs = storeSilentMs(seen) ?? 0;
  if (silentMs >= STORE_SILENT_MS) {
    const unheardMs = applierSilentMs(seen);
    const inSeconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
    return [
      unheardMs === null
        ? `store: no answer for ${inSeconds(silentMs)}`
        : `aggregate: the apply worker has not been heard for ${inSeconds(unheardMs)}`,
    ];
  }
  const commit =
    apply.commitMsP99 === null ? '' : `, a commit takes ${Math.round(apply.commitMsP99)} ms (p99)`;
  // It waits for what comes slowly.
  if (bottleneck === 'stream') return [];
  if ((apply.stage.blockedRatio ?? 0) > BLOCKED)
    return [`store: pressed ${percent(apply.stage.blockedRatio)} of its time${commit}`];
  return bottleneck === 'store' ? [`store: busy ${percent(apply.storeBusyRatio)} of its time${commit}`] : [];
}

function aggregateLink(seen: PipelineObservation, bottleneck: StageName | null): string[] {
  if (isStopped(seen))
    return (seen.stoppedLanes ?? []).map(
      ({ stream, code }) => `aggregate: the applier of ${stream} has stopped (${code})`,
    );
  return bottleneck === 'aggregate'
    ? [`aggregate: busy ${percent(seen.apply?.stage.busyRatio ?? null)} of its time`]
    : [];
}

function readerLink(seen: PipelineObservation, bottleneck: StageName | null): string[] {
  const reader = readerTimes(seen.replay);
  if ((reader.blockedRatio ?? 0) > BLOCKED)
    return [`reader: stopped ${percent(reader.blockedRatio)} of its time`];
  return bottleneck === 'source' ? [`reader: busy ${percent(reader.busyRatio)} of its time`] : [];
}

function percent(ratio: number | null): string {
  return `${Math.round((ratio ?? 0) * 100)} %`;
}

const inEnglish = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
function inWords(value: number): string {
  return inEnglish.format(value);
}
