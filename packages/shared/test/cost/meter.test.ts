import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  emptyMeter,
  forgetSeries,
  GRACE_MS,
  type MeterState,
  meteredOf,
  type Observation,
  observe,
  settle,
  settleBeforeChange,
} from '../../src/cost/meter.ts';
import { meterOfRecord, recordOfMeter } from '../../src/cost/meter-record.ts';
import { LIVE, SLOT_MS } from '../../src/cost/slots.ts';
import type { Usage, UsageCounter } from '../../src/cost/usage.ts';

const none = { cores: 0, storeOperationsPerSecond: 0, streamBytes: 0 };
const START = 1_800_000_000_000;
const END = START + 10 * SLOT_MS;

/** The applier of a run: live and one backfill at even rates, its CPU and log shared. Absolute, at any moment. */
const at = (atMs: number, sequence: number, series = 'apply-1', startedAtMs = START): Observation => {
  const ms = BigInt(atMs - startedAtMs);
  return {
    series,
    sequence,
    startedAtMs,
    atMs,
    own: { [LIVE]: { rowsAttempted: ms }, bf_1: { rowsAttempted: ms * 9n, rowsInserted: ms * 8n } },
    shared: { cpuMs: ms / 2n, walBytes: ms * 1_000n },
  };
};
const run = (observations: readonly Observation[], from: MeterState = emptyMeter) =>
  observations.reduce(observe, from);
const total = (state: MeterState, account: string, provisioned = none) =>
  meteredOf(state, account, provisioned, END).total;
const everything = (state: MeterState, counter: UsageCounter) =>
  ['live', 'bf_1', 'bf_2'].reduce((sum, account) => sum + (total(state, account)[counter] ?? 0n), 0n);

const moments = fc
  .uniqueArray(fc.integer({ min: 1, max: 10 * SLOT_MS - 1 }), { minLength: 1, maxLength: 20 })
  .map((offsets) => [...offsets.toSorted((a, b) => a - b).map((offset) => START + offset), END]);
const ticksAt = (times: readonly number[]) => times.map((atMs, index) => at(atMs, index + 1));

