import type { Backfill } from '@spillway/shared/api/backfill';
import { describe, expect, it } from 'vitest';
import { isResumable, shownWarnings, waitsForBudget } from '../../src/features/backfill/model/resumable.ts';

type Reason = Backfill['holds'][number]['reason'];
const held = (...reasons: Reason[]) => ({
  holds: reasons.map((reason) => ({ reason, detail: null, by: 'ada', at: '2026-01-01T00:00:00Z' })),
  allowedActions: ['throttle', 'resume', 'cancel'] as Backfill['allowedActions'],
});

describe('what lets a backfill go on', () => {
  it.each<[Reason[], boolean, boolean]>([
    [['operator'], true, false],
    [['operator', 'budget'], true, false],
    [['operator', 'brake'], true, false],
    [['budget'], false, true],
    [['brake'], false, false],
    [['budget', 'brake'], false, false],
    [[], true, false],
  ])('held by %j: resumable %s, by a higher budget %s', (reasons, resumable, budget) => {
    expect(isResumable(held(...reasons))).toBe(resumable);
    expect(waitsForBudget(held(...reasons))).toBe(budget);
  });

  it('is nothing that a viewer may do', () => {
    expect(isResumable({ ...held('operator'), allowedActions: [] })).toBe(false);
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
