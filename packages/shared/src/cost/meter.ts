/**
 * The meter: absolute counters in, use of each account out. What a series has told is counted once, however often, late or seldom it is told.
 *
 *     series    one life of a counter: a worker process, an attempt under one fencing token. Begins at zero at `startedAtMs`; a restart is
 *               a new series. Its ticks have rising sequences; one that is not newer than the last is ignored.
 *     delta     counter − what this series had counted before, spread evenly over the time since then (slots.ts)
 *     own       counters of one account, measured
 *     shared    counters of a process that served several (log, CPU): each delta is divided in proportion to the rows that each account attempted
 *               since that counter last moved (some are read less often than others), where a process attempts none to the events it read, and
 *               marked `apportioned`; with neither it is live's: the process is there for it
 *
 * Totals are exact: the sum over all accounts is what was counted, to the last unit. State and totals are one value, to be stored in one
 * transaction; what a crash loses is what came after the last store, and the next tick, being absolute, makes up for it.
 */
import type { PriceBook } from '../api/cost.ts';
import type { MeteredUsage } from './items.ts';
import { absorbedIn, endOfSlot, LIVE, SLOT_MS, slotOf, spreadOver } from './slots.ts';
import { addUsage, apportion, type Usage, type UsageCounter, usageCounters } from './usage.ts';

/** A slot is settled so long after its end: ticks of other workers may still be under way. Later ones count in the oldest open slot. */
export const GRACE_MS = 5_000;

export interface Observation {
  readonly series: string;
  readonly sequence: number;
  /** When the series began, and when this was counted, epoch ms. On one clock: the api's, at receipt. */
  readonly startedAtMs: number;
  readonly atMs: number;
  /** Absolute, by account. */
  readonly own: Readonly<Record<string, Usage>>;
  /** Absolute; empty: nothing is shared. */
  readonly shared: Usage;
}

interface SeriesSeen {
  readonly sequence: number;
  readonly atMs: number;
  readonly own: Readonly<Record<string, Usage>>;
  readonly shared: Usage;
  /** What each account had done when the shared counter last moved. */
  readonly movedAt: Readonly<Partial<Record<UsageCounter, Readonly<Record<string, Usage>>>>>;
}

export interface MeterState {
  readonly series: Readonly<Record<string, SeriesSeen>>;
  /** Slots that are settled, by account. */
  readonly settled: Readonly<Record<string, MeteredUsage>>;
  /** Use within slots that are not, by the slot's begin: of a minute in which what is provisioned changed, the moment of the change. */
  readonly open: Readonly<Record<string, Readonly<Record<string, Usage>>>>;
  /** Slots that begin before this are settled, epoch ms. */
  readonly settledUntilMs: number;
}

export const emptyMeter: MeterState = { series: {}, settled: {}, open: {}, settledUntilMs: 0 };
const nothing: MeteredUsage = { total: {}, absorbed: {}, apportioned: [] };

export function observe(state: MeterState, seen: Observation): MeterState {
  const before = state.series[seen.series];
  if (before !== undefined && seen.sequence <= before.sequence) return state;
  const own = mapped(seen.own, (usage, account) => since(usage, before?.own[account]));
  const counted = {
    ...before?.own,
    ...mapped(seen.own, (usage, account) => ({ ...before?.own[account], ...usage })),
  };
  const moved = since(seen.shared, before?.shared);
  const shared = divided(moved, counted, before?.movedAt ?? {});
  const fromMs = before?.atMs ?? seen.startedAtMs;
  const open = { ...state.open };
  for (const account of new Set([...Object.keys(own), ...Object.keys(shared)])) {
    const delta = addUsage(own[account] ?? {}, shared[account] ?? {});
    if (isNothing(delta, before?.own[account])) continue;
    for (const { slot, use } of spreadOver(delta, Math.min(fromMs, seen.atMs), seen.atMs)) {
      const key = String(Math.max(slot, state.settledUntilMs));
      open[key] = { ...open[key], [account]: addUsage(open[key]?.[account] ?? {}, use) };
    }
  }
  return {
    ...state,
    series: {
      ...state.series,
      [seen.series]: {
        sequence: seen.sequence,
        atMs: Math.max(fromMs, seen.atMs),
        own: counted,
        shared: { ...before?.shared, ...seen.shared },
        movedAt: { ...before?.movedAt, ...weightsNow(moved, counted) },
      },
    },
    settled: marked(state.settled, shared),
    open,
  };
}

