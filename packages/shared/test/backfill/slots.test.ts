import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assignSlots, type SlotLane, slotWaits } from '../../src/backfill/slots.ts';

const slotWait = (lanes: readonly SlotLane[], backfillId: string, slots: number) =>
  slotWaits(lanes, slots).get(backfillId);

const lane = (backfillId: string, sourceId: string, over: Partial<SlotLane> = {}): SlotLane => ({
  backfillId,
  sourceId,
  state: 'queued',
  priority: 0,
  ordinal: backfillId.charCodeAt(0),
  slotHeld: false,
  finished: false,
  mayStart: true,
  fillsGap: false,
  ...over,
});
const brief = (changes: ReturnType<typeof assignSlots>) =>
  changes.map((change) => `${change.slotHeld ? '+' : '-'}${change.backfillId}${change.sourceId}`);

describe('source slots', () => {
  test('by priority, then by age', () => {
    const lanes = [lane('a', '1'), lane('b', '1'), lane('c', '1', { priority: 9 })];
    expect(brief(assignSlots(lanes, 2))).toEqual(['+c1', '+a1']);
  });
  test('not given to what is held back', () => {
    const lanes = [lane('b', '1', { mayStart: false }), lane('c', '1')];
    expect(brief(assignSlots(lanes, 2))).toEqual(['+c1']);
  });
  test('given up by what is paused, and given to another once that is written down', () => {
    const paused = { state: 'paused', mayStart: false } as const;
    const holding = [lane('a', '1', { ...paused, slotHeld: true }), lane('b', '1')];
    expect(brief(assignSlots(holding, 1))).toEqual(['-a1']);
    expect(brief(assignSlots([lane('a', '1', paused), lane('b', '1')], 1))).toEqual(['+b1']);
    // Still stopping: its workers may publish.
    const pausing = lane('a', '1', { state: 'pausing', mayStart: false, slotHeld: true });
    expect(brief(assignSlots([pausing, lane('b', '1')], 1))).toEqual([]);
  });
  test('what was resumed waits among the others, by priority and age', () => {
    const resumed = lane('b', '1', { state: 'running' });
    const held = lane('c', '1', { state: 'running', slotHeld: true });
    expect(brief(assignSlots([resumed, held, lane('a', '2')], 1))).toEqual([]);
    expect(brief(assignSlots([resumed, held, lane('d', '2')], 2))).toEqual(['+b1']);
    expect(brief(assignSlots([resumed, held, lane('d', '2', { priority: 1 })], 2))).toEqual(['+d2']);
  });
  test('gaps of one source take turns, also when there are slots for both', () => {
    const gap = (id: string, source: string, over: Partial<SlotLane> = {}) =>
      lane(id, source, { fillsGap: true, ...over });
    expect(brief(assignSlots([gap('a', '1'), gap('b', '1'), gap('c', '2'), lane('d', '1')], 4))).toEqual([
      '+a1',
      '+c2',
      '+d1',
    ]);
    const proving = gap('a', '1', { state: 'verifying', slotHeld: true });
    expect(brief(assignSlots([proving, gap('b', '1')], 4))).toEqual([]);
    // Paused, it lets the next one by.
    expect(
      brief(assignSlots([gap('a', '1', { state: 'paused', mayStart: false }), gap('b', '1')], 4)),
    ).toEqual(['+b1']);
  });
  test('who waits is told for whom', () => {
    const held = (id: string, source: string, over: Partial<SlotLane> = {}) =>
      lane(id, source, { state: 'running', slotHeld: true, ...over });
    const waits = 'waits for a source slot of the pipeline';
    expect(slotWait([held('a', '1')], 'a', 1)).toBeUndefined();
    expect(slotWait([lane('a', '1')], 'a', 2)).toBe(waits);
    expect(slotWait([held('a', '1'), lane('b', '1')], 'b', 1)).toBe(`${waits}: a holds the only one`);
    expect(slotWait([held('a', '1'), held('a', '2'), lane('b', '1')], 'b', 2)).toBe(
      `${waits}: a holds all 2`,
    );
    const many = ['a', 'b', 'c', 'd', 'e'].map((id) => held(id, '1'));
    expect(slotWait([...many, lane('f', '1')], 'f', 5)).toBe(`${waits}: a, b, c and 2 more hold all 5`);
    const gaps = [held('a', '1', { fillsGap: true }), lane('b', '1', { fillsGap: true })];
    expect(slotWait(gaps, 'b', 4)).toBe('waits for a, which fills another gap of 1');
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
        fillsGap: fc.boolean(),
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
