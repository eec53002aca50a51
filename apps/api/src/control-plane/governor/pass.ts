/** One pass of the governor: sweep, schedule, look, decide, divide, grant. The deciding is in `packages/shared`. */
import type { Effective } from '@spillway/shared/api/backfill';
import { askedShare } from '@spillway/shared/backfill/asked-rate';
import { slotWaits } from '@spillway/shared/backfill/slots';
import { withoutStore } from '@spillway/shared/cost/coefficients';
import { RecentGrants } from '@spillway/shared/cost/recent-grants';
import { decide, withoutWorker } from '@spillway/shared/governor/decide';
import { followDemand } from '@spillway/shared/governor/demand';
import { dividePipeline } from '@spillway/shared/governor/divide-pipeline';
import type { Guard } from '@spillway/shared/governor/guard';
import { askedLimitsOf } from '../backfill/asked-limits.ts';
import { pushStop } from '../backfill/command.ts';
import { eventsHandled } from '../backfill/events-done.ts';
import { settleThrottles } from '../backfill/receipts.ts';
import type { ControlContext, Telemetry } from '../context.ts';
import { coefficientsOf } from '../cost/finished-runs.ts';
import { holdBudgets } from '../cost/hold-budgets.ts';
import { type BudgetLook, lookAtBudgets } from '../cost/look-at-budgets.ts';
import { meterBook } from '../cost/meter-book.ts';
import { tellSettings } from '../pipelines/push-settings.ts';
import { presentPipelines } from '../pipelines/rows.ts';
import { type PipelineObservation, usedByReplay } from '../telemetry/observation.ts';
import { sweepExpiredLeases } from '../workers/lost-leases.ts';
import { promoteStandbys } from '../workers/membership.ts';
import { type Governed, readGoverned } from './governed.ts';
import type { BookSight } from './grant-book.ts';
import { leasesToCallBack } from './lease-users.ts';
import { lookAtPipelines } from './look.ts';
import { type GovernorMemory, governorMemory } from './memory.ts';
import { pushGrants } from './push-grants.ts';
import { schedule, slotLanes, waitsForIsolated } from './schedule.ts';

/** A worker that has heard nothing for this long is told its grant again, though it stands. */
const REPEAT_GRANT_MS = 1_000;

/** What the governor tells of its own doing. */
export type GovernorTelemetry = Pick<Telemetry, 'observePipelines' | 'observeGrants' | 'observePublished'>;

/** Returns what it governed, as it stood. */
export async function governorPass(
  ctx: ControlContext,
  telemetry: GovernorTelemetry,
): Promise<readonly Governed[]> {
  const memory = governorMemory(ctx);
  for (const workerId of await promoteStandbys(ctx)) void tellSettings(ctx, workerId);
  await sweepExpiredLeases(ctx);
  const openThrottles = memory.throttles.commands();
  let sight = memory.grants.sight();
  let governed = await readGoverned(ctx);
  if (await schedule(ctx, governed)) {
    sight = memory.grants.sight();
    governed = await readGoverned(ctx);
  }
  reconcileLeases(memory, governed, sight.leaseIds);
  repeatStops(ctx, governed);
  const rows = await presentPipelines(ctx.database);
  telemetry.observePipelines(rows);
  const running = governed.filter(({ state }) => state === 'running');
  memory.demands = demandsOf(ctx, memory, governed);
  lookAtPipelines(ctx, memory, rows, new Set(running.map(({ pipelineId }) => pipelineId)));
  followGrants(ctx, memory, governed, sight);
  const budgets = lookAtBudgets(ctx, governed, await prepareMeters(ctx, governed), { ...memory, sight });
  memory.budgets = budgets;
  const woken = decideAll(memory, governed);
  pushStop(ctx, leasesToCallBack(ctx, memory, governed), 'called_back');
  const pipelineIds = new Set([
    ...governed.map((backfill) => backfill.pipelineId),
    ...memory.governedPipelines,
  ]);
  const changed = [...pipelineIds].flatMap((pipelineId) => memory.grants.distribute(pipelineId));
  pushGrants(ctx, [...new Set([...changed, ...memory.grants.unsentFor(REPEAT_GRANT_MS)])]);
  const published = Map.groupBy(governed, ({ pipelineId }) => pipelineId);
  // Of a pipeline without a backfill as well: that nothing is granted is known.
  for (const { id } of rows) {
    telemetry.observePublished(
      id,
      new Map((published.get(id) ?? []).map((backfill) => [backfill.id, backfill.eventsPublished])),
    );
    telemetry.observeGrants(id, memory.grants.grantedBy(id));
  }
  memory.governedPipelines = new Set(governed.map((backfill) => backfill.pipelineId));
  await followThrottles(ctx, memory, governed, openThrottles);
  await holdBudgets(ctx, governed, budgets);
  if (woken) ctx.workers.broadcast('replay', { type: 'wake' });
  return governed;
}

