/**
 * What the control plane remembers between passes of the governor. One per control database, made on first use, and
 * dispensable: whatever matters is in the database, and a restarted api has it again within one pass.
 */
import type { Effective } from '@spillway/shared/api/backfill';
import type { ApplyLane, WorkerRole, WorkerTag } from '@spillway/shared/api/worker-protocol';
import type { RecentGrants } from '@spillway/shared/cost/recent-grants';
import type { DemandMemory } from '@spillway/shared/governor/demand';
import type { ControlContext } from '../context.ts';
import type { BudgetLook } from '../cost/look-at-budgets.ts';
import type { Database } from '../database/database.ts';
import { MarkersBeyond } from '../workers/markers-beyond.ts';
import { StreamSightings } from '../workers/stream-sightings.ts';
import { GrantBook } from './grant-book.ts';
import type { PipelineLook } from './looks.ts';
import { OpenThrottles } from './open-throttles.ts';

export interface Member {
  readonly role: WorkerRole;
  readonly tags: readonly WorkerTag[];
  /** Of a replay worker: how many it holds at a time. */
  readonly leasesMax: number | null;
  standby: boolean;
  /** Of an apply worker: what it was told to apply. Null: it joined an earlier process of this api, and has not said yet. */
  lanes: readonly ApplyLane[] | null;
  /** What an apply worker says of the store. */
  commitsSideBySide: boolean;
  /** Of its last tick; an older one is ignored. */
  sequence: number;
  lastTickMs: number;
  /** When that was last written down. */
  writtenMs: number;
}

export interface GovernorMemory {
  readonly grants: GrantBook;
  readonly throttles: OpenThrottles;
  /** The last decision on each unfinished backfill. */
  readonly decisions: Map<string, Effective>;
  /** What each running backfill has shown that it can use. */
  demands: ReadonlyMap<string, DemandMemory>;
  /** What each that has left the queue was granted in the last seconds. */
  readonly recentGrants: Map<string, RecentGrants>;
  /** Where the budgets of unfinished backfills stood at the last pass. */
  budgets: ReadonlyMap<string, BudgetLook>;
  /** What the last pass saw of each pipeline. */
  looks: ReadonlyMap<string, PipelineLook>;
  /** That the last pass saw an unfinished backfill of. */
  governedPipelines: ReadonlySet<string>;
  readonly members: Map<string, Member>;
  /** Of the streams of external pipelines. */
  readonly sightings: StreamSightings;
  /** Of Spillway's own streams. */
  readonly beyondEnd: MarkersBeyond;
  /** Runs a pass now: limits, brakes and new work should not wait for the next beat. Set by the loop. */
  trigger: () => void;
}

const memories = new WeakMap<Database, GovernorMemory>();

export function governorMemory(ctx: Pick<ControlContext, 'database' | 'clock'>): GovernorMemory {
  let memory = memories.get(ctx.database);
  if (memory === undefined) {
    memory = {
      grants: new GrantBook(ctx.clock),
      throttles: new OpenThrottles(),
      decisions: new Map(),
      demands: new Map(),
      recentGrants: new Map(),
      budgets: new Map(),
      looks: new Map(),
      governedPipelines: new Set(),
      members: new Map(),
      sightings: new StreamSightings(),
      beyondEnd: new MarkersBeyond(),
      trigger: () => {},
    };
    memories.set(ctx.database, memory);
  }
  return memory;
}
