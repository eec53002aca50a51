import { describe, expect, it } from 'vitest';
import { ApiInUseError, type Holder, isAlive } from '../../src/control-plane/api-lease/holder.ts';

const seen: Holder = {
  term: 3,
  host: 'one',
  pid: 7,
  url: 'http://127.0.0.1:7878',
  since: Date.UTC(2026, 0, 1),
  expiresAt: 10_000,
  now: 1_000,
};

describe('who holds a control database', () => {
  it.each<[string, Partial<Holder>, boolean]>([
    ['is not known to live while nothing moves', { now: 9_999 }, false],
    ['lives when the end has moved', { expiresAt: 12_500 }, true],
    ['lives when another has taken it', { term: 4, expiresAt: 10_001 }, true],
    ['is not taken for alive because a clock leapt back', { now: -5_000 }, false],
  ])('%s', (_, later, alive) => {
    expect(isAlive(seen, { ...seen, ...later })).toBe(alive);
  });

  it('is named to whoever is refused', () => {
    expect(new ApiInUseError(seen).message).toBe(
      'Another api works on this control database: process 7 on one, at http://127.0.0.1:7878, since 2026-01-01T00:00:00.000Z. Stop it first, or give this one a database of its own with SPILLWAY_DATABASE_URL (api_in_use).',
    );
    expect(new ApiInUseError(null).message).toMatch(/^Another api works on this control database\. Stop it/);
  });
});
