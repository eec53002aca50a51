/**
 * A capacity set by hand to any number, on the fluid model: live is no worse off than with the measured one. What replay may have is judged by the
 * truth of the model, as in governed-runs.
 */
import { describe, expect, test } from 'vitest';
import { type GovernedRun, runGoverned } from '../../src/simulation/governed-run.ts';
import { liveIsFreshAgain } from './properties.ts';
import { type Kind, type Scenario, scenario } from './scenarios.ts';

const SEEDS = 60;
const FACTORS = [3, 100, 1_000_000];

function setByHand({ run, ...rest }: Scenario, factor: number): Scenario {
  const { capacityEventsPerSecond: measured } = run.policy;
  const policy: GovernedRun['policy'] = {
    ...run.policy,
    capacityEventsPerSecond: measured * factor,
    measuredEventsPerSecond: measured,
  };
  return { ...rest, run: { ...run, policy } };
}

describe('a capacity set by hand', () => {
  test.each<Kind>(['calm', 'load', 'amplified', 'dead_signal'])('%s', (kind) => {
    const wrong = FACTORS.flatMap((factor) =>
      Array.from({ length: SEEDS }, (_, seed) => seed).flatMap((seed) => {
        const byHand = setByHand(scenario(kind, seed), factor);
        const late = liveIsFreshAgain(byHand, runGoverned(byHand.run), undefined);
        return late === null
          ? []
          : [`${late} (kind ${kind}, seed ${seed}, ${factor} times what was measured)`];
      }),
    );
    expect(wrong).toEqual([]);
  });
});
