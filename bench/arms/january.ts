/** January, all sources, no limit but the share at 1.0: source to applied, proved, and every bucket against the oracle. */

import { compareWithOracle } from '../../apps/api/test/oracle/compare-buckets.ts';
import { FlightsOracle } from '../../apps/api/test/oracle/flights-oracle.ts';
import { appliedIn, startBackfill, untilState } from '../../apps/api/test/system/backfills.ts';
import { type Figure, figure, median } from '../figures.ts';
import { january, quietSystem } from '../flights.ts';

const ROUNDS = 3;

export async function januaryArm(): Promise<Figure[]> {
  const rates: number[] = [];
  const details: unknown[] = [];
  let differing = 0;
  let checked = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const system = await quietSystem();
    try {
      const from = performance.now();
      const { id } = await startBackfill(system, { window: january, limits: { share: 1 } });
      const applied = await untilState(system, id, ['verifying', 'completed']);
      const seconds = (performance.now() - from) / 1000;
      const ended = await untilState(system, id, ['completed']);
      const { eventsApplied, eventsDuplicate } = applied.progress;
      rates.push(appliedIn(applied) / seconds);
      details.push({
        seconds,
        applied: eventsApplied,
        duplicates: eventsDuplicate,
        proofSeconds: (performance.now() - from) / 1000 - seconds,
        verification: ended.verification.state,
      });
      const oracle = await FlightsOracle.open();
      const comparison = await compareWithOracle(system, oracle, {
        from: Date.parse(january.from),
        to: Date.parse(january.to),
      });
      differing += comparison.differing.length;
      checked += comparison.checked;
    } finally {
      await system.remove();
    }
  }
  return [
    figure('january end to end', median(rates), 'events/s', { atLeast: 20_000 }, details),
    figure('january buckets that differ from the oracle', differing, `of ${checked}`, { atMost: 0 }),
  ];
}