/** What each may have used since the pass before: what was decided, or is still granted. */
function followGrants(
  { clock, telemetry }: ControlContext,
  { decisions, recentGrants }: GovernorMemory,
  governed: readonly Governed[],
  { backfills }: BookSight,
): void {
  const atMs = clock.monotonic();
  const atWork = governed.filter(({ state }) => state !== 'queued');
  const ids = new Set(atWork.map(({ id }) => id));
  for (const id of recentGrants.keys()) if (!ids.has(id)) recentGrants.delete(id);
  for (const backfill of atWork) {
    const { id, pipelineId, leases, eventsPublished } = backfill;
    const seen = telemetry.observation(pipelineId);
    const waiting = seen === null ? null : waitingToBeApplied(seen);
    const known = { eventsPublished, eventsHandled: eventsHandled(backfill, backfill.external), waiting };
    let recent = recentGrants.get(id);
    if (recent === undefined) {
      recentGrants.set(id, (recent = new RecentGrants()));
      // Whoever published for it has told how much with its last tick or when its lease ended; a lease that was lost is over by now.
      if (leases.length === 0)
        recent.observe({ atMs: Number.NEGATIVE_INFINITY, eventsPerSecond: 0, ...known });
    }
    const eventsPerSecond = Math.max(
      decisions.get(id)?.eventsPerSecond ?? 0,
      backfills.get(id)?.usedAtMost ?? 0,
    );
    recent.observe({ atMs, eventsPerSecond, ...known });
  }
}

/** What an event costs each pipeline that has a budget to keep, as far as it has been learned. */
async function prepareMeters(ctx: ControlContext, governed: readonly Governed[]) {
  for (const pipelineId of new Set(governed.map((backfill) => backfill.pipelineId)))
    await meterBook(ctx).load(pipelineId);
  const limited = governed.filter(({ budgetAmount }) => budgetAmount !== null);
  const learned = new Map<string, Awaited<ReturnType<typeof coefficientsOf>>>();
  for (const { pipelineId, external } of limited) {
    if (learned.has(pipelineId)) continue;
    const coefficients = await coefficientsOf(ctx, pipelineId);
    learned.set(pipelineId, external ? withoutStore(coefficients) : coefficients);
  }
  return learned;
}

/** The book after the database: `before` are the leases it knew when the database was read, so that one granted since is not taken for lost. */
function reconcileLeases(
  { grants, throttles }: GovernorMemory,
  governed: readonly Governed[],
  before: readonly string[],
): void {
  const held = new Set<string>();
  for (const { id: backfillId, pipelineId, leases } of governed) {
    for (const { id: leaseId, kind, workerId } of leases) {
      held.add(leaseId);
      grants.adopt({ leaseId, backfillId, pipelineId, workerId, kind });
    }
  }
  for (const leaseId of before.filter((known) => !held.has(known))) {
    grants.close(leaseId);
    throttles.gone(leaseId);
  }
}

/** A push may have been lost with its connection: what should have stopped is told again until it has. */
function repeatStops(ctx: ControlContext, governed: readonly Governed[]): void {
  for (const { state, holds, leases } of governed) {
    if (state === 'cancelling') pushStop(ctx, leases, 'cancel');
    else if (state === 'pausing' || holds.length > 0) pushStop(ctx, leases, 'pause');
  }
}

/** What each can use of what it was granted. One without work has no demand to be seen. */
function demandsOf(
  { clock }: ControlContext,
  { demands, grants }: GovernorMemory,
  governed: readonly Governed[],
): GovernorMemory['demands'] {
  const nowMs = clock.monotonic();
  const pipelineIds = new Set(governed.map(({ pipelineId }) => pipelineId));
  const granted = new Map([...pipelineIds].flatMap((pipelineId) => [...grants.grantedBy(pipelineId)]));
  return new Map(
    governed
      .filter((backfill) => backfill.state === 'running' && hasWork(backfill))
      .map(({ id, eventsPublished }) => [
        id,
        followDemand(
          { nowMs, eventsPublished, grantedEventsPerSecond: granted.get(id) ?? 0 },
          demands.get(id) ?? null,
        ),
      ]),
  );
}

