import type { Backfill } from '@spillway/shared/api/backfill';
import { describe, expect, it } from 'vitest';
import { shownWarnings, waitsForBudget } from '../../src/features/backfill/model/spent-budget.ts';

type Reason = Backfill['holds'][number]['reason'];
const held = (...reasons: Reason[]) => ({
  holds: reasons.map((reason) => ({ reason, detail: null, by: 'ada', at: '2026-01-01T00:00:00Z' })),
  allowedActions: ['throttle', 'resume', 'cancel'] as Backfill['allowedActions'],
});

describe('a backfill whose budget is spent', () => {
  it.each<[Reason[], boolean]>([
    [['operator'], false],
    [['operator', 'budget'], false],
    [['budget'], true],
    [['brake'], false],
    [['budget', 'brake'], false],
    [[], false],
  ])('held by %j: a higher budget %s', (reasons, budget) => {
    expect(waitsForBudget(held(...reasons))).toBe(budget);
  });

  it('is nothing that a viewer may do', () => {
    expect(waitsForBudget({ ...held('budget'), allowedActions: [] })).toBe(false);
  });

  it('a budget that is spent is not nearly spent', () => {
    const warnings = [
      { code: 'budget_near', detail: 'The budget is nearly spent: 8.10 of 10.00 USD spent.' },
      { code: 'overlaps_backfill', detail: 'It overlaps another.' },
    ];
    const codes = (backfill: Pick<Backfill, 'holds' | 'warnings'>) =>
      shownWarnings(backfill).map(({ code }) => code);
    expect(codes({ ...held('budget'), warnings })).toEqual(['overlaps_backfill']);
    expect(codes({ ...held('operator'), warnings })).toEqual(['budget_near', 'overlaps_backfill']);
  });
});
