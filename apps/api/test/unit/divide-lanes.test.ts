import type { ApplyLane } from '@spillway/shared/api/worker-protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { divideLanes, type LaneHolder } from '../../src/control-plane/workers/divide-lanes.ts';

const holder = (id: string, lanes: readonly ApplyLane[], heard = true): LaneHolder => ({ id, lanes, heard });
const both = ['live', 'replay'] as const;

describe('what each apply worker applies', () => {
  it.each<[string, readonly LaneHolder[], boolean, Record<string, readonly ApplyLane[]>]>([
    ['the only one: both', [holder('a', [])], true, { a: both }],
    ['a second takes replay', [holder('a', both), holder('b', [])], true, { a: ['live'], b: ['replay'] }],
    [
      'a second stands by where commits are one at a time',
      [holder('a', both), holder('b', [])],
      false,
      { a: both, b: [] },
    ],
    [
      'as it is, it stays',
      [holder('a', ['replay']), holder('b', ['live'])],
      true,
      { a: ['replay'], b: ['live'] },
    ],
    [
      'a third stands by',
      [holder('a', ['replay']), holder('b', ['live']), holder('c', [])],
      true,
      { a: ['replay'], b: ['live'], c: [] },
    ],
    [
      'live’s is gone: the other takes both',
      [holder('a', ['live'], false), holder('b', ['replay'])],
      true,
      { a: [], b: both },
    ],
    [
      'replay’s is gone: the other takes both',
      [holder('a', ['live']), holder('b', ['replay'], false)],
      true,
      { a: both, b: [] },
    ],
    [
      'live’s is gone, and one stands by: it takes live',
      [holder('a', ['live'], false), holder('b', ['replay']), holder('c', [])],
      true,
      { a: [], b: ['replay'], c: ['live'] },
    ],
    [
      'replay’s is gone, and one stands by: it takes replay',
      [holder('a', ['live']), holder('b', ['replay'], false), holder('c', [])],
      true,
      { a: ['live'], b: [], c: ['replay'] },
    ],
    [
      'back again, it takes what the other can give',
      [holder('a', []), holder('b', both)],
      true,
      { a: ['replay'], b: ['live'] },
    ],
    [
      'nobody is heard: as it is',
      [holder('a', both, false), holder('b', [], false)],
      true,
      { a: both, b: [] },
    ],
    [
      'the store turns out to commit one at a time: live’s takes both',
      [holder('a', ['replay']), holder('b', ['live'])],
      false,
      { a: [], b: both },
    ],
  ])('%s', (_, members, sideBySide, expected) => {
    expect(Object.fromEntries(divideLanes(members, sideBySide))).toEqual(expected);
  });

  it('gives each lane to one that is heard, moves nothing twice, and nobody two while another has none', () => {
    const member = fc.record({
      lanes: fc.constantFrom<readonly ApplyLane[]>([], ['live'], ['replay'], both),
      heard: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(member, { minLength: 1, maxLength: 5 }), fc.boolean(), (some, sideBySide) => {
        const members = some.map((one, index) => ({ id: `${index}`, ...one }));
        const heard = members.filter((one) => one.heard);
        const divided = divideLanes(members, sideBySide);
        if (heard.length === 0) return;
        for (const lane of both) {
          const holders = members.filter(({ id }) => divided.get(id)?.includes(lane));
          expect(holders).toHaveLength(1);
          expect(holders[0]?.heard).toBe(true);
        }
        const busy = heard.filter(({ id }) => (divided.get(id)?.length ?? 0) > 0).length;
        expect(busy).toBe(sideBySide ? Math.min(2, heard.length) : 1);
        const again = members.map((one) => ({ ...one, lanes: divided.get(one.id) ?? [] }));
        expect(divideLanes(again, sideBySide)).toEqual(divided);
      }),
    );
  });
});
