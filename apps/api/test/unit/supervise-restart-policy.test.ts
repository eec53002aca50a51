import { describe, expect, it } from 'vitest';
import { drainSteps } from '../../src/supervise/drain-order.ts';
import {
  type Death,
  decideRestart,
  NEVER_STARTED,
  type RestartRecord,
} from '../../src/supervise/restart-policy.ts';

type How = Pick<Death, 'tier' | 'exitCode'>;
const crashed: How = { tier: 'worker', exitCode: 1 };

/** Deaths of a process that was ready for `readyForMs` each time; the delays chosen. */
function delaysMs(
  readyForMs: Array<number | null>,
  chance: number,
  how: How = crashed,
): Array<number | 'give-up'> {
  let record: RestartRecord = NEVER_STARTED;
  return readyForMs.map((ms) => {
    const decision = decideRestart(record, { ...how, readyForMs: ms }, chance);
    record = decision.record;
    return decision.kind === 'give-up' ? decision.kind : decision.afterMs;
  });
}

describe('when a process that died is started again', () => {
  it('doubles the delay with every death, up to 5 s', () => {
    expect(delaysMs([10, 10, 10, 10, 10, 10, 10, 10], 1)).toEqual([
      100, 200, 400, 800, 1600, 3200, 5000, 5000,
    ]);
  });

  it('takes off up to half by chance, so that processes which fell together do not rise together', () => {
    expect(delaysMs([10, 10, 10], 0)).toEqual([50, 100, 200]);
    expect(delaysMs([10, 10, 10], 0.5)).toEqual([75, 150, 300]);
  });

  it('begins again after a healthy stretch of 30 s', () => {
    expect(delaysMs([10, 10, 10, 29_999, 30_000, 10], 1)).toEqual([100, 200, 400, 800, 100, 200]);
  });

  it('gives up at the third death of a process that was never ready, and never on one that was', () => {
    expect(delaysMs([null, null, null], 1)).toEqual([100, 200, 'give-up']);
    expect(delaysMs([10, null, null, null, null], 1)).toEqual([100, 200, 400, 800, 1600]);
  });
});

describe('what was refused', () => {
  const worker: How = { tier: 'worker', exitCode: 69 };

  it.each<[string, How, 'refused' | 'restart']>([
    ['a worker with another store or other streams', worker, 'refused'],
    ['a process that cannot use its settings', { tier: 'api', exitCode: 78 }, 'refused'],
    ['an api whose address may still come', { tier: 'api', exitCode: 69 }, 'restart'],
    ['an api whose place another has', { tier: 'api', exitCode: 75 }, 'restart'],
    ['a worker that crashed', crashed, 'restart'],
    ['a worker that was killed', { tier: 'worker', exitCode: null }, 'restart'],
    ['a worker that ended as if it was to', { tier: 'worker', exitCode: 0 }, 'restart'],
  ])('%s', (_what, how, kind) => {
    const ready: RestartRecord = { deaths: 3, everReady: true };
    expect(decideRestart(ready, { ...how, readyForMs: 10 }, 0).kind).toBe(kind);
  });

  it('is tried again after 5 s, then less and less often, up to a minute, and for ever', () => {
    const soon = Array<number>(8).fill(10);
    expect(delaysMs(soon, 1, worker)).toEqual([
      5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000, 60_000,
    ]);
    expect(delaysMs(soon, 0, worker).at(-1)).toBe(30_000);
  });

  it('begins again after a healthy stretch, and gives up a start like any other', () => {
    expect(delaysMs([10, 10, 30_000, 10], 1, worker)).toEqual([5_000, 10_000, 5_000, 10_000]);
    expect(delaysMs([null, null, null], 1, worker)).toEqual([100, 200, 'give-up']);
  });
});

describe('the order of leaving', () => {
  it('is workers, api, databases, and ends within the 10 s promised', () => {
    expect(drainSteps().map(({ tier }) => tier)).toEqual(['worker', 'api', 'database']);
    const deadlines = drainSteps().map(({ deadlineMs }) => deadlineMs);
    expect(deadlines).toEqual([...deadlines].sort((a, b) => a - b));
    expect(deadlines.at(-1)).toBeLessThan(10_000);
  });
});
