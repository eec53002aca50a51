/** One attempt from its lease to the api's answer: replaying a run of subwindows, or proving a lane. */
import type { Failure } from '@spillway/shared/api/backfill';
import type { Clock } from '../clock.ts';
import { type ControlClient, ControlError } from '../control/control-client.ts';
import type { UsageLedger, Use } from '../meter/usage-ledger.ts';
import { pause } from '../pause.ts';
import { type HistorySource, SourceError, StoreError, type StoreReader, StreamError } from '../ports.ts';
import { proveLane } from '../proof/prove-lane.ts';
import type { Attempt, HeldLeases } from './held-leases.ts';
import type { KnownPipelines, OpenPipeline } from './known-pipelines.ts';
import type { QuarantineQueue } from './quarantine-queue.ts';
import { readRun } from './read-run.ts';
import type { StageClock } from './stage-clock.ts';

export interface AttemptParts {
  readonly control: ControlClient;
  readonly clock: Clock;
  readonly log: { warn(fields: object, message: string): void };
  readonly historyOf: (source: {
    readonly sourceId: string;
    readonly connector: string;
    readonly config: unknown;
  }) => HistorySource;
  readonly store: Pick<StoreReader, 'proof' | 'buckets'>;
  readonly known: KnownPipelines;
  readonly held: HeldLeases;
  readonly stage: StageClock;
  readonly quarantine: QuarantineQueue;
  /** Events that reached the stream. */
  readonly published: (stream: string, events: number) => void;
  readonly ledger: UsageLedger;
  /** Resolves when the api has heard how far every attempt has got, or can hear it no more. */
  readonly tell: () => Promise<void>;
}

const ASK_AGAIN_MS = 200;
/** An api that takes no ticks may still take a failure. */
const TELL_MS = 2_000;
const LONGEST_DETAIL = 2_000;

/**
 * `settled`: the api knows how it ended, or its lease is another's. `stopped`: nothing more will be published, and the lease
 * is to be given back. Never rejects.
 */
export async function runAttempt(parts: AttemptParts, attempt: Attempt): Promise<'settled' | 'stopped'> {
  try {
    const settled =
      attempt.lease.kind === 'replay' ? await replay(parts, attempt) : await prove(parts, attempt);
    return settled ? 'settled' : 'stopped';
  } catch (error) {
    if (parts.held.isOver(attempt) || attempt.askedBack.signal.aborted) return 'stopped';
    return (await fail(parts, attempt, error)) ? 'settled' : 'stopped';
  }
}

/** From the first attempt on it is known that nothing has been asked for yet, which is not the same as not knowing. */
function meterOf(
  { ledger }: AttemptParts,
  { lease }: Attempt,
  { stream, external }: Pick<OpenPipeline, 'stream' | 'external'>,
): (use: Use) => void {
  const used = (use: Use) => ledger.add(lease, use);
  used({
    events: 0,
    sourceRequests: 0,
    sourceBytes: 0,
    streamOperations: 0,
    publishedBytes: 0,
    // What a store that is not ours is asked nobody here counts.
    ...(external ? {} : { storeReads: 0 }),
    // Of a stream that is elsewhere nobody measures what is delivered: then egress is unknown.
    ...(stream.reach === 'local' ? { egressBytes: 0 } : {}),
  });
  return used;
}

async function replay(parts: AttemptParts, attempt: Attempt): Promise<boolean> {
  const { control, stage, clock, held, quarantine, published } = parts;
  const { lease, progress, bucket, stop } = attempt;
  const { history, pipeline } = await reach(parts, attempt);
  const outcome = await readRun({
    lease,
    history,
    stream: pipeline.stream,
    bucket,
    gate: pipeline.gate,
    stage,
    clock,
    signal: stop.signal,
    deadlineMs: () => attempt.deadlineMs,
    askedBack: attempt.askedBack.signal,
    sharers: () => held.sharers(attempt),
    progress,
    quarantine: (rows) =>
      quarantine.add(
        rows.map(({ sourceId, address, code, detail }) => ({
          backfillId: lease.backfillId,
          sourceId,
          address,
          code,
          detail,
        })),
      ),
    published: (events) => published(pipeline.stream.name, events),
    used: meterOf(parts, attempt, pipeline),
  });
  if (outcome.type === 'stopped') return false;
  const { cursor: _, ahead: __, ...counted } = progress;
  const markers = [{ partition: 0, offset: outcome.marker }];
  return untilAnswered(parts, attempt, () =>
    control.complete(lease.id, { fencingToken: lease.fencingToken, ...counted, markers, verification: null }),
  );
}

