import { describe, expect, test } from 'vitest';
import {
  emptyMeter,
  forgetSeries,
  meteredOf,
  type Observation,
  observe,
  recall,
  settle,
  takeAccounts,
} from '../../src/cost/meter.ts';
import { LIVE, SLOT_MS } from '../../src/cost/slots.ts';

const none = { cores: 0, storeOperationsPerSecond: 0, streamBytes: 0 };
const START = 1_800_000_000_000;

const told = (
  sequence: number,
  own: Observation['own'],
  shared: Observation['shared'] = {},
): Observation => ({
  series: 'apply-1',
  sequence,
  startedAtMs: START,
  atMs: START + sequence * 250,
  own,
  shared,
});
const rows = (live: bigint, bf: bigint) => ({ [LIVE]: { rowsAttempted: live }, bf_1: { rowsAttempted: bf } });
const total = (state: Parameters<typeof meteredOf>[0], account: string) =>
  meteredOf(state, account, none, START + SLOT_MS).total;

describe('what is shared', () => {
  test('is divided by the work since it was last read, however often the work is told', () => {
    // The log is read with every fourth tick, and the backfill's last rows came before it.
    const state = [
      told(1, rows(1n, 0n), { walBytes: 0n }),
      told(2, rows(2n, 99n), { walBytes: 0n }),
      told(3, rows(3n, 297n), { walBytes: 0n }),
      told(4, rows(3n, 297n), { walBytes: 30_000n }),
      told(5, rows(13n, 297n), { walBytes: 30_000n }),
      told(6, rows(13n, 297n), { walBytes: 31_000n }),
    ].reduce(observe, emptyMeter);
    expect(total(state, 'bf_1').walBytes).toBe(29_700n);
    expect(total(state, LIVE).walBytes).toBe(300n + 1_000n);
  });

  test('by a process that attempts no rows, is divided by the events it read', () => {
    const state = observe(
      emptyMeter,
      told(1, { bf_1: { events: 300n }, bf_2: { events: 100n } }, { cpuMs: 40n }),
    );
    expect([total(state, 'bf_1').cpuMs, total(state, 'bf_2').cpuMs]).toEqual([30n, 10n]);
  });

  test('and by one that did nothing for anybody is live’s', () => {
    const busy = observe(emptyMeter, told(1, { bf_1: { events: 300n } }, { cpuMs: 40n }));
    const idle = observe(busy, told(2, { bf_1: { events: 300n } }, { cpuMs: 45n }));
    expect([total(idle, 'bf_1').cpuMs, total(idle, LIVE).cpuMs]).toEqual([40n, 5n]);
  });
});

describe('what is over', () => {
  const used = observe(emptyMeter, told(1, rows(10n, 90n), { cpuMs: 100n }));

  test('leaves the state with all it used, once its slots are settled', () => {
    expect(takeAccounts(used, new Set(['bf_1'])).taken).toEqual({});
    const settled = settle(used, none, START + 3 * SLOT_MS);
    const { state, taken } = takeAccounts(settled, new Set(['bf_1']));
    expect(taken['bf_1']?.total).toMatchObject({ rowsAttempted: 90n, cpuMs: 90n });
    expect(
      JSON.stringify(state, (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
    ).not.toContain('bf_1');
    expect(total(state, LIVE)).toMatchObject({ rowsAttempted: 10n, cpuMs: 10n });
  });

  test('also while its applier goes on telling the same of it', () => {
    const later = observe(used, { ...told(2, rows(20n, 90n), { cpuMs: 110n }), atMs: START + 4 * SLOT_MS });
    const settled = settle(later, none, START + 4 * SLOT_MS);
    expect(Object.keys(takeAccounts(settled, new Set(['bf_1'])).taken)).toEqual(['bf_1']);
  });

  test('a forgotten series that speaks again counts only what is new', () => {
    const forgotten = forgetSeries(used, () => true);
    const recalled = recall(forgotten, told(2, rows(10n, 90n), { cpuMs: 100n }));
    const after = observe(recalled, told(3, rows(10n, 95n), { cpuMs: 110n }));
    expect(total(after, 'bf_1')).toMatchObject({ rowsAttempted: 95n, cpuMs: 100n });
  });
});
