import type { Backfill } from '@spillway/shared/api/backfill';
import type { TelemetryEvent } from '@spillway/shared/api/events';
import type { Alert } from '@spillway/shared/api/governor';
import type { Pipeline } from '@spillway/shared/api/pipeline';
import type { Role } from '@spillway/shared/api/session';
import type {
  Identity,
  ReportStatistics,
  Tick,
  WorkerPush,
  WorkerRole,
} from '@spillway/shared/api/worker-protocol';
import type { SignalReading } from '@spillway/shared/governor/signals';
import type { EventRange } from '@spillway/shared/quote/event-range';
import type { Database } from './database/database.ts';
import type { PipelineRow } from './pipelines/rows.ts';
import type { DrillUnderWay, PipelineObservation } from './telemetry/observation.ts';

/** Who asks. Commands write it into the audit. */
export interface Actor {
  readonly name: string;
  readonly role: Role;
  /** Remote address; null for the system itself. */
  readonly address: string | null;
  readonly origin: 'operator' | 'automation' | 'system';
}

export interface Clock {
  /** Wall clock, epoch ms: for what people read. Deadlines go by the database's clock. */
  now(): number;
  /** Monotonic ms: for intervals. */
  monotonic(): number;
}

/** The store as the control plane may see it: answers about buckets, never an event. The store adapter satisfies it. */
export interface StoreView {
  buckets(request: {
    readonly sourceIds: readonly string[];
    readonly range: { readonly from: number; readonly to: number };
    readonly key: string | null;
    readonly limit: number;
    readonly after: { readonly start: number; readonly key: string; readonly sourceId: string } | null;
  }): Promise<
    readonly {
      sourceId: string;
      key: string;
      start: number;
      count: number;
      sum: string;
      min: number;
      max: number;
      hash: string;
      version: number;
    }[]
  >;
  coverage(request: {
    readonly sourceIds: readonly string[];
    readonly range: { readonly from: number; readonly to: number };
    readonly stepMs: number;
  }): Promise<readonly { readonly start: number; readonly stored: number }[]>;
  watermarks(): Promise<Readonly<Record<string, number>>>;
  quarantine(
    backfillId: string,
    limit: number,
  ): Promise<readonly { sourceId: string; address: string; code: string; detail: string }[]>;
  identity(): Promise<Identity>;
}

/** For fire drills: really holds up every writer of the store. */
export interface StoreStall {
  /**
   * Takes the lock, tells `stalled`, and gives it back after `forMs` or when the signal aborts, whichever comes first. The lock ends with
   * its connection, so a killed process releases it, and the database gives it back by itself soon after `forMs` even from a process
   * that is frozen. Rejects when the lock was not had within five seconds (then nothing was held).
   */
  stall(request: {
    readonly forMs: number;
    readonly signal: AbortSignal;
    readonly stalled: () => void;
  }): Promise<void>;
}

/** Pushes to joined workers (SSE). Delivery is best effort: whatever matters is also in the answer to the next tick. */
export interface WorkerHub {
  push(workerId: string, message: WorkerPush): void;
  /** To every connected worker of a role. */
  broadcast(role: 'replay' | 'apply' | 'feed', message: WorkerPush): void;
  subscribe(workerId: string, listener: (message: WorkerPush) => void): () => void;
}

/** What browsers are told (SSE `/v1/events`). */
export interface Changes {
  publish(change: Change): void;
  subscribe(listener: (change: Change) => void): () => void;
}
export type Change =
  | { readonly event: 'telemetry'; readonly data: TelemetryEvent }
  | { readonly event: 'backfill'; readonly data: { readonly backfill: Backfill } }
  | { readonly event: 'alert'; readonly data: { readonly alert: Alert } }
  | { readonly event: 'pipeline'; readonly data: { readonly pipeline: Pipeline } }
  | { readonly event: 'pipeline_removed'; readonly data: { readonly pipelineId: string } };

/** Event counts of the sources, in memory. */
export interface Statistics {
  /** Events of `[from, to)`, exactly; null while the source has not been counted, or when its counts are estimates. */
  expectedEvents(sourceId: string, range: { readonly from: number; readonly to: number }): number | null;
  /** With bounds, which differ where the range cuts a step of the counts, and lie wide apart where these are estimates. Null: nobody has looked. */
  eventRange(
    sourceId: string,
    range: { readonly from: number; readonly to: number },
  ): (EventRange & { readonly estimated?: boolean }) | null;
  record(body: ReportStatistics): Promise<void>;
  /** Of a source that is no more, or is another. */
  forget(sourceId: string): void;
}

/** The last seconds, in memory, and their history in the database. */
export interface Telemetry {
  observeTick(workerId: string, role: WorkerRole, tick: Tick): void;
  /** The pipelines as they are set now: what is not among them is not observed. */
  observePipelines(rows: readonly PipelineRow[]): void;
  /** Events/s granted to the leases of each backfill of the pipeline at this pass of the governor. */
  observeGrants(pipelineId: string, byBackfill: ReadonlyMap<string, number>): void;
  /** Events that the attempts of each unfinished backfill of the pipeline have published so far, absolute; once a pass, also when there is none. */
  observePublished(pipelineId: string, byBackfill: ReadonlyMap<string, number>): void;
  /** The fire drill of the pipeline, from the moment its store stands still. Null: it is over. */
  observeDrill(pipelineId: string, drill: DrillUnderWay | null): void;
  /** Over the last two seconds; null when nothing is known. */
  rates(backfillId: string): {
    readonly publishedEventsPerSecond: number | null;
    readonly appliedEventsPerSecond: number | null;
  };
  latest(pipelineId: string): TelemetryEvent | null;
  /** It has been removed: nothing more is told of it, and the next of its name begins anew. */
  forget(pipelineId: string): Promise<void>;
  /** What the workers last reported, at most a tick old; null for an unknown pipeline. */
  observation(pipelineId: string): PipelineObservation | null;
  /** What whoever applies live last said that it has seen, ms; null: nobody can say. */
  liveFreshnessMsP99(): number | null;
  /** The event time live has reached, by source, as last reported. Empty until then. */
  watermarks(): Readonly<Record<string, number>>;
}

/** The users' own signals, as last read. */
export interface ProbeReadings {
  signals(pipelineId: string): readonly ProbeSignal[];
  /** After one was made or removed: they are read again. Never fails. */
  reload(): Promise<void>;
}
export interface ProbeSignal {
  readonly title: string;
  /** Its name is the probe's id. */
  readonly reading: SignalReading;
  /** Why it is unknown, in words; null when it is not. */
  readonly detail: string | null;
}

export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What every command and query of the control plane is given. Made once, in `server.ts`. */
export interface ControlContext {
  readonly database: Database;
  readonly clock: Clock;
  readonly store: StoreView & StoreStall;
  readonly workers: WorkerHub;
  readonly changes: Changes;
  readonly statistics: Statistics;
  readonly telemetry: Telemetry;
  readonly probes: ProbeReadings;
  readonly log: Log;
}
