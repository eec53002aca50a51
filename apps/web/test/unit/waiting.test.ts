import type { Effective } from '@spillway/shared/api/backfill';
import { describe, expect, it } from 'vitest';
import { staggerLeftMs, waitingWords } from '../../src/features/backfill/model/waiting.ts';

const atMs = Date.parse('2026-01-01T00:00:00Z');
const notBefore = '2026-01-01T00:00:03Z';

describe('what a backfill waits for', () => {
  it.each([
    ['in its stagger', { state: 'queued', notBefore }, 3_000],
    ['after it', { state: 'queued', notBefore: '2025-12-31T23:59:59Z' }, null],
    ['without one', { state: 'queued', notBefore: null }, null],
    ['once it runs', { state: 'running', notBefore }, null],
  ] as const)('%s', (_name, backfill, leftMs) => {
    expect(staggerLeftMs(backfill, atMs)).toBe(leftMs);
  });

  it('is told by the ceiling that holds it, in its own words', () => {
    const held: Effective = {
      eventsPerSecond: 0,
      binding: 'hold',
      ceilings: [{ reason: 'hold', eventsPerSecond: 0, detail: 'waits for a source slot of the pipeline' }],
    };
    const queued = (effective: Effective) => waitingWords({ state: 'queued', effective });
    expect(queued(held)).toBe('waits for a source slot of the pipeline');
    expect(queued({ ...held, ceilings: [] })).toBe('held');
    const detail = 'bf_c84eab21b32d419ca792 and bf_12 hold all 8';
    expect(queued({ ...held, ceilings: [{ reason: 'hold', eventsPerSecond: 0, detail }] })).toBe(
      'bf_c84eab and bf_12 hold all 8',
    );
  });
});
