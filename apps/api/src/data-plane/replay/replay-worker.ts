/**
 * The replay role: holds leases, reads history, publishes at the granted rate, proves what was done.
 *
 * When the api is gone, renewals stop coming, grants fall to the safe rate after two seconds, and at its deadline each attempt
 * ends by itself (held-leases.ts). What it had published by then is de-duplicated at apply. When the api is back, the leases
 * are given back with the next tick and claimed anew.
 */
import {
  type Joined,
  leasesPerWorker,
  streamsATick,
  type TickAnswer,
  type WorkerPipeline,
  type WorkerPush,
} from '@spillway/shared/api/worker-protocol';
import type { ControlClient } from '../control/control-client.ts';
import {
  keepMembership,
  type Membership,
  type MembershipOptions,
  type RoleReport,
} from '../control/membership.ts';
import { CpuCharge } from '../meter/cpu.ts';
import { TrafficCharge } from '../meter/traffic.ts';
import { UsageLedger } from '../meter/usage-ledger.ts';
import { pause } from '../pause.ts';
import type { DurableStream, HistorySource, StoreReader, StoreTraffic } from '../ports.ts';
import { Claiming } from './claiming.ts';
import { ExternalWatch } from './external-watch.ts';
import { type Attempt, HeldLeases } from './held-leases.ts';
import { InTurn } from './in-turn.ts';
import { knownPipelines, type OpenExternal } from './known-pipelines.ts';
import { QuarantineQueue } from './quarantine-queue.ts';
import { runAttempt } from './run-attempt.ts';
import { SourceWatch } from './source-watch.ts';
import { StageClock } from './stage-clock.ts';

export interface ReplayWorkerOptions extends Omit<MembershipOptions, 'role'> {
  readonly control: ControlClient;
  /** Sources that share a file share one history, and decode it once. */
  readonly historyOf: (source: {
    readonly sourceId: string;
    readonly connector: string;
    readonly config: unknown;
  }) => HistorySource;
  /** Told of the sources that there are: what it takes to read any other is let go. */
  readonly keepHistories: (sources: WorkerPipeline['sources']) => void;
  readonly openStream: (name: string) => Promise<DurableStream>;
  readonly openExternal: OpenExternal;
  readonly store: Pick<StoreReader & StoreTraffic, 'proof' | 'buckets' | 'networkBytes'>;
}

const DRAIN_MS = 2_000;
/** Longer than a claim takes. After that the rate that an ended lease leaves behind may have been lent to another worker. */
const SUCCESSION_MS = 100;

