/** What the checklist is answered from: settings, and what the system has measured of itself. Null is not known, never 0. */
import type { PriceBook } from '@spillway/shared/api/cost';
import type { Alert, Drill, Signal } from '@spillway/shared/api/governor';
import type { StreamResource } from '@spillway/shared/api/pipeline';
import type { ReadinessItem } from '@spillway/shared/api/readiness';
import type { WorkerRole } from '@spillway/shared/api/worker-protocol';
import type { EventRange } from '@spillway/shared/quote/event-range';
import type { Retention } from '@spillway/shared/quote/stream-plan';
import type { Static } from 'typebox';
import type { PipelineRow } from '../pipelines/rows.ts';

export interface ReadinessFacts {
  /** Epoch ms. */
  readonly nowMs: number;
  readonly pipeline: Pick<
    PipelineRow,
    | 'capacityEventsPerSecond'
    | 'capacityOrigin'
    | 'capacityMeasuredAt'
    | 'measuredEventsPerSecond'
    | 'replayShare'
    | 'replayFloor'
    | 'signals'
    | 'reconnectStaggerMs'
    | 'maxSourcesReplaying'
    | 'highWaterMark'
    | 'route'
    | 'routeDecision'
    /** Null: live is not the demo's. */
    | 'liveEventsPerSecond'
  >;
  /** Of the unfinished backfills. */
  readonly limits: readonly {
    readonly backfillId: string;
    readonly eventsPerSecond: number | null;
    readonly share: number | null;
  }[];
  /** Source slots held now. */
  readonly slotsHeld: number;
  /** Runs of subwindows under lease now. */
  readonly leases: number;
  /** Null: the governor has not looked in the last seconds. */
  readonly signals: readonly Signal[] | null;
  /** What arrives or is applied of live, the larger of the two. */
  readonly liveEventsPerSecond: number | null;
  /** The one that replay uses; null: no applier has reported it. `retention` null: it drops nothing that is not applied. */
  readonly stream: (Static<typeof StreamResource> & { readonly keeps: Retention | null }) | null;
  /** Newest first. */
  readonly drills: readonly Drill[];
  /** Consumers and store are the user's own. Absent: they are ours. */
  readonly external?: boolean;
  readonly sources: readonly SourceFact[];
  readonly priceBook: PriceBook | null;
  readonly queuedReconnects: number;
  /** Of finished backfills, newest first. */
  readonly proofs: readonly ProofFact[];
  readonly workers: Readonly<Record<WorkerRole, RoleFact>>;
  /** The newest first. */
  readonly raisedAlerts: readonly Pick<Alert, 'detail' | 'raisedAt'>[];
  /** There are others. */
  readonly moreAlerts: boolean;
  /** When the last one was cleared, epoch ms. */
  readonly alertClearedAt: number | null;
  /** The oldest and the newest second on record, epoch ms. */
  readonly recorded: { readonly from: number; readonly to: number } | null;
  /** Neither revoked nor expired: when each ends, epoch ms. */
  readonly tokenEnds: readonly number[];
}

export interface SourceFact {
  readonly id: string;
  readonly failure: string | null;
  /** Null: nobody has counted. */
  readonly counted: {
    readonly atMs: number;
    readonly exact: boolean;
    readonly events: EventRange | null;
  } | null;
}

export interface ProofFact {
  readonly backfillId: string;
  readonly state: 'matched' | 'mismatched' | 'unavailable';
  readonly bucketsChecked: number;
  readonly endedAtMs: number;
}

/** Heard within the last seconds. */
export interface RoleFact {
  readonly working: number;
  readonly standby: number;
  /** Since the last tick of one that works, ms; null: none does. */
  readonly heardMs: number | null;
}

/** `setting`: another place than the question's own; null: there is none. */
export type Answer = Pick<ReadinessItem, 'answer' | 'evidence'> & { readonly setting?: string | null };

export const yes = (evidence: string): Answer => ({ answer: 'yes', evidence });
export const no = (evidence: string, setting?: string): Answer => ({
  answer: 'no',
  evidence,
  ...(setting === undefined ? {} : { setting }),
});
export const unknown = (evidence: string, setting?: string | null): Answer => ({
  answer: 'unknown',
  evidence,
  ...(setting === undefined ? {} : { setting }),
});

/** What was measured or tried longer ago says what was, not what is. */
export const EVIDENCE_LASTS_MS = 30 * 86_400_000;