describe('the meter counts once', () => {
  test('what is counted does not depend on how many ticks told of it', () => {
    const once = run([at(END, 1)]);
    fc.assert(
      fc.property(moments, (times) => {
        const often = run(ticksAt(times));
        expect(total(often, 'bf_1').rowsAttempted).toBe(total(once, 'bf_1').rowsAttempted);
        for (const counter of ['cpuMs', 'walBytes', 'rowsAttempted'] as const)
          expect(everything(often, counter)).toBe(everything(once, counter));
      }),
    );
  });

  test('nor does what provisioned capacity absorbs, but for a unit a slot and tick of rounding', () => {
    const provisioned = { cores: 0.2, storeOperationsPerSecond: 4_000, streamBytes: 0 };
    const absorbed = (state: MeterState) =>
      meteredOf(settle(state, provisioned, END + SLOT_MS), 'bf_1', provisioned, END).absorbed;
    const once = absorbed(run([at(END, 1)]));
    // 4,000/s less live's 1,000/s, for ten minutes; all of the cores but live's tenth of the CPU.
    expect(once.rowsAttempted).toBe(3_000n * 600n);
    expect(Number(once.cpuMs)).toBeCloseTo(0.2 * 600_000 - 0.05 * 600_000, -2);
    fc.assert(
      fc.property(moments, (times) => {
        const often = absorbed(run(ticksAt(times)));
        for (const counter of ['rowsAttempted', 'cpuMs'] as const)
          expect(Math.abs(Number((often[counter] ?? 0n) - (once[counter] ?? 0n)))).toBeLessThanOrEqual(60);
      }),
    );
  });

  test('ticks that come again, or late, change nothing', () => {
    fc.assert(
      fc.property(moments, fc.array(fc.nat(), { maxLength: 20 }), (times, again) => {
        const ticks = ticksAt(times);
        const repeated = ticks.flatMap((tick, index) => [
          tick,
          ...again
            .filter((which) => which % ticks.length <= index)
            .map((which) => ticks[which % ticks.length] as Observation),
        ]);
        expect(run(repeated)).toEqual(run(ticks));
      }),
    );
  });

  test('a restart of the worker is a new series from zero; one of the api goes on from its record', () => {
    fc.assert(
      fc.property(moments, fc.integer({ min: 1, max: 9 }), (times, minute) => {
        const restartedMs = START + minute * SLOT_MS;
        const first = times.filter((atMs) => atMs < restartedMs);
        const second = times.filter((atMs) => atMs > restartedMs);
        const ticks = [
          ...[...first, restartedMs].map((atMs, index) => at(atMs, index + 1)),
          ...second.map((atMs, index) => at(atMs, index + 1, 'apply-2', restartedMs)),
        ];
        const straight = run(ticks);
        expect(everything(straight, 'rowsAttempted')).toBe(BigInt(END - START) * 10n);
        // The api is killed after every tick, and the last tick is sent to it again.
        let state = emptyMeter;
        for (const tick of ticks) {
          state = observe(meterOfRecord(recordOfMeter(state)), tick);
          state = observe(meterOfRecord(recordOfMeter(state)), tick);
        }
        expect(state).toEqual(straight);
      }),
    );
  });

  test('a crash of the api loses nothing: what it did not store, the next tick tells', () => {
    const stored = run(ticksAt([START + 1_000]));
    expect(total(run([at(START + 5_000, 9)], stored), 'bf_1').rowsAttempted).toBe(45_000n);
  });

  test('settling, whenever it happens, moves nothing from one account to another, and no total', () => {
    fc.assert(
      fc.property(moments, (times) => {
        const ticks = ticksAt(times);
        const settledOften = ticks.reduce(
          (state, tick) => settle(observe(state, tick), none, tick.atMs),
          emptyMeter,
        );
        expect(total(settledOften, 'bf_1')).toEqual(total(run(ticks), 'bf_1'));
        expect(total(settledOften, LIVE)).toEqual(total(run(ticks), LIVE));
      }),
    );
  });

  test('a tick that comes when its slot is settled counts in the next', () => {
    const settled = settle(run([at(START + 1_000, 1)]), none, START + 3 * SLOT_MS + GRACE_MS);
    const late = observe(settled, { ...at(START + 2_000, 1, 'other'), startedAtMs: START });
    expect(everything(late, 'rowsAttempted')).toBe(30_000n);
    expect(Object.keys(late.open)).toEqual([String(late.settledUntilMs)]);
  });

  test('amounts that change, whenever they do, absorb what they were for as long as they were it', () => {
    // Live and the run use 10,000 a second all the time: more than either amount.
    const paid = (rows: number) => ({ ...none, storeOperationsPerSecond: rows });
    const absorbedBy = (state: MeterState, rows: number, nowMs: number) =>
      [LIVE, 'bf_1'].reduce(
        (sum, account) =>
          sum + Number(meteredOf(state, account, paid(rows), nowMs).absorbed.rowsAttempted ?? 0n),
        0,
      );
    const amount = fc.integer({ min: 1, max: 9_999 });
    fc.assert(
      fc.property(moments, amount, amount, (times, before, after) => {
        const changedMs = times[0] as number;
        const until = settle(observe(emptyMeter, at(changedMs, 1)), paid(before), changedMs);
        const seen = absorbedBy(until, before, changedMs);
        expect(Math.abs(seen - (before * (changedMs - START)) / 1_000)).toBeLessThanOrEqual(10);
        let state = settleBeforeChange(until, paid(before), changedMs);
        expect(absorbedBy(state, after, changedMs), 'what was absorbed stays absorbed').toBe(seen);
        for (const [index, atMs] of times.slice(1).entries())
          state = settle(observe(state, at(atMs, index + 2)), paid(after), atMs);
        const rest = absorbedBy(state, after, END) - seen;
        expect(Math.abs(rest - (after * (END - changedMs)) / 1_000)).toBeLessThanOrEqual(20);
      }),
    );
  });

  test('two changes in one minute: each part of it has its own amounts', () => {
    const paid = (rows: number) => ({ ...none, storeOperationsPerSecond: rows });
    let state = emptyMeter;
    for (const [index, amount] of [1_000, 4_000, 2_000].entries()) {
      const untilMs = START + (index + 1) * 20_000;
      state = settleBeforeChange(observe(state, at(untilMs, index + 1)), paid(amount), untilMs);
    }
    const absorbed = [LIVE, 'bf_1'].map(
      (account) => meteredOf(state, account, none, END).absorbed.rowsAttempted,
    );
    // Live's thousand a second first.
    expect(absorbed).toEqual([60_000n, 80_000n]);
    expect(meterOfRecord(recordOfMeter(state))).toEqual(state);
  });

  test.each([
    ['', settle],
    [', also where the amounts changed in that moment', settleBeforeChange],
  ])(
    'a clock that was an hour ahead for a moment leaves the minutes after it their capacity%s',
    (_, settled) => {
      const provisioned = { cores: 0, storeOperationsPerSecond: 10_000, streamBytes: 0 };
      const ahead = settled(run([at(START + 1_000, 1)]), provisioned, START + 60 * SLOT_MS);
      const back = settle(ahead, provisioned, START + 2_000);
      const later = observe(back, at(START + 3 * SLOT_MS, 2));
      const { total, absorbed } = meteredOf(later, 'bf_1', provisioned, START + 3 * SLOT_MS);
      expect(absorbed.rowsAttempted).toBe(total.rowsAttempted);
      // A clock that is a little behind opens nothing again.
      const late = settled(run([at(START + 1_000, 1)]), provisioned, START + 2 * SLOT_MS + GRACE_MS);
      expect(settle(late, provisioned, late.settledUntilMs - 1).settledUntilMs).toBe(late.settledUntilMs);
    },
  );

  test('a series that is over is forgotten, not what it told', () => {
    const state = forgetSeries(run([at(END, 1)]), (series) => series === 'apply-1');
    expect(state.series).toEqual({});
    expect(total(state, 'bf_1').rowsAttempted).toBe(BigInt(END - START) * 9n);
  });
});

