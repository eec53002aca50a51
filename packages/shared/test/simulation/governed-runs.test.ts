/**
 * The governor against ten thousand seeded runs of the fluid model. A failure names its kind and seed; the same one alone:
 * `SIMULATION=stall:17 pnpm unit governed-runs`.
 */
import { describe, expect, test } from 'vitest';
import { mutants } from './mutants.ts';
import { violations } from './properties.ts';
import { type Kind, kinds, scenario } from './scenarios.ts';

const SEEDS_OF_A_KIND = 1_000;
const SEEDS_OF_A_MUTANT = 200;
const LONGEST_MS = 120_000;

const [onlyKind, onlySeed] = (process.env['SIMULATION'] ?? '').split(':');
const seedsOf = (kind: Kind): number[] => {
  if (onlyKind !== '' && onlyKind !== kind) return [];
  return onlySeed === undefined
    ? Array.from({ length: SEEDS_OF_A_KIND }, (_, seed) => seed)
    : [Number(onlySeed)];
};

describe('the governor on the fluid model', () => {
  test('there are ten thousand runs', () => {
    expect(kinds.length * SEEDS_OF_A_KIND).toBeGreaterThanOrEqual(10_000);
  });

  test('and of those in which replayed events turn out dear, more than a hundred by a hundred times and by five hundred', () => {
    const factors = Array.from({ length: SEEDS_OF_A_KIND }, (_, seed) =>
      Math.max(...scenario('amplified', seed).run.replayAmplification.map(({ value }) => value)),
    );
    for (const times of [100, 500])
      expect(factors.filter((factor) => factor === times).length).toBeGreaterThan(100);
  });

  test.each(kinds)('%s', { timeout: LONGEST_MS }, (kind) => {
    const wrong: string[] = [];
    for (const seed of seedsOf(kind)) {
      wrong.push(...violations(scenario(kind, seed)));
      if (wrong.length > 5) break;
    }
    expect(wrong).toEqual([]);
  });

  test.each(Object.entries(mutants))('is caught: one that %s', { timeout: LONGEST_MS }, (_name, mutant) => {
    for (const kind of mutant.shows) {
      const caught = Array.from({ length: SEEDS_OF_A_MUTANT }, (_, seed) => seed).some(
        (seed) => violations(scenario(kind, seed), mutant.deciders).length > 0,
      );
      expect(caught, `on runs of the kind ${kind}`).toBe(true);
    }
  });
});