/** When it last heard of anybody, epoch ms; 0: never. */
export function heardAtMs({ series }: MeterState): number {
  return Math.max(0, ...Object.values(series).map(({ atMs }) => atMs));
}

/** Settles the slots that are over. `provisioned`: as the price book has it now. */
export function settle(state: MeterState, provisioned: PriceBook['provisioned'], nowMs: number): MeterState {
  return settleUntil(state, provisioned, { dueMs: slotOf(nowMs - GRACE_MS), nowMs });
}

/**
 * Settles all that was used until what is provisioned changes. `provisioned`: as it was until then. The rest of the minute is a slot of its own,
 * with what its time has of the new amounts.
 */
export function settleBeforeChange(
  state: MeterState,
  provisioned: PriceBook['provisioned'],
  changedMs: number,
): MeterState {
  return settleUntil(state, provisioned, { dueMs: changedMs, nowMs: changedMs });
}

function settleUntil(
  state: MeterState,
  provisioned: PriceBook['provisioned'],
  { dueMs, nowMs }: { readonly dueMs: number; readonly nowMs: number },
): MeterState {
  // A clock that was set back: these minutes come again, with the capacity that is there in them.
  const isAhead = state.settledUntilMs > nowMs + SLOT_MS;
  const due = isAhead ? dueMs : Math.max(state.settledUntilMs, dueMs);
  const settled = { ...state.settled };
  const open: Record<string, Readonly<Record<string, Usage>>> = {};
  for (const [slot, use] of Object.entries(state.open)) {
    if (Number(slot) >= due) open[slot] = use;
    else addTo(settled, use, absorbedIn(use, provisioned, passedOf(Number(slot), nowMs)));
  }
  return { ...state, settled, open, settledUntilMs: due };
}

/** How much of a slot has passed, ms. */
function passedOf(slot: number, nowMs: number): number {
  return Math.max(0, Math.min(endOfSlot(slot), nowMs) - slot);
}

/** What an account has used until now: settled slots, and open ones as they stand. */
export function meteredOf(
  state: MeterState,
  account: string,
  provisioned: PriceBook['provisioned'],
  nowMs: number,
): MeteredUsage {
  const usage: Record<string, MeteredUsage> = { [account]: state.settled[account] ?? nothing };
  for (const [slot, use] of Object.entries(state.open)) {
    if (use[account] === undefined) continue;
    addTo(usage, { [account]: use[account] }, absorbedIn(use, provisioned, passedOf(Number(slot), nowMs)));
  }
  return usage[account] ?? nothing;
}

/** Series that will not be heard of again (a process that is gone, a lease that is over): what they told stays counted. */
export function forgetSeries(state: MeterState, gone: (series: string) => boolean): MeterState {
  const kept = Object.entries(state.series).filter(([series]) => !gone(series));
  return { ...state, series: Object.fromEntries(kept) };
}

/** A series that was forgotten speaks again: what it tells now was counted then, and only what comes after it is new. */
export function recall(state: MeterState, { series, sequence, atMs, own, shared }: Observation): MeterState {
  const movedAt = weightsNow(shared, own);
  return { ...state, series: { ...state.series, [series]: { sequence, atMs, own, shared, movedAt } } };
}

