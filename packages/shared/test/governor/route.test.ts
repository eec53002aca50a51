import { describe, expect, test } from 'vitest';
import { oldestSharedEntryMs, routeConsequence } from '../../src/governor/route.ts';

describe('what the route means for live', () => {
  test('a stream of its own: live is served first', () => {
    for (const target of [null, 50])
      expect(routeConsequence('separate', target)).toContain('the applier serves live first');
  });

  test('a shared one: live cannot be, and what is done instead, with its numbers', () => {
    expect(oldestSharedEntryMs(50)).toBe(12.5);
    const said = routeConsequence('shared', 50);
    expect(said).toContain('nobody can serve it first');
    expect(said).toContain('within 50 ms');
    expect(said).toContain('older than 12.5 ms');
  });

  test('a shared one without a target promises nothing', () => {
    const said = routeConsequence('shared', null);
    expect(said).toContain('nobody can serve it first');
    expect(said).toContain('no target');
    expect(said).not.toContain('holds the publish rate');
  });
});
