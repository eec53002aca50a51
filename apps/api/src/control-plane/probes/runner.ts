/**
 * Reads the users' own signals. What a probe said is kept with the time at which it was said; a probe that fails is unknown at
 * once, and says why. Nothing here is awaited by the governor: it asks for what is known.
 *
 * Invariants: one attempt of a probe at a time, and four of all (schedule.ts); an attempt ends at its timeout, whatever its host does;
 * the result of an attempt whose probe has been removed is dropped.
 *
 * An embedded database (Spillway's own store may be one) serves a probe's query to its end, for as long as that takes, and nobody else
 * meanwhile. A probe that takes too long there is suspended at the first time: tried again and again it would stop live for good. That is
 * written down with its definition, so that an api that starts anew does not try it either.
 */
import { asc, eq } from 'drizzle-orm';
import { redactText } from '../access/redaction.ts';
import type { ControlContext, ProbeReadings, ProbeSignal } from '../context.ts';
import { probes } from '../database/schema.ts';
import { sentenceOf } from '../outbound/failure.ts';
import { ProbeFailure, ProbeSuspension } from './failure.ts';
import { readHttpJson } from './http-json.ts';
import { readPromQl } from './promql.ts';
import type { ProbeRow } from './resource.ts';
import { ProbeSchedule } from './schedule.ts';
import { readSql } from './sql.ts';

/** Definitions are read again so often, whoever changed them. */
const RELOAD_EVERY_MS = 10_000;
/** A reading may be late by this much beyond its interval and timeout before it counts for nothing. */
const LATE_MS = 2_000;
const STOP_WAIT_MS = 1_000;
/**
 * How long a query may hold an embedded database. At least so long, since it may have got its turn just before its timeout; at most
 * so long, since the store is not for probes, and well before the watchdog ends the database (supervise/silence.ts): whose fault
 * it was would not be known then.
 */
const EMBEDDED_LEAST_MS = 1_000;
const EMBEDDED_MOST_MS = 5_000;

export interface Probes extends ProbeReadings {
  /** Reads the definitions; rejects when the database does not answer. */
  load(): Promise<void>;
  start(): void;
  /** Ends what runs; within a second. */
  stop(): Promise<void>;
}

interface Watched {
  readonly definition: ProbeRow;
  /** The last number; it stays while later attempts fail, for its age. */
  measured: { readonly value: number; readonly atMs: number } | null;
  /** Why the last attempt failed; null when it did not, or when there was none. */
  failure: string | null;
  attempt: { readonly abort: AbortController; readonly ended: Promise<void> } | null;
}