/** True when a backfill that stood still may run now. */
function decideAll(memory: GovernorMemory, governed: readonly Governed[]): boolean {
  const decisions = new Map<string, Effective>();
  let woken = false;
  for (const [pipelineId, backfills] of Map.groupBy(governed, (backfill) => backfill.pipelineId)) {
    const guard = memory.looks.get(pipelineId)?.guard;
    // Made since the pipelines were read: it is governed from the next pass on.
    if (guard === undefined) continue;
    const waits = slotWaits(slotLanes(backfills), backfills[0]?.maxSourcesReplaying ?? 0);
    for (const backfill of backfills) {
      if (backfill.state === 'verifying') {
        // A proof needs no rate, but it needs somebody.
        if (backfill.replayWorkers === 0) decisions.set(backfill.id, stoodStill(backfill));
        continue;
      }
      const budget = memory.budgets.get(backfill.id);
      const slotWait = waitsForIsolated(backfill) ? null : (waits.get(backfill.id) ?? null);
      decisions.set(backfill.id, decideOne(backfill, slotWait, guard, budget));
    }
    const running = backfills.filter((backfill) => backfill.state === 'running' && hasWork(backfill));
    const divided = dividePipeline(
      backfills[0]?.capacityEventsPerSecond ?? null,
      running.map((backfill) => ({
        backfillId: backfill.id,
        priority: backfill.priority,
        decision: decisions.get(backfill.id) as Effective,
        share: askedShare(askedLimitsOf(backfill), backfill),
        demand: memory.demands.get(backfill.id)?.demand ?? null,
      })),
    );
    for (const [backfillId, effective] of divided) {
      decisions.set(backfillId, effective);
      if (effective.eventsPerSecond > 0 && memory.grants.planned(pipelineId, backfillId) === 0) woken = true;
    }
    const rates = new Map(
      [...divided].map(([backfillId, effective]) => [backfillId, effective.eventsPerSecond]),
    );
    memory.grants.setPlan(pipelineId, {
      eventsPerSecond: [...rates.values()].reduce((total, rate) => total + rate, 0),
      backfills: rates,
    });
  }
  for (const pipelineId of memory.governedPipelines) {
    if (!governed.some((backfill) => backfill.pipelineId === pipelineId))
      memory.grants.setPlan(pipelineId, { eventsPerSecond: 0, backfills: new Map() });
  }
  memory.decisions.clear();
  for (const [backfillId, decision] of decisions) memory.decisions.set(backfillId, decision);
  return woken;
}

function decideOne(
  backfill: Governed,
  slotWait: string | null,
  guard: Guard,
  budget: BudgetLook | undefined,
): Effective {
  return decide({
    state: backfill.state,
    holds: backfill.holds,
    replayPaused: backfill.replayPaused,
    staggered: backfill.staggered,
    slotWait,
    // What the attempts failed by, where it is known, says more than that they wait.
    retryWait:
      backfill.state === 'running' &&
      !hasWork(backfill) &&
      backfill.waitingRuns > 0 &&
      guard.hardStop === null &&
      backfill.replayWorkers > 0,
    limits: askedLimitsOf(backfill),
    pipeline: {
      capacityEventsPerSecond: backfill.capacityEventsPerSecond,
      replayShare: backfill.replayShare,
    },
    replayWorkers: backfill.replayWorkers,
    isolated: backfill.isolated,
    budget:
      budget === undefined
        ? null
        : { eventsPerSecond: budget.verdict.eventsPerSecond, detail: budget.detail },
    guard,
  });
}

function stoodStill(backfill: Governed): Effective {
  const ceiling = withoutWorker(backfill);
  return { eventsPerSecond: 0, binding: ceiling.reason, ceilings: [ceiling] };
}

/** What is published and waits to be applied, or waits after a failure, needs no rate: others may use it. */
function hasWork(backfill: Governed): boolean {
  return (
    backfill.leases.length > 0 ||
    backfill.readyRuns > 0 ||
    backfill.lanes.some((lane) => lane.slotHeld && !lane.nothingNew)
  );
}

/** A throttle waits for the grants of this pass, if its limits were read by it. */
async function followThrottles(
  ctx: ControlContext,
  { grants, throttles }: GovernorMemory,
  governed: readonly Governed[],
  openBefore: ReadonlySet<string>,
): Promise<void> {
  const ended = throttles.backfills();
  for (const backfill of governed) {
    ended.delete(backfill.id);
    // Of an earlier process of this api: it waits for the first grants of this one.
    for (const commandId of backfill.openThrottles) throttles.open(commandId, backfill.id);
    const read = openBefore.union(new Set(backfill.openThrottles));
    const sequences = read.size > 0 ? grants.newestSequences(backfill.id) : null;
    if (sequences !== null) throttles.granted(backfill.id, read, sequences);
  }
  for (const backfillId of ended) throttles.granted(backfillId, openBefore, new Map());
  const settled = throttles.settled();
  if (settled.length === 0) return;
  await ctx.database.transaction((tx) => settleThrottles(tx, settled));
  throttles.close(settled);
}

/** Entries. A look that is too old to say where the stream ends says nothing of what waits there, either. */
function waitingToBeApplied(seen: PipelineObservation): number | null {
  const report = usedByReplay(seen);
  const isOld = (seen.external ?? null) === null && report?.lastOffset === undefined;
  return isOld ? null : (report?.lagEntries ?? null);
}
