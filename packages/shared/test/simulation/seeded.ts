/** Random numbers that come again with their seed (mulberry32), drawn by name of what is wanted. */
export interface Seeded {
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  /** As likely in every order of magnitude: for capacities, marks and the like. */
  magnitude(low: number, high: number): number;
  integer(low: number, high: number): number;
  oneOf<T>(values: readonly T[]): T;
  chance(part: number): boolean;
}

export function seeded(seed: number): Seeded {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const between = (low: number, high: number) => low + next() * (high - low);
  return {
    between,
    magnitude: (low, high) => low * (high / low) ** next(),
    integer: (low, high) => Math.floor(between(low, high + 1)),
    oneOf: (values) => values[Math.floor(next() * values.length)] as (typeof values)[number],
    chance: (part) => next() < part,
  };
}