export function createProbes(ctx: Pick<ControlContext, 'database' | 'clock' | 'log'>): Probes {
  const watched = new Map<string, Watched>();
  const schedule = new ProbeSchedule();
  let loading: Promise<void> = Promise.resolve();
  let running = false;
  let turnTimer: NodeJS.Timeout | undefined;
  let reloadTimer: NodeJS.Timeout | undefined;

  /** One after the other: an older answer of the database never replaces a newer one. */
  function load(): Promise<void> {
    loading = loading.catch(() => {}).then(readDefinitions);
    return loading;
  }

  async function readDefinitions(): Promise<void> {
    const rows = await ctx.database.select().from(probes).orderBy(asc(probes.createdAt), asc(probes.id));
    const wanted = new Set(rows.map(({ id }) => id));
    for (const [id, probe] of watched) {
      if (wanted.has(id)) continue;
      probe.attempt?.abort.abort();
      watched.delete(id);
    }
    for (const definition of rows) {
      if (!watched.has(definition.id))
        watched.set(definition.id, {
          definition,
          measured: null,
          failure: definition.suspendedWhy,
          attempt: null,
        });
    }
    schedule.set(rows, ctx.clock.monotonic());
    for (const { id, suspendedWhy } of rows) if (suspendedWhy !== null) schedule.suspend(id);
    takeTurns();
  }

  async function reload(): Promise<void> {
    await load().catch((error: unknown) =>
      ctx.log.warn({ err: error }, 'the definitions of the probes could not be read'),
    );
  }

  function takeTurns(): void {
    if (!running) return;
    clearTimeout(turnTimer);
    // One reading for all of it: a turn that came due between two would neither begin nor be waited for.
    const nowMs = ctx.clock.monotonic();
    for (let id = schedule.begin(nowMs); id !== null; id = schedule.begin(nowMs)) begin(id);
    const dueMs = schedule.nextDueMs(nowMs);
    if (dueMs !== null) turnTimer = setTimeout(takeTurns, dueMs - nowMs).unref();
  }

  function begin(id: string): void {
    const probe = watched.get(id);
    if (probe === undefined) return schedule.ended(id, ctx.clock.monotonic());
    const abort = new AbortController();
    const ended = attempt(probe, abort).finally(() => {
      probe.attempt = null;
      schedule.ended(id, ctx.clock.monotonic());
      takeTurns();
    });
    probe.attempt = { abort, ended };
  }

  async function attempt(probe: Watched, abort: AbortController): Promise<void> {
    const { definition } = probe;
    try {
      const value = await withinTime(definition, abort);
      probe.measured = { value, atMs: ctx.clock.monotonic() };
      tell(probe, null);
    } catch (error) {
      if (error instanceof ProbeSuspension) suspend(definition.id, error.message);
      if (running && watched.get(definition.id) === probe) tell(probe, redactText(sentenceOf(error)));
    }
  }

  /** Here at once. The database that is told may be the one that the query still holds: nobody waits for it. */
  function suspend(probeId: string, suspendedWhy: string): void {
    schedule.suspend(probeId);
    ctx.database
      .update(probes)
      .set({ suspendedWhy })
      .where(eq(probes.id, probeId))
      .catch((error: unknown) =>
        ctx.log.warn({ probeId, err: error }, 'that a probe is suspended was not written down'),
      );
  }

  /** Logged when it changes, not every time. */
  function tell(probe: Watched, failure: string | null): void {
    const { id: probeId, pipelineId } = probe.definition;
    if (failure !== null && failure !== probe.failure)
      ctx.log.warn({ probeId, pipelineId, why: failure }, 'a probe cannot be read');
    if (failure === null && probe.failure !== null)
      ctx.log.info({ probeId, pipelineId }, 'a probe can be read again');
    probe.failure = failure;
  }

  function signalOf({ definition, measured, failure }: Watched, nowMs: number): ProbeSignal {
    const { id, title, target, worseWhen, failMode, intervalMs, timeoutMs } = definition;
    const ageMs = measured === null ? null : Math.max(0, nowMs - measured.atMs);
    const staleAfterMs = intervalMs + timeoutMs + LATE_MS;
    const late = ageMs !== null && ageMs > staleAfterMs ? 'it has not been read for too long' : null;
    return {
      title,
      reading: {
        name: id,
        value: failure === null && measured !== null ? measured.value : null,
        ageMs,
        staleAfterMs,
        target,
        worseWhen,
        failMode,
      },
      detail: failure ?? (measured === null ? 'it has not been read yet' : late),
    };
  }

  return {
    signals(pipelineId) {
      const nowMs = ctx.clock.monotonic();
      return [...watched.values()]
        .filter(({ definition }) => definition.pipelineId === pipelineId)
        .map((probe) => signalOf(probe, nowMs));
    },
    load,
    reload,
    start() {
      running = true;
      reloadTimer = setInterval(() => void reload(), RELOAD_EVERY_MS).unref();
      takeTurns();
    },
    async stop() {
      running = false;
      clearTimeout(turnTimer);
      clearInterval(reloadTimer);
      const attempts = [...watched.values()].flatMap(({ attempt }) => attempt ?? []);
      for (const { abort } of attempts) abort.abort();
      const { promise: waited, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, STOP_WAIT_MS);
      await Promise.race([Promise.allSettled(attempts.map(({ ended }) => ended)), waited]);
      clearTimeout(timer);
    },
  };
}

/** Rejects at the timeout, also should the attempt not heed its signal. */
async function withinTime(definition: ProbeRow, abort: AbortController): Promise<number> {
  const { promise: given, reject } = Promise.withResolvers<never>();
  abort.signal.addEventListener('abort', () => reject(abort.signal.reason), { once: true });
  const { timeoutMs } = definition;
  const endAfter = (ms: number, why: ProbeFailure) => setTimeout(() => abort.abort(why), ms);
  const beganMs = performance.now();
  let timer = endAfter(timeoutMs, new ProbeFailure(`no answer within ${timeoutMs} ms`));
  const embedded = () => {
    clearTimeout(timer);
    const leftMs = timeoutMs - Math.round(performance.now() - beganMs);
    const holdMs = Math.min(EMBEDDED_MOST_MS, Math.max(EMBEDDED_LEAST_MS, leftMs));
    timer = endAfter(holdMs, tooLongForEmbedded(holdMs));
  };
  try {
    return await Promise.race([read(definition, abort.signal, embedded), given]);
  } finally {
    clearTimeout(timer);
  }
}

function tooLongForEmbedded(holdMs: number): ProbeSuspension {
  return new ProbeSuspension(
    `suspended until it is made anew: its query took the embedded database, which cannot be interrupted, more than ${holdMs} ms`,
  );
}

async function read(definition: ProbeRow, signal: AbortSignal, embedded: () => void): Promise<number> {
  const { kind, url, timeoutMs } = definition;
  const query = definition.query ?? '';
  if (kind === 'sql') return readSql({ url, query, timeoutMs, embedded }, signal);
  if (kind === 'promql') return readPromQl({ url, query }, signal);
  return readHttpJson({ url, pointer: definition.pointer ?? '' }, signal);
}