describe('live apart from replay', () => {
  test('what is shared is divided by rows, and marked', () => {
    const state = run([at(START + 10_000, 1)]);
    expect(total(state, LIVE)).toMatchObject({ cpuMs: 500n, walBytes: 1_000_000n });
    expect(total(state, 'bf_1')).toMatchObject({ cpuMs: 4_500n, walBytes: 9_000_000n });
    const marks = meteredOf(state, 'bf_1', none, END).apportioned;
    expect(marks.toSorted()).toEqual(['cpuMs', 'walBytes']);
  });

  test('with no rows at all it is live’s', () => {
    const idle: Observation = { ...at(START + 10_000, 1), own: { bf_1: { rowsAttempted: 0n } } };
    expect(total(run([idle]), LIVE)).toEqual({ cpuMs: 5_000n, walBytes: 10_000_000n });
    expect(total(run([idle]), 'bf_1').cpuMs).toBeUndefined();
  });

  test('what nobody counts is unknown, not zero', () => {
    const tick: Observation = { ...at(START + 1_000, 1), shared: { cpuMs: 3n } };
    expect(total(run([tick]), 'bf_1').walBytes).toBeUndefined();
  });

  test('provisioned capacity serves live first, then backfills by what they use, never more than there is', () => {
    const usage = fc.record({ [LIVE]: fc.nat(1e6), bf_1: fc.nat(1e6), bf_2: fc.nat(1e6) });
    const provisioned = { ...none, storeOperationsPerSecond: 10_000 };
    fc.assert(
      fc.property(usage, (rows) => {
        const own = Object.fromEntries(
          Object.entries(rows).map(([account, count]) => [
            account,
            { rowsAttempted: BigInt(count) } as Usage,
          ]),
        );
        const state = settle(run([{ ...at(START + SLOT_MS, 1), own, shared: {} }]), provisioned, END);
        const absorbed = (account: string) =>
          Number(meteredOf(state, account, provisioned, END).absorbed.rowsAttempted ?? 0n);
        const pool = 600_000;
        expect(absorbed(LIVE)).toBe(Math.min(rows[LIVE] as number, pool));
        const left = pool - absorbed(LIVE);
        const wanted = (rows['bf_1'] ?? 0) + (rows['bf_2'] ?? 0);
        expect(absorbed('bf_1') + absorbed('bf_2')).toBe(Math.min(wanted, left));
        for (const id of ['bf_1', 'bf_2'] as const)
          if (wanted > 0)
            expect(Math.abs(absorbed(id) - (Math.min(wanted, left) * (rows[id] ?? 0)) / wanted)).toBeLessThan(
              1,
            );
      }),
    );
  });
});
