import { describe, expect, it } from 'vitest';
import { drainSteps } from '../../src/supervise/drain-order.ts';
import { decideRestart, NEVER_STARTED, type RestartRecord } from '../../src/supervise/restart-policy.ts';

/** Deaths of a process that was ready for `readyForMs` each time; the delays chosen. */
function delaysMs(readyForMs: Array<number | null>, chance: number): Array<number | 'give-up'> {
  let record: RestartRecord = NEVER_STARTED;
  return readyForMs.map((ms) => {
    const decision = decideRestart(record, ms, chance);
    record = decision.record;
    return decision.kind === 'restart' ? decision.afterMs : decision.kind;
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

describe('the order of leaving', () => {
  it('is workers, api, databases, and ends within the 10 s promised', () => {
    expect(drainSteps().map(({ tier }) => tier)).toEqual(['worker', 'api', 'database']);
    const deadlines = drainSteps().map(({ deadlineMs }) => deadlineMs);
    expect(deadlines).toEqual([...deadlines].sort((a, b) => a - b));
    expect(deadlines.at(-1)).toBeLessThan(10_000);
  });
});