/** Resolves when the signal has aborted, every attempt has stopped and been given back, or two seconds are over, and the worker has left. */
export async function runReplayWorker(options: ReplayWorkerOptions): Promise<void> {
  const { clock, control, signal, log, leasesMax = leasesPerWorker.default } = options;
  const held = new HeldLeases(clock);
  const stage = new StageClock(clock);
  const known = knownPipelines({ stream: options.openStream, external: options.openExternal }, clock);
  const external = new ExternalWatch(known, log);
  const quarantine = new QuarantineQueue();
  const sources = new SourceWatch({ ...options, isCurrent: known.has });
  const attempts = new Set<Promise<void>>();
  let membership: Membership | null = null;
  const ledger = new UsageLedger(clock);
  const cpu = new CpuCharge(ledger);
  const traffic = new TrafficCharge(ledger, options.store);
  let readyFor: string | null = null;
  const publishedTo = new Map<string, number>();
  const turns = { published: new InTurn(streamsATick), external: new InTurn(streamsATick) };
  /** When the newest of the questions that have been answered was asked. */
  let heardFromMs = Number.NEGATIVE_INFINITY;

  const parts = {
    ...options,
    known,
    held,
    stage,
    quarantine,
    ledger,
    tell: async () => membership?.tickNow(),
    published: (stream: string, events: number) =>
      void publishedTo.set(stream, (publishedTo.get(stream) ?? 0) + events),
  };
  const claiming = new Claiming({
    control,
    clock,
    log,
    workerId: () => (signal.aborted ? null : (membership?.workerId ?? null)),
    held: () => held.size,
    leasesMax,
    begin(lease, askedAtMs) {
      const attempt = held.begin(lease, askedAtMs);
      if (signal.aborted) attempt.stop.abort();
      const task = see(attempt).finally(() => attempts.delete(task));
      attempts.add(task);
    },
    tellAgain: tell,
  });

  void sources.watch((changed) => {
    if (membership !== null) count(membership.workerId, changed);
  }, known.all);

  const watching = external.watch(signal);

  // Membership outlives the drain by one tick, so that the leases given back are known to be free.
  const allBack = new AbortController();
  const drained = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  }).then(drain);
  const leave = await keepMembership(
    { ...options, leasesMax, role: 'replay', signal: allBack.signal },
    { joined, pushed, report },
  );
  await drained;
  await watching;
  // An attempt that has not stopped in time publishes nothing through a closed stream: only then may another have its lease.
  await known.close();
  await leave();

  function joined({ pipelines }: Joined, member: Membership): void {
    membership = member;
    heardFromMs = clock.monotonic();
    // Leases of an earlier membership are another worker's as far as the api is concerned.
    held.stopAll();
    keepOnly(pipelines.map(({ pipelineId }) => pipelineId));
    learn(pipelines);
    for (const pipeline of pipelines) count(member.workerId, pipeline);
    void claiming.claim();
  }

  function pushed(push: WorkerPush): void {
    // It may have been long on its way, to a process that stood still: all that is certain is that it was sent after what has been answered.
    claiming.keep(push, heardFromMs);
    tell(push, heardFromMs);
    // A cut is acknowledged at once: the rate lent on may grow, and a throttle is in effect.
    if (push.type === 'grants') void membership?.tickNow();
  }

  function tell(push: WorkerPush, sentMs: number): void {
    switch (push.type) {
      case 'grants':
        for (const grant of push.grants) held.grant(grant, sentMs);
        break;
      case 'stop':
        if (push.why === 'called_back') held.askBack(push.leaseIds);
        else held.stop(push.leaseIds);
        break;
      case 'wake':
        void claiming.claim();
        break;
      case 'settings':
        learn([push.pipeline]);
        break;
      case 'pipelines':
        keepOnly(push.pipelineIds);
        learn([]);
        break;
      case 'counted':
        if (push.by !== membership?.workerId) sources.heardOf(push.sourceId, push.tookMs);
        break;
      case 'count': {
        const pipeline = known.pipeline(push.pipelineId);
        if (pipeline === null || membership === null) break;
        const asked = pipeline.sources.filter(({ sourceId }) => sourceId === push.sourceId);
        const sources = asked.map((source) => ({ ...source, fingerprint: null }));
        count(membership.workerId, { ...pipeline, sources });
        break;
      }
    }
  }

  function keepOnly(pipelineIds: readonly string[]): void {
    known.keepOnly(pipelineIds);
    ledger.keepOnly(pipelineIds);
  }

  function learn(pipelines: readonly WorkerPipeline[]): void {
    for (const pipeline of pipelines) known.learn(pipeline);
    // What it takes to be there is of the pipeline it shares an installation with.
    const all = known.all();
    readyFor = (all.find((pipeline) => pipeline.external === undefined) ?? all[0])?.pipelineId ?? null;
    options.keepHistories(all.flatMap(({ sources: own }) => own));
  }

  function report(): { body: RoleReport; delivered(answer: TickAnswer, askedAtMs: number): void } {
    const rows = quarantine.next();
    ledger.keepOnly(known.all().map(({ pipelineId }) => pipelineId));
    cpu.charge(held.accounts(ledger.takeAtWork()), readyFor);
    traffic.charge(readyFor);
    const { usage, delivered: metered } = ledger.report();
    const { leases, answered } = held.report();
    const looks = turns.external.of(external.reports());
    return {
      body: {
        leases,
        quarantined: [...rows],
        replay: {
          eventsPublished: [...publishedTo.values()].reduce((sum, events) => sum + events, 0),
          published: turns.published.of(published()),
          stage: stage.drain(),
          gates: known.gates(),
          external: looks,
        },
        apply: null,
        feed: null,
        usage,
      },
      delivered(answer, askedAtMs) {
        heardFromMs = Math.max(heardFromMs, askedAtMs);
        metered();
        quarantine.delivered(rows);
        external.delivered(looks);
        answered(answer, askedAtMs);
        void claiming.claim();
      },
    };
  }

  /** A stream that is no pipeline's any more has nobody who asks. One that a pipeline may publish to again goes on with its count. */
  function published(): { stream: string; events: number }[] {
    const current = new Set(
      known.all().flatMap(({ liveStream, replayStream }) => [liveStream, replayStream]),
    );
    return [...publishedTo].flatMap(([stream, events]) => (current.has(stream) ? [{ stream, events }] : []));
  }

  async function see(attempt: Attempt): Promise<void> {
    const end = await runAttempt(parts, attempt);
    if (end === 'stopped' && held.holds(attempt)) {
      attempt.stopped = true;
      held.releaseGrant(attempt);
      await membership?.tickNow();
      return;
    }
    held.forget(attempt);
    // The successor takes over the rate before this one's share of it is given up.
    const claimed = new AbortController();
    await Promise.race([
      claiming.claimNow().finally(() => claimed.abort()),
      pause(SUCCESSION_MS, claimed.signal),
    ]);
    held.releaseGrant(attempt);
  }

  function count(workerId: string, pipeline: WorkerPipeline): void {
    sources
      .count(workerId, pipeline)
      .catch((error: unknown) => log.warn({ err: error }, 'a source was not counted'));
  }

  async function drain(): Promise<void> {
    held.stopAll();
    const done = new AbortController();
    await Promise.race([
      allGivenBack()
        .then(allTold)
        .finally(() => done.abort()),
      pause(DRAIN_MS, done.signal),
    ]);
    allBack.abort();
  }

  /** An answer under way may still bring leases; they stop as soon as they begin. */
  async function allGivenBack(): Promise<void> {
    await claiming.settled();
    await Promise.all(attempts);
  }

  /** What was used up to now ends with the process: where one tick does not tell it all, those do that follow. */
  async function allTold(): Promise<void> {
    const { reportsForAll } = ledger;
    for (let told = 0; reportsForAll > 1 && told < reportsForAll; told += 1) await membership?.tickNow();
  }
}