/** Accounts that will have no more use, to be kept elsewhere: all their slots are settled. */
export function takeAccounts(
  state: MeterState,
  gone: ReadonlySet<string>,
): { readonly state: MeterState; readonly taken: Readonly<Record<string, MeteredUsage>> } {
  const open = new Set(Object.values(state.open).flatMap((use) => Object.keys(use)));
  const leaves = (account: string) => gone.has(account) && !open.has(account);
  const without = <T>(of: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(of).filter(([account]) => !leaves(account)));
  const taken = Object.fromEntries(Object.entries(state.settled).filter(([account]) => leaves(account)));
  const series = Object.entries(state.series).map(([name, seen]) => {
    const moved = Object.entries(seen.movedAt).map(([counter, at]) => [counter, without(at)]);
    return [name, { ...seen, own: without(seen.own), movedAt: Object.fromEntries(moved) }];
  });
  return { state: { ...state, settled: without(state.settled), series: Object.fromEntries(series) }, taken };
}

/** No use, and of no counter that is new: a zero that is told for the first time is known from then on. */
function isNothing(delta: Usage, known: Usage | undefined): boolean {
  return usageCounters.every(
    (counter) => delta[counter] === undefined || (delta[counter] === 0n && known?.[counter] !== undefined),
  );
}

/** A counter that fell, within one series, is a fault of who counts: what it shows now is counted from zero. */
function since(now: Usage, before: Usage | undefined): Usage {
  const delta: Partial<Record<UsageCounter, bigint>> = {};
  for (const counter of usageCounters) {
    const value = now[counter];
    if (value === undefined) continue;
    const last = before?.[counter] ?? 0n;
    delta[counter] = value >= last ? value - last : value;
  }
  return delta;
}

function divided(
  shared: Usage,
  counted: Readonly<Record<string, Usage>>,
  movedAt: SeriesSeen['movedAt'],
): Record<string, Usage> {
  const accounts = Object.keys(counted);
  const parts: Record<string, Usage> = {};
  for (const counter of usageCounters) {
    const whole = shared[counter];
    if (whole === undefined || whole === 0n) continue;
    const done = (what: UsageCounter) =>
      accounts.map((account) => since(counted[account] ?? {}, movedAt[counter]?.[account])[what] ?? 0n);
    const each = apportion(whole, done('rowsAttempted')) ?? apportion(whole, done('events'));
    if (each === null) parts[LIVE] = addUsage(parts[LIVE] ?? {}, { [counter]: whole });
    else
      for (const [index, account] of accounts.entries())
        if (each[index]) parts[account] = addUsage(parts[account] ?? {}, { [counter]: each[index] });
  }
  return parts;
}

function weightsNow(moved: Usage, counted: Readonly<Record<string, Usage>>): SeriesSeen['movedAt'] {
  const now = mapped(counted, ({ rowsAttempted = 0n, events = 0n }) => ({ rowsAttempted, events }));
  const counters = usageCounters.filter((counter) => (moved[counter] ?? 0n) > 0n);
  return Object.fromEntries(counters.map((counter) => [counter, now]));
}

function addTo(
  settled: Record<string, MeteredUsage>,
  use: Readonly<Record<string, Usage>>,
  absorbed: Readonly<Record<string, Usage>>,
): void {
  for (const [account, used] of Object.entries(use)) {
    const { total, absorbed: before, apportioned } = settled[account] ?? nothing;
    settled[account] = {
      total: addUsage(total, used),
      absorbed: addUsage(before, absorbed[account] ?? {}),
      apportioned,
    };
  }
}

function marked(
  settled: MeterState['settled'],
  shared: Readonly<Record<string, Usage>>,
): MeterState['settled'] {
  const marks = { ...settled };
  for (const [account, usage] of Object.entries(shared)) {
    const { apportioned, ...rest } = marks[account] ?? nothing;
    const added = (Object.keys(usage) as UsageCounter[]).filter((counter) => !apportioned.includes(counter));
    if (added.length > 0) marks[account] = { ...rest, apportioned: [...apportioned, ...added] };
  }
  return marks;
}

function mapped<T>(
  record: Readonly<Record<string, Usage>>,
  to: (usage: Usage, key: string) => T,
): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([key, usage]) => [key, to(usage, key)]));
}
