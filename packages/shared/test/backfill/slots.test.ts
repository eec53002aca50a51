import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assignSlots, type SlotLane } from '../../src/backfill/slots.ts';

const lane = (backfillId: string, sourceId: string, over: Partial<SlotLane> = {}): SlotLane => ({
  backfillId,
  sourceId,
  state: 'queued',
  priority: 0,
  ordinal: backfillId.charCodeAt(0),
  slotHeld: false,
  finished: false,
  mayStart: true,
  ...over,
});
const brief = (changes: ReturnType<typeof assignSlots>) =>
  changes.map((change) => `${change.slotHeld ? '+' : '-'}${change.backfillId}${change.sourceId}`);

describe('source slots', () => {
  test('by priority, then by age', () => {
    const lanes = [lane('a', '1'), lane('b', '1'), lane('c', '1', { priority: 9 })];
    expect(brief(assignSlots(lanes, 2))).toEqual(['+c1', '+a1']);
  });
  test('held while paused, not given to what is held back', () => {
    const lanes = [
      lane('a', '1', { state: 'paused', slotHeld: true }),
      lane('b', '1', { mayStart: false }),
      lane('c', '1'),
    ];
    expect(brief(assignSlots(lanes, 1))).toEqual([]);
    expect(brief(assignSlots(lanes, 2))).toEqual(['+c1']);
  });
  test('a finished lane lends its slot within its backfill, and keeps it when nobody there waits', () => {
    const running = { state: 'running' } as const;
    const done = lane('a', '1', { ...running, slotHeld: true, finished: true });
    expect(brief(assignSlots([done, lane('a', '2', running), lane('b', '1')], 1))).toEqual(['-a1', '+a2']);
    expect(brief(assignSlots([done, lane('b', '1')], 1))).toEqual([]);
  });
  test('a retried proof, whose lanes are all done, can begin', () => {
    expect(brief(assignSlots([lane('a', '1', { finished: true })], 1))).toEqual(['+a1']);
  });
  test('never more than there are, unless there were more before', () => {
    const lanes = fc.uniqueArray(
      fc.record({
        backfillId: fc.constantFrom('a', 'b', 'c'),
        sourceId: fc.constantFrom('1', '2', '3'),
        state: fc.constantFrom('queued', 'running', 'paused', 'verifying' as const),
        priority: fc.integer({ min: 0, max: 1 }),
        ordinal: fc.nat(3),
        slotHeld: fc.boolean(),
        finished: fc.boolean(),
        mayStart: fc.boolean(),
      }),
      { selector: (one) => `${one.backfillId}${one.sourceId}` },
    );
    fc.assert(
      fc.property(lanes, fc.nat(6), (all, slots) => {
        const held = new Set(
          all.filter((one) => one.slotHeld).map((one) => `${one.backfillId}${one.sourceId}`),
        );
        const before = held.size;
        for (const change of assignSlots(all, slots)) {
          const key = `${change.backfillId}${change.sourceId}`;
          expect(held.has(key)).toBe(!change.slotHeld);
          if (change.slotHeld) held.add(key);
          else held.delete(key);
          expect(held.size).toBeLessThanOrEqual(Math.max(slots, before));
        }
      }),
    );
  });
});
