/** Is the pipeline ready for a replay? The operational checklist, answered from the running system and not from a form. */
import { type Static, Type } from 'typebox';
import { Count, Id, Nullable, strict, Timestamp } from './primitives.ts';

/** `unknown`: it was not measured, or too long ago to say. Never a guess. */
const readinessAnswers = ['yes', 'no', 'unknown'] as const;
export type ReadinessAnswer = (typeof readinessAnswers)[number];

export const readinessGroups = ['rate', 'live', 'streams', 'backfills', 'operation'] as const;
export type ReadinessGroup = (typeof readinessGroups)[number];

/** In the order in which they are answered. */
export const readinessIds = [
  'rate_explicit',
  'concurrency_bounded',
  'floor_below_share',
  'capacity_known',
  'live_fresh',
  'live_first',
  'signals_read',
  'stall_stops_replay',
  'backpressure_reaches_reader',
  'stream_holds_peak',
  'pause_is_safe',
  'history_counted',
  'cost_known',
  'reconnects_bounded',
  'proof_matched',
  'workers_present',
  'workers_spare',
  'alerts_quiet',
  'telemetry_kept',
  'tokens_last',
] as const;
export type ReadinessId = (typeof readinessIds)[number];

export const ReadinessItem = Type.Object(
  {
    id: Type.Enum([...readinessIds]),
    group: Type.Enum([...readinessGroups]),
    question: Type.String(),
    answer: Type.Enum([...readinessAnswers]),
    /** What is set and what was measured, in words, with units and ages. Of an `unknown`: what is missing. */
    evidence: Type.String(),
    /** Screen and anchor where the answer can be changed, `/pipeline?pipeline=flights#replay-share`; null: no screen can. */
    setting: Nullable(Type.String()),
  },
  strict,
);
export type ReadinessItem = Static<typeof ReadinessItem>;

export const Readiness = Type.Object(
  {
    pipelineId: Id,
    at: Timestamp,
    counts: Type.Object({ yes: Count, no: Count, unknown: Count }, strict),
    items: Type.Array(ReadinessItem),
  },
  strict,
);
export type Readiness = Static<typeof Readiness>;
