/**
 * A worker's standing with the control plane, the same for every role: join, keep the push connection open, tick every
 * 250 ms and at once when something must be known now, join again when the api no longer knows us, leave.
 *
 * Losing the api is not an error here. Ticks fail and are tried again; what a worker may go on doing meanwhile is decided
 * by its leases' deadlines and its grants, not by this file.
 */
import {
  type Identities,
  type Joined,
  protocolVersion,
  type Tick,
  type TickAnswer,
  tickMs,
  type WorkerPush,
  type WorkerRole,
  type WorkerTag,
} from '@spillway/shared/api/worker-protocol';
import type { Clock } from '../clock.ts';
import { processCpuMs } from '../meter/cpu.ts';
import { pause } from '../pause.ts';
import { Seldom } from '../seldom.ts';
import { type ControlClient, ControlError } from './control-client.ts';

export interface Membership {
  readonly workerId: string;
  /** Tick as soon as the one under way has been answered; resolves when the report has arrived, or can no more. */
  tickNow(): Promise<void>;
}

export interface RoleWork {
  joined(joined: Joined, membership: Membership): void;
  pushed(push: WorkerPush): void;
  /** What to report now. `delivered` is called when the api has it. */
  report(): { readonly body: RoleReport; delivered(answer: TickAnswer, askedAtMs: number): void };
}
export type RoleReport = Pick<Tick, 'leases' | 'quarantined' | 'replay' | 'apply' | 'feed' | 'usage'>;