async function prove(parts: AttemptParts, attempt: Attempt): Promise<boolean> {
  const { control, clock, store, held } = parts;
  const { lease, stop } = attempt;
  const { history, pipeline } = await reach(parts, attempt);
  const verification = await proveLane({
    history,
    store,
    sourceId: lease.sourceId,
    window: { from: lease.from, to: lease.to },
    bucketMs: pipeline.bucketMs,
    eventsPerSecond: lease.proofEventsPerSecond,
    clock,
    signal: stop.signal,
    mayContinue: () => !held.isOver(attempt),
    progressed: (proof) => Object.assign(attempt.proof, proof),
    used: meterOf(parts, attempt, pipeline),
  });
  if (verification === null) return false;
  const nothing = { read: 0, published: 0, quarantined: 0, markers: [] };
  return untilAnswered(parts, attempt, () =>
    control.complete(lease.id, { fencingToken: lease.fencingToken, ...nothing, verification }),
  );
}

async function reach({ known, historyOf }: AttemptParts, { lease }: Attempt) {
  const pipeline = await known.open(lease.pipelineId);
  const source = pipeline.sources.get(lease.sourceId);
  if (source === undefined)
    throw new SourceError('source_missing', `source ${lease.sourceId} is not known to this worker`);
  return { pipeline, history: historyOf(source) };
}

/**
 * The api may be restarting: asks again until it answers or the lease is over. False when nobody answered: whether it was heard
 * is not known, and giving the lease back is right in both cases. A stale token is an answer: the work is another's.
 */
async function untilAnswered(
  { held }: AttemptParts,
  attempt: Attempt,
  ask: () => Promise<void>,
): Promise<boolean> {
  for (;;) {
    try {
      await ask();
      return true;
    } catch (error) {
      if (!(error instanceof ControlError) || error.kind === 'refused') throw error;
      if (error.kind !== 'unreachable') return true;
      await pause(ASK_AGAIN_MS, attempt.stop.signal);
      if (held.isOver(attempt)) return false;
    }
  }
}

/** A failure that the api refuses to hear is left to the lease's expiry, so that it is not repeated at once. */
async function fail(parts: AttemptParts, attempt: Attempt, error: unknown): Promise<boolean> {
  const { id, fencingToken } = attempt.lease;
  const { failure, retriable } = failureOf(error);
  parts.log.warn({ err: error, leaseId: id, failure }, 'attempt failed');
  await tellProgress(parts, attempt);
  try {
    return await untilAnswered(parts, attempt, () =>
      parts.control.fail(id, { fencingToken, failure, retriable }),
    );
  } catch (refused) {
    parts.log.warn({ err: refused, leaseId: id }, 'the failure could not be reported');
    return true;
  }
}

/** Where it goes on after its failure is where it was heard last: what it has published since would be published again, and nobody would know. */
async function tellProgress({ tell }: AttemptParts, { stop }: Attempt): Promise<void> {
  const told = new AbortController();
  await Promise.race([
    tell().finally(() => told.abort()),
    pause(TELL_MS, AbortSignal.any([told.signal, stop.signal])),
  ]);
}

function failureOf(error: unknown): { failure: Failure; retriable: boolean } {
  const detail = (error instanceof Error ? error.message : String(error)).slice(0, LONGEST_DETAIL);
  if (error instanceof SourceError) {
    const { code, address } = error;
    return { failure: { code, detail, address }, retriable: code === 'source_unavailable' };
  }
  // A stream may be made again, a password put right: whoever does so finds by the code what to do.
  const code = error instanceof StreamError || error instanceof StoreError ? error.code : 'attempt_failed';
  return { failure: { code, detail, address: null }, retriable: true };
}