export interface MembershipOptions {
  readonly role: WorkerRole;
  readonly version: string;
  readonly tags?: readonly WorkerTag[] | undefined;
  /** Of a replay worker: how many leases it holds at a time. */
  readonly leasesMax?: number;
  readonly host: string;
  /** The processes this one was started in place of, which have ended for so long at least. */
  readonly replaces?: { readonly pids: readonly number[]; endedForMs(): number } | undefined;
  /** Which store and which streams it has, as far as they answer. */
  readonly identities?: () => Promise<Identities>;
  readonly control: ControlClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** It has another store or other streams than the installation: somebody has to mend one of them, and that need not be this worker's. */
export class MisplacedError extends Error {}

const MISPLACED = ['store_mismatch', 'stream_mismatch'];
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;
/** A membership shorter than this ended for a reason that a new one will not cure at once. */
const LASTING_MS = 10_000;
const SOON_MS = 25;
/** An api that is away, or hangs, does not hold a process that is to end: it is lost there, and its leases run out. */
const LEAVE_MS = 1_000;

/**
 * Resolves when the signal aborts, with what says that the worker leaves, in a second at most: to be called when nothing is done in its name any
 * more. Errors: {@link MisplacedError}.
 */
export async function keepMembership(
  options: MembershipOptions,
  work: RoleWork,
): Promise<() => Promise<void>> {
  let workerId: string | null = null;
  await joinUntilStopped(options, work, (joinedAs) => {
    workerId = joinedAs;
  });
  return () => (workerId === null ? Promise.resolve() : sayGoodbye(options, workerId));
}

async function sayGoodbye({ control, log }: MembershipOptions, workerId: string): Promise<void> {
  const over = new AbortController();
  const left = control
    .leave(workerId)
    .catch((error: unknown) => log.info({ err: error }, 'the api was not told that this worker leaves'))
    .finally(() => over.abort());
  await Promise.race([left, pause(LEAVE_MS, over.signal)]);
}

async function joinUntilStopped(
  options: MembershipOptions,
  work: RoleWork,
  joinedAs: (workerId: string) => void,
): Promise<void> {
  const { signal, log, clock, role, host, version, tags = [], leasesMax, replaces } = options;
  const self = {
    ...{ role, protocolVersion, pid: process.pid, host, version, tags: [...tags] },
    ...(leasesMax === undefined ? {} : { leasesMax }),
  };
  const said = new Seldom(clock);
  let retryMs = FIRST_RETRY_MS;
  while (!signal.aborted) {
    let joinedAtMs = Number.POSITIVE_INFINITY;
    try {
      const identities = await options.identities?.();
      if (signal.aborted) return;
      const joined = await options.control.join({
        ...self,
        ...(identities === undefined ? {} : { identities }),
        ...(replaces === undefined
          ? {}
          : { replaces: { pids: [...replaces.pids], endedForMs: Math.floor(replaces.endedForMs()) } }),
      });
      joinedAs(joined.workerId);
      if (signal.aborted) return;
      joinedAtMs = clock.monotonic();
      said.forget();
      log.info({ workerId: joined.workerId, standby: joined.standby }, 'joined');
      await stayJoined(options, work, joined);
    } catch (error) {
      if (signal.aborted) return;
      throwIfMisplaced(error);
      if (clock.monotonic() - joinedAtMs >= LASTING_MS) retryMs = FIRST_RETRY_MS;
      if (said.isDue(String(error))) log.warn({ err: error, retryMs }, 'not joined');
      await pause(retryMs, signal);
      retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
    }
  }
}

function throwIfMisplaced(error: unknown): void {
  const problem = error instanceof ControlError ? error.problem : null;
  if (problem !== null && MISPLACED.includes(problem.code))
    throw new MisplacedError(`${problem.detail} (${problem.code})`, { cause: error });
}

/** Until the api says it does not know this worker. */
async function stayJoined(options: MembershipOptions, work: RoleWork, joined: Joined): Promise<void> {
  const left = new AbortController();
  const signal = AbortSignal.any([options.signal, left.signal]);
  const ticker = createTicker(options, work, joined.workerId, signal);
  work.joined(joined, { workerId: joined.workerId, tickNow: ticker.now });
  try {
    await Promise.race([ticker.run(), listen(options, work, joined.workerId, signal)]);
  } finally {
    left.abort();
    ticker.end();
  }
}

function createTicker(options: MembershipOptions, work: RoleWork, workerId: string, signal: AbortSignal) {
  let sequence = 0;
  let failures = 0;
  let ended = false;
  let wake = Promise.withResolvers<void>();
  let waiting: (() => void)[] = [];

  async function tickOnce(): Promise<void> {
    const served = waiting;
    waiting = [];
    const report = work.report();
    const askedAtMs = options.clock.monotonic();
    sequence += 1;
    try {
      const answer = await options.control.tick(workerId, {
        sequence,
        ...report.body,
        rssBytes: process.memoryUsage.rss(),
        cpuMs: Math.round(processCpuMs()),
      });
      // A new membership has begun meanwhile, and has its own answers.
      if (ended) return;
      if (failures > 0) options.log.info({ failures }, 'ticks are delivered again');
      failures = 0;
      report.delivered(answer, askedAtMs);
      for (const done of served) done();
    } catch (error) {
      waiting = [...served, ...waiting];
      if (!(error instanceof ControlError) || error.kind !== 'unreachable') throw error;
      if (failures === 0) options.log.warn({ reason: error.message }, 'tick not delivered');
      failures += 1;
    }
  }

  /** Whoever asked while a tick was under way is answered by the next one, soon; an api that does not answer is not pressed. */
  function restMs(): number {
    return waiting.length > 0 ? Math.min(tickMs, SOON_MS * 2 ** failures) : tickMs;
  }

  return {
    now(): Promise<void> {
      if (ended) return Promise.resolve();
      return new Promise((resolve) => {
        waiting.push(resolve);
        wake.resolve();
      });
    },
    async run(): Promise<void> {
      while (!signal.aborted) {
        wake = Promise.withResolvers<void>();
        await tickOnce();
        const rested = pause(restMs(), signal);
        // After a failure nobody's wish is served at once.
        await (failures > 0 ? rested : Promise.race([wake.promise, rested]));
      }
    },
    /** This membership delivers nothing more: nobody is left waiting for it. */
    end(): void {
      ended = true;
      for (const done of waiting.splice(0)) done();
    },
  };
}

async function listen(
  options: MembershipOptions,
  work: RoleWork,
  workerId: string,
  signal: AbortSignal,
): Promise<void> {
  let retryMs = FIRST_RETRY_MS;
  while (!signal.aborted) {
    try {
      for await (const push of options.control.pushes(workerId, signal)) {
        retryMs = FIRST_RETRY_MS;
        if (push.type !== 'heartbeat') work.pushed(push);
      }
    } catch (error) {
      if (!(error instanceof ControlError) || error.kind !== 'unreachable') throw error;
    }
    await pause(retryMs, signal);
    retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
  }
}
